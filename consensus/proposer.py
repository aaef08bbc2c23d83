"""Whose turn it is to propose.

Validators take turns in the order of their addresses. The turn moves on from the proposer of the
parent block, one step per block and one more per round, so that a silent proposer delays its own
block only. If the parent's proposer has left the set meanwhile, the next one above its address
takes its place and no turn is skipped. Source: Besu's ProposerSelector.
"""

from bisect import bisect_left
from collections.abc import Sequence

from consensus.types import Address, Round


def select_proposer(
    parent_coinbase: Address | None, validators: Sequence[Address], round_number: Round
) -> Address:
    """Return the proposer of `round_number` at the height above the parent.

    `validators` is the ascending set of the NEW height; `parent_coinbase` is None, or any address
    outside the set, above genesis, which gives the first validator at round 0.
    """
    assert validators, "a proposer is chosen from at least one validator"
    base = 0
    if parent_coinbase is not None:
        base = bisect_left(validators, parent_coinbase)
        if base < len(validators) and validators[base] == parent_coinbase:
            base += 1
    return validators[(base + round_number) % len(validators)]

"""A warning where the validators of one jurisdiction could make blocks final alone.

Decisions take a majority of every jurisdiction, but blocks take a quorum of validators, wherever
they are. If one side's validators are a quorum, that side alone seals blocks, and can leave out the
other side's transactions. The contract does not forbid it, because a group may begin so; the tools
say it whenever validators are chosen or shown.
"""

from collections import Counter
from collections.abc import Collection, Sequence

from consensus.quorum import compute_quorum
from contracts.labels import format_identifier


def warn_of_dominance(validators: Sequence[bytes], taking_part: Collection[bytes]) -> str | None:
    """Return a sentence if one jurisdiction's validators are a quorum, else None.

    `validators` are their jurisdictions, 32 bytes each, one entry for each validator; `taking_part`
    those of all active agencies. With only one jurisdiction there is nobody to be left out.
    """
    if not validators or len({*taking_part, *validators}) < 2:
        return None
    jurisdiction, count = Counter(validators).most_common(1)[0]
    quorum = compute_quorum(len(validators))
    if count < quorum:
        return None
    return (
        f"{format_identifier(jurisdiction)} has {count} of {len(validators)} validators; "
        f"{quorum} are a quorum, so it could make blocks final without the others"
    )

"""What the operator wants voted for, in a network that elects validators by header votes.

As in Besu, wishes live in memory until they are withdrawn: a restart forgets them, and fulfilled
ones are simply no longer voted for. In contract mode there are none.
"""

from collections.abc import Sequence

from consensus.extra_data import Vote, VoteType
from consensus.genesis_config import QbftConfig
from consensus.types import Address, Height
from consensus.votes import choose_vote


class PendingVotes:
    """Wishes by address."""

    def __init__(self, config: QbftConfig) -> None:
        self._config = config
        self._wishes: dict[Address, VoteType] = {}

    def propose(self, recipient: Address, vote_type: VoteType) -> None:
        """Vote about `recipient` in every block that we propose from now on."""
        self._wishes[recipient] = vote_type

    def discard(self, recipient: Address) -> None:
        """Stop voting about `recipient`; no error if there was no wish."""
        self._wishes.pop(recipient, None)

    def get_all(self) -> dict[Address, VoteType]:
        """Return the wishes by address."""
        return dict(self._wishes)

    def choose(self, height: Height, validators: Sequence[Address]) -> Vote | None:
        """Return the vote for the block at `height`, if we propose it."""
        if self._config.is_contract_mode or height % self._config.epoch_length == 0:
            return None
        return choose_vote(self._wishes, validators, height)

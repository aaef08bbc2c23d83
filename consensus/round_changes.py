"""Who wants to go on in which round of one height.

Of every validator only the latest round change is kept: whoever asks for round 5 has given up
rounds 1 to 4 for good, and memory stays bounded by the number of validators however many rounds a
faulty one names.
"""

from consensus.messages import RoundChange, get_author, get_round
from consensus.types import Address, Round


class RoundChangeBook:
    """The latest valid round change of each validator, for one height."""

    def __init__(self) -> None:
        self._latest: dict[Address, RoundChange] = {}

    def find(self, author: Address) -> RoundChange | None:
        """Return the round change that counts for `author`."""
        return self._latest.get(author)

    def add(self, message: RoundChange) -> bool:
        """Keep a validated round change; return False if it is no later than the one known."""
        known = self._latest.get(get_author(message))
        if known is not None and get_round(known) >= get_round(message):
            return False
        self._latest[get_author(message)] = message
        return True

    def get_for(self, target: Round) -> tuple[RoundChange, ...]:
        """Return the round changes for exactly `target`, by author."""
        return tuple(
            message for _, message in sorted(self._latest.items()) if get_round(message) == target
        )

    def count_from(self, target: Round) -> int:
        """Return how many validators ask for `target` or a later round."""
        return sum(get_round(message) >= target for message in self._latest.values())

    def find_jump(self, current: Round, faulty: int) -> Round | None:
        """Return the round to jump to because f + 1 validators are ahead, or None.

        At least one of f + 1 is honest, so somebody had a reason to move. The answer is the lowest
        round of the f + 1 that are furthest ahead.
        """
        ahead = sorted(
            (get_round(m) for m in self._latest.values() if get_round(m) > current), reverse=True
        )
        return ahead[faulty] if len(ahead) > faulty else None

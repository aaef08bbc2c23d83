"""Messages that came too early, in bounded memory.

Validators do not move in step: a message may be for a height or a round that this node has not
reached yet. It is kept until then, because nobody promises to send it again soon. A faulty peer
could fill memory with such messages (Besu #10897, #11102; celo #182), so there are limits: ten
heights ahead, a number of messages and of bytes in all, and an equal share of both per author, so
that a flood of one validator displaces only its own messages. What lies furthest ahead goes first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from consensus.messages import Message, RoundChange, get_author, get_code, get_height, get_round
from consensus.types import Address, Height, Round

MAX_HEIGHTS_AHEAD = 10
MAX_MESSAGES = 1_000
MAX_BYTES = 64 * 1024 * 1024

_Key = tuple[int, int, int, Address]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    message: Message
    size_bytes: int


class FutureBuffer:
    """Messages by height, round, kind and author; one of each."""

    def __init__(self, max_messages: int = MAX_MESSAGES, max_bytes: int = MAX_BYTES) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._entries: dict[_Key, _Entry] = {}
        self._total_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def total_bytes(self) -> int:
        """Wire bytes of all messages kept."""
        return self._total_bytes

    def add(self, message: Message, size_bytes: int, validators: Sequence[Address]) -> bool:
        """Keep a message of `size_bytes` on the wire; return whether it is kept.

        Authors outside `validators` (the set we know now) share the part of one validator: they
        may be validators by the time their message counts, or nobody at all.
        """
        key: _Key = (
            get_height(message),
            get_round(message),
            get_code(message),
            get_author(message),
        )
        if key in self._entries:
            return False
        self._entries[key] = _Entry(message=message, size_bytes=size_bytes)
        self._total_bytes += size_bytes
        known = frozenset(validators)
        self._shrink_share(key[3], known)
        self._shrink(list(self._entries), self._max_messages, self._max_bytes)
        return key in self._entries

    def take(self, height: Height, round_number: Round) -> tuple[Message, ...]:
        """Remove and return what waits for a round, proposals first."""
        return self._take_keys(
            [key for key in self._entries if key[0] == height and key[1] == round_number]
        )

    def take_round_changes(self, height: Height) -> tuple[RoundChange, ...]:
        """Remove and return the round changes of a height, lowest target first."""
        keys = [
            key
            for key, entry in self._entries.items()
            if key[0] == height and isinstance(entry.message, RoundChange)
        ]
        return tuple(m for m in self._take_keys(keys) if isinstance(m, RoundChange))

    def discard_before(self, height: Height, round_number: Round = Round(0)) -> None:  # noqa: B008
        """Forget what is for an earlier height, or an earlier round of this height."""
        self._take_keys([key for key in self._entries if key[:2] < (height, round_number)])

    def _take_keys(self, keys: list[_Key]) -> tuple[Message, ...]:
        return tuple(self._pop(key).message for key in sorted(keys))

    def _pop(self, key: _Key) -> _Entry:
        entry = self._entries.pop(key)
        self._total_bytes -= entry.size_bytes
        return entry

    def _shrink_share(self, author: Address, validators: frozenset[Address]) -> None:
        shares = len(validators) + 1
        keys = [
            key
            for key in self._entries
            if key[3] == author or (author not in validators and key[3] not in validators)
        ]
        self._shrink(keys, max(1, self._max_messages // shares), self._max_bytes // shares)

    def _shrink(self, keys: list[_Key], max_messages: int, max_bytes: int) -> None:
        size_bytes = sum(self._entries[key].size_bytes for key in keys)
        if len(keys) <= max_messages and size_bytes <= max_bytes:
            return
        keys.sort()
        while keys and (len(keys) > max_messages or size_bytes > max_bytes):
            size_bytes -= self._pop(keys.pop()).size_bytes

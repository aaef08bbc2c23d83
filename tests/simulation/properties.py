"""What must hold at every step of every schedule, judged from outside the nodes."""

from dataclasses import dataclass, field

from consensus.errors import InvalidHeader
from consensus.header_rules import validate_seals
from consensus.messages import Message, get_author, get_code, get_height, get_round
from consensus.sign_state import STEP_OF_CODE
from consensus.types import Address, Hash32
from tests.simulation.model_chain import Entry


class SafetyViolation(AssertionError):
    """A property is broken; the first word names it."""


@dataclass(slots=True)
class Monitor:
    """Watches honest nodes; `faulty` are the Byzantine addresses, of which nothing is expected."""

    faulty: frozenset[Address]
    final: dict[int, tuple[Hash32, str]] = field(default_factory=dict)
    """Block hash by height, and who had it first."""
    _signed: dict[tuple[Address, int, int, int], bytes] = field(default_factory=dict)
    _places: dict[Address, tuple[int, int, int]] = field(default_factory=dict)
    _durable: dict[str, set[bytes]] = field(default_factory=dict)

    def on_final(self, name: str, entry: Entry, before: Entry) -> None:
        """A node made a block final on top of `before`."""
        number = entry.block.header.number
        known = self.final.setdefault(number, (entry.block_hash, name))
        if known[0] != entry.block_hash:
            raise SafetyViolation(
                f"agreement: {name} has block {entry.block_hash.hex()[:8]} at height {number}, "
                f"{known[1]} has {known[0].hex()[:8]}"
            )
        try:
            validate_seals(entry.block.header, before.validators)
        except InvalidHeader as fault:
            raise SafetyViolation(f"seals: of {name} at height {number}: {fault}") from None

    def on_durable(self, name: str, payload: bytes) -> None:
        """A node has a message in its sign state on disk."""
        self._durable.setdefault(name, set()).add(payload)

    def on_sent(self, name: str, message: Message, payload: bytes) -> None:
        """An honest node sent a message of its own."""
        author = get_author(message)
        place = (get_height(message), get_round(message), int(STEP_OF_CODE[get_code(message)]))
        said = self._signed.setdefault((author, *place), message.signed.payload_rlp)
        if said != message.signed.payload_rlp:
            raise SafetyViolation(f"contradiction: {name} signed twice at {place}")
        if payload not in self._durable.get(name, ()):
            raise SafetyViolation(f"durability: {name} sent before it wrote at {place}")

    def on_restart(self, name: str, head: int, head_before: int) -> None:
        """A node came back."""
        if head < head_before:
            raise SafetyViolation(f"durability: {name} lost final block {head_before}")

    def on_new_place(self, name: str, author: Address, place: tuple[int, int, int]) -> None:
        """A node wrote a new place into its sign state."""
        last = self._places.get(author, (-1, 0, 0))
        if place < last:
            raise SafetyViolation(f"order: {name} went back from {last} to {place}")
        self._places[author] = place

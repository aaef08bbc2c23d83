"""What must hold at every step of every schedule, judged from outside the nodes."""

from dataclasses import dataclass, field

from consensus.engine import Engine
from consensus.header_rules import get_sealers
from consensus.height_state import Phase
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
    highest_round: dict[int, int] = field(default_factory=dict)
    """By height, the highest round into which the clock of an honest node has led."""
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
        sealers = get_sealers(entry.block.header)
        if len(set(sealers)) != len(sealers) or not set(sealers) <= set(before.validators):
            raise SafetyViolation(f"seals: {name} at height {number}: twice or by a stranger")
        # Counted without the code under test: two thirds of the validators, rounded up.
        if 3 * len(sealers) < 2 * len(before.validators):
            raise SafetyViolation(f"seals: {name} at height {number} has only {len(sealers)}")

    def on_unusable(self, name: str, number: int, reason: str) -> None:
        """A node cannot import what its own consensus sealed."""
        if reason.startswith("seals") or "Root" in reason or "transaction" in reason:
            raise SafetyViolation(f"validity: {name} sealed at height {number}: {reason}")

    def on_round_over(self, height: int, round_number: int) -> None:
        """The round of an honest node ran out."""
        self.highest_round[height] = max(self.highest_round.get(height, 0), round_number + 1)

    def on_round(self, name: str, height: int, round_number: int) -> None:
        """An honest node entered a round; whoever is first there was led by its clock."""
        if round_number > self.highest_round.get(height, 0):
            raise SafetyViolation(
                f"runaway: {name} is in round {round_number} of height {height}, "
                "where no honest clock has led"
            )

    def on_step(self, name: str, engine: Engine) -> None:
        """A node's engine has done a step; it may know the rounds that others ask for."""
        height = engine._height
        if height is None or height.phase not in (Phase.IDLE, Phase.RUNNING):
            return
        asked = height.round_changes._latest
        if len(asked) <= (faulty := (len(height.validators) - 1) // 3):
            return
        current = engine.round
        rounds = [get_round(message) for message in asked.values()]
        if sum(number > current for number in rounds) > faulty:
            raise SafetyViolation(
                f"jump: {name} stays in round {current} although {rounds} are asked for"
            )

    def on_durable(self, name: str, payload: bytes) -> None:
        """A node has a message in its sign state on disk."""
        self._durable.setdefault(name, set()).add(payload)

    def on_sent(self, name: str, message: Message, payload: bytes, head: int) -> None:
        """An honest node whose head is at `head` sent a message of its own."""
        author = get_author(message)
        if get_height(message) <= head:
            raise SafetyViolation(
                f"finality: {name} signed for height {get_height(message)}, which is final"
            )
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

    def on_refusal(self, name: str, reason: str, *, is_torn: bool) -> None:
        """A node came back and refuses to sign, because of its sign state."""
        if not is_torn:
            raise SafetyViolation(f"recovery: a crash alone made {name} refuse to sign: {reason}")

    def on_signing(self, name: str, *, is_torn: bool) -> None:
        """A node came back and goes on signing."""
        if is_torn:
            raise SafetyViolation(f"damage: {name} signs although a file of its sign state is torn")

    def on_new_place(self, name: str, author: Address, place: tuple[int, int, int]) -> None:
        """A node wrote a new place into its sign state."""
        last = self._places.get(author, (-1, 0, 0))
        if place < last:
            raise SafetyViolation(f"order: {name} went back from {last} to {place}")
        self._places[author] = place

"""Byzantine validators: they hold a real key, know the protocol, and break it on purpose.

A traitor runs the real engine, so that its lies are timed like truths, without a sign state, and
bends what leaves it. Which lies it tells is a set of tactics:

    equivocate  says one thing to some and another to others, in every kind of message
    withhold    leaves some targets out
    replay      repeats old messages of anybody
    forge       makes certificates of too few, repeated or wrong signatures
    stale       shows genuine certificates that are out of date, of this height or another
    wander      speaks for rounds and heights that are not on
    flood       many messages for future rounds and heights
    spoil       proposes blocks that do not execute, or whose header is wrong
    foreign     asks for rounds as it would on another chain with the same key
"""

from collections import deque
from dataclasses import replace

from consensus.block import Block
from consensus.extra_data import ExtraData, decode_extra_data, encode_extra_data
from consensus.messages import (
    Commit,
    Message,
    Prepare,
    Proposal,
    RoundChange,
    encode_message,
    get_code,
    get_height,
    get_round,
)
from consensus.payloads import MessageCode, compute_digest
from consensus.proposer import select_proposer
from consensus.quorum import compute_quorum
from consensus.sign_state import SignRecord, SignState, make_floor
from consensus.signatures import ValidatorKey
from consensus.types import Hash32, Height, Round
from tests.simulation.forge import (
    get_certificate,
    make_certificate,
    make_commit,
    make_prepare,
    make_proposal,
    make_round_change,
)
from tests.simulation.keys import STRANGER
from tests.simulation.model_chain import INVALID, SimChain, in_round
from tests.simulation.network import Packet
from tests.simulation.simulated_node import MAX_TRANSACTIONS, SimNode
from tests.simulation.world import World, describe

TACTICS = (
    "equivocate",
    "withhold",
    "replay",
    "forge",
    "stale",
    "wander",
    "flood",
    "spoil",
    "foreign",
)
MISCHIEF_PERIOD_MS = 700
FLOOD_MESSAGES = 12
_MEMORY = 120


class Traitor(SimNode):
    """A validator that lies by its tactics."""

    def __init__(
        self,
        name: str,
        key: ValidatorKey,
        chain: SimChain,
        world: World,
        tactics: frozenset[str],
    ) -> None:
        super().__init__(name, key, chain, world)
        self.traitor_key = key
        self.tactics = tactics
        self.is_honest = False
        self.targets: tuple[str, ...] | None = None
        """Whom it talks to at all; None for everybody. Twins split the network between them."""
        self._seen: deque[tuple[MessageCode, bytes]] = deque(maxlen=_MEMORY)
        self._blocks: list[Block] = []

    def load_sign_state(self) -> SignState:
        return SignState(make_floor(self.identity, number=0, height=Height(0)))

    def persist(self, record: SignRecord) -> None:
        """Remember nothing."""

    def start(self) -> None:
        super().start()
        self.later(MISCHIEF_PERIOD_MS, lambda _core: self._make_mischief())

    def receive(self, source: str, packet: Packet) -> None:
        match packet:
            case ("consensus", int(code), bytes(payload), _):
                self._seen.append((MessageCode(code), payload))
        super().receive(source, packet)

    def broadcast(self, code: MessageCode, payload: bytes) -> None:
        message = self.world.decode(code, payload)
        self.world.say(f"{self.name} sends {describe(message)} as a traitor")
        if isinstance(message, Proposal):
            self._blocks.append(message.signed.payload.block)
        truth = message
        if "spoil" in self.tactics and isinstance(message, Proposal) and self._chance(0.5):
            truth = self._spoil(message)
        if "stale" in self.tactics and self._chance(0.7):
            truth = self._outdate(message)
        lie = self._twist(message) if "equivocate" in self.tactics else truth
        if "forge" in self.tactics and isinstance(message, RoundChange):
            for forged in self._usurp(get_round(message)):
                self._spread(get_code(forged), encode_message(forged))
        for peer in self._get_targets():
            if "withhold" in self.tactics and self._chance(0.3):
                continue
            self._tell(peer, lie if self._chance(0.5) else truth)

    def _make_mischief(self) -> None:
        self.later(MISCHIEF_PERIOD_MS, lambda _core: self._make_mischief())
        lies: list[Message] = []
        if "replay" in self.tactics and self._seen:
            for code, payload in self.world.clockwork.random.sample(
                self._seen, min(3, len(self._seen))
            ):
                self._spread(code, payload)
        if "forge" in self.tactics:
            lies.extend(self._forge())
        if "wander" in self.tactics:
            lies.extend(self._wander(1))
        if "flood" in self.tactics:
            lies.extend(self._wander(FLOOD_MESSAGES))
        if "foreign" in self.tactics:
            target = self.world.clockwork.random.randint(1, 6)
            lies.append(make_round_change(self.traitor_key, self.head + 1, target))
        for lie in lies:
            self._spread(get_code(lie), encode_message(lie))

    def _twist(self, message: Message) -> Message:
        """Return another message for the same place."""
        key, height, number = self.traitor_key, get_height(message), get_round(message)
        match message:
            case Proposal():
                if height != self.head + 1 or message.prepares:
                    return message
                header = message.signed.payload.block.header
                block = self.chain.build(
                    self.chain.head,
                    header.timestamp,
                    header.coinbase,
                    header.extra_data,
                    0 if message.signed.payload.block.transactions else MAX_TRANSACTIONS,
                )
                if block == message.signed.payload.block:
                    later = replace(block.header, timestamp=block.header.timestamp + 1)
                    block = replace(block, header=later)
                self._blocks.append(block)
                twisted = make_proposal(key, block, number)
                return replace(twisted, round_changes=message.round_changes)
            case Prepare():
                return make_prepare(key, height, number, self._find_digest(height, number))
            case Commit():
                if self._chance(0.5):
                    digest = message.signed.payload.digest
                    return make_commit(key, height, number, digest, sealer=STRANGER)
                return make_commit(key, height, number, self._find_digest(height, number))
            case RoundChange():
                blocks = [block for block in self._blocks if block.header.number == height]
                if message.block is not None or not blocks or number == 0:
                    return make_round_change(key, height, number)
                block = self.world.clockwork.random.choice(blocks)
                return make_round_change(key, height, number, make_certificate([key], block, 0))

    def _spoil(self, message: Proposal) -> Proposal:
        block = message.signed.payload.block
        if block.header.number != self.head + 1:
            return message
        header = block.header
        spoiled = self.world.clockwork.random.choice(
            (
                replace(block, transactions=(*block.transactions, INVALID + b"!")),
                replace(block, header=replace(header, state_root=Hash32(bytes(32)))),
                replace(block, header=replace(header, timestamp=header.timestamp + 3_600)),
                replace(block, header=replace(header, timestamp=self.chain.head.timestamp - 1)),
                replace(block, header=replace(header, coinbase=STRANGER.address)),
                replace(block, header=replace(header, number=Height(header.number + 1))),
                replace(block, header=replace(header, parent_hash=Hash32(bytes(32)))),
                replace(block, header=replace(header, gas_used=header.gas_used + 1)),
            )
        )
        twisted = make_proposal(self.traitor_key, spoiled, get_round(message))
        return replace(twisted, round_changes=message.round_changes, prepares=message.prepares)

    def _outdate(self, message: Message) -> Message:
        """Replace what is justified now by what was justified before."""
        height, number = get_height(message), get_round(message)
        wishes = [wish for wish in self._recall_wishes() if wish.block is not None]
        if isinstance(message, RoundChange) and wishes:
            wish = self.world.clockwork.random.choice(wishes)
            certificate = get_certificate(wish)
            return make_round_change(self.traitor_key, height, number, certificate)
        if isinstance(message, Proposal) and number > 0:
            asked = {
                wish.signed.author: wish
                for wish in self._recall_wishes()
                if (get_height(wish), get_round(wish)) == (height, number)
            }
            prepared = [get_certificate(wish) for wish in asked.values() if wish.block is not None]
            if prepared:
                oldest = min(prepared, key=lambda certificate: certificate.round)
                return make_proposal(
                    self.traitor_key, oldest.block, number, asked.values(), oldest.prepares
                )
        return message

    def _recall_wishes(self) -> list[RoundChange]:
        messages = (
            self.world.decode(code, payload)
            for code, payload in self._seen
            if code is MessageCode.ROUND_CHANGE
        )
        return [message for message in messages if isinstance(message, RoundChange)]

    def _forge(self) -> list[Message]:
        """Claim that some block is prepared, without the prepares for it."""
        height, chance = self.head + 1, self.world.clockwork.random
        blocks = [block for block in self._blocks if block.header.number == height]
        if not blocks:
            return []
        block = chance.choice(blocks)
        number = chance.randint(0, 2)
        signers = [self.traitor_key] * chance.randint(1, len(self.chain.validators))
        certificate = make_certificate(signers, block, number)
        target = number + chance.randint(1, 2)
        wish = make_round_change(self.traitor_key, height, target, certificate)
        proposal = make_proposal(
            self.traitor_key, block, target, [wish] * len(signers), certificate.prepares
        )
        bare = make_proposal(self.traitor_key, block, target)
        return [wish, proposal, bare]

    def _usurp(self, number: Round) -> list[Message]:
        """As proposer of a later round, pass over what the others have prepared."""
        parent, key = self.chain.head, self.traitor_key
        if select_proposer(parent.coinbase, self.chain.validators, number) != key.address:
            return []
        is_contract_mode = self.chain.rules.config.is_contract_mode
        extra_data = ExtraData(
            validators=() if is_contract_mode else self.chain.validators, round=number
        )
        block = self.chain.build(
            parent,
            max(self.now_ms() // 1000, parent.timestamp + 1),
            key.address,
            encode_extra_data(extra_data),
            MAX_TRANSACTIONS,
        )
        self._blocks.append(block)
        wish = make_round_change(key, block.header.number, number)
        repeated = [wish] * compute_quorum(len(self.chain.validators))
        digest, height = compute_digest(block, number), block.header.number
        return [
            make_proposal(key, block, number, repeated),
            make_proposal(key, block, number),
            make_prepare(key, height, number, digest),
            make_commit(key, height, number, digest),
        ]

    def _wander(self, count: int) -> list[Message]:
        chance, key = self.world.clockwork.random, self.traitor_key
        lies: list[Message] = []
        for _ in range(count):
            height = self.head + chance.randint(0, 12)
            number = chance.choice((0, 1, 2, 5, 40, 999))
            digest = self._find_digest(height, number)
            lies.append(
                chance.choice(
                    (
                        make_prepare(key, height, number, digest),
                        make_commit(key, height, number, digest),
                        make_round_change(key, height, number + 1),
                    )
                )
            )
        return lies

    def _find_digest(self, height: int, number: int) -> Hash32:
        """Return the digest of some block that is or was proposed at `height`, or of none."""
        blocks = [block for block in self._blocks if block.header.number == height]
        for code, payload in self._seen:
            if code is MessageCode.PROPOSAL:
                message = self.world.decode(code, payload)
                if isinstance(message, Proposal) and get_height(message) == height:
                    blocks.append(message.signed.payload.block)
        if not blocks:
            return Hash32(bytes(32))
        block = self.world.clockwork.random.choice(blocks)
        assert decode_extra_data(block.header.extra_data) is not None
        return compute_digest(in_round(block, Round(number)), Round(number))

    def _spread(self, code: MessageCode, payload: bytes) -> None:
        packet = self.world.pack(int(code), payload)
        for peer in self._get_targets():
            self.world.network.send(self.name, peer, packet)

    def _tell(self, peer: str, message: Message) -> None:
        packet = self.world.pack(int(get_code(message)), encode_message(message))
        self.world.network.send(self.name, peer, packet)

    def _get_targets(self) -> tuple[str, ...]:
        return self.peers if self.targets is None else self.targets

    def _chance(self, probability: float) -> bool:
        return self.world.clockwork.random.random() < probability

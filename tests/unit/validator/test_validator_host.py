"""The asyncio shell: several hosts on one loop, with modelled chains and a loopback network."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from consensus.block import Block
from consensus.errors import InvalidHeader
from consensus.evidence import Evidence
from consensus.extra_data import Vote, VoteType
from consensus.genesis_config import QbftConfig
from consensus.header import BlockHeader
from consensus.header_rules import HeaderRules
from consensus.payloads import MessageCode
from consensus.sign_state import SignIdentity
from consensus.types import Address, Hash32, Height, Round
from node.chain.errors import DeadlineExceeded, InvalidBlock
from node.errors import OperationalFault, PeerFault
from node.storage.memory import MemoryStore
from node.validator.errors import SignStateNotWritten
from node.validator.evidence_store import DatabaseEvidence
from node.validator.host import HostPorts, Signer, ValidatorHost
from node.validator.pending_votes import PendingVotes
from node.validator.resume import is_resume_requested, request_resume
from node.validator.sign_store import DurableSignState, create_sign_state
from tests.simulation.forge import make_prepare
from tests.simulation.keys import CONTRACT, KEYS
from tests.simulation.model_chain import ModelChain

CONFIG = QbftConfig(validator_contract=CONTRACT, block_period_ms=20)


class Factory:
    """A `BlockFactory` over a modelled chain."""

    def __init__(self, chain: ModelChain) -> None:
        self.chain = chain
        self.failure: Exception | None = None
        self.on_import: Callable[[], None] = lambda: None

    async def build(self, **wanted: Any) -> Block:
        if self.failure is not None:
            raise self.failure
        return self.chain.build(
            wanted["parent"], wanted["timestamp"], wanted["coinbase"], wanted["extra_data"], 5
        )

    async def validate(self, block: Block, *, budget_s: float) -> None:
        if self.failure is not None:
            raise self.failure
        fault = self.chain.find_fault(block, time.time())
        if fault is not None:
            raise InvalidBlock(fault)

    async def import_block(self, block: Block) -> object:
        try:
            self.chain.import_block(block, time.time())
        except InvalidHeader as fault:
            raise InvalidBlock(str(fault)) from None
        self.on_import()
        return None

    async def get_validators(self, parent: BlockHeader) -> tuple[Address, ...]:
        return self.chain.validators

    def has_transactions(self) -> bool:
        return bool(self.chain.pool)


class WallClock:
    def now_ms(self) -> int:
        return int(time.time() * 1000)


class Station:
    """One node: a host and what surrounds it; `peers` makes a loopback network."""

    def __init__(self, index: int, folder: Path, count: int) -> None:
        self.key = KEYS[index]
        self.rules = HeaderRules(config=CONFIG)
        self.chain = ModelChain.create(self.rules, [key.address for key in KEYS[:count]])
        self.factory = Factory(self.chain)
        self.folder = folder / f"v{index}"
        self.database = MemoryStore()
        self.peers: list[Station] = []
        self.fatal: list[BaseException] = []
        self.trouble: list[str] = []
        self.rejected: list[str] = []
        self.peer_heads: Mapping[Address, Height] = {}
        self.identity = SignIdentity(
            chain_id=7,
            genesis_hash=self.chain.entries[0].block_hash,
            validator=self.key.address,
        )
        self.host = self.make_host()

    @property
    def head(self) -> int:
        return self.chain.head.number

    def make_host(self) -> ValidatorHost:
        store = DurableSignState(self.folder, self.database, self.identity)
        ports = HostPorts(
            chain=self.chain,
            factory=self.factory,
            broadcaster=self,
            clock=WallClock(),
            evidence=DatabaseEvidence(self.database),
            observer=self,
            get_peer_heads=lambda: self.peer_heads,
            on_trouble=lambda name, error: self.trouble.append(f"{name}: {error}"),
            on_fatal=self.fatal.append,
        )
        signer = Signer(key=self.key, sign_state=store)
        return ValidatorHost(rules=self.rules, ports=ports, signer=signer)

    def broadcast(self, code: MessageCode, payload: bytes) -> None:
        for peer in self.peers:
            asyncio.get_running_loop().call_soon(
                peer.host.on_consensus, int(code), payload, "loopback"
            )

    def on_round(self, height: Height, round_number: Round, proposer: Address) -> None:
        return None

    def on_rejected(self, source: str | None, author: Address, reason: str) -> None:
        self.rejected.append(reason)

    def on_signing_skipped(self, reason: str) -> None:
        self.trouble.append(reason)

    def on_evidence(self, evidence: Evidence) -> None:
        return None


def make_stations(folder: Path, count: int) -> list[Station]:
    stations = [Station(index, folder, count) for index in range(count)]
    for station in stations:
        station.peers = [other for other in stations if other is not station]
        create_sign_state(station.folder, station.identity)
    return stations


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


async def test_host_agrees_with_others_and_stops(tmp_path: Path) -> None:
    stations = make_stations(tmp_path, 4)
    for station in stations:
        await station.host.start()
    await until(lambda: all(station.head >= 4 for station in stations))
    assert all(station.host.is_signing for station in stations)
    assert all(station.host.note is None for station in stations)
    for station in stations:
        await station.host.stop()
    heads = [station.head for station in stations]
    await asyncio.sleep(0.1)
    assert [station.head for station in stations] == heads
    assert not any(station.fatal or station.trouble for station in stations)
    hashes = {station.chain.entries[4].block_hash for station in stations}
    assert len(hashes) == 1


async def test_host_goes_on_after_a_restart(tmp_path: Path) -> None:
    (station,) = make_stations(tmp_path, 1)
    await station.host.start()
    await until(lambda: station.head >= 2)
    await station.host.stop()
    station.host = station.make_host()
    before = station.head
    await station.host.start()
    await until(lambda: station.head >= before + 2)
    await station.host.stop()
    assert station.fatal == []


async def test_host_follows_a_head_that_came_by_sync(tmp_path: Path) -> None:
    stations = make_stations(tmp_path, 3)
    for station in stations[:2]:
        await station.host.start()
    await until(lambda: stations[0].head >= 3 and stations[1].head >= 3)
    late = stations[2]
    await late.host.start()
    for entry in stations[0].chain.entries[1:4]:
        late.chain.import_block(entry.block, time.time())
    late.host.on_head(late.chain.head)
    await until(lambda: late.host.height is not None and late.host.height > 3)
    for station in stations:
        await station.host.stop()


async def test_host_far_behind_waits_for_sync(tmp_path: Path) -> None:
    station = make_stations(tmp_path, 4)[0]
    others = [key.address for key in KEYS[1:4]]
    station.peer_heads = {others[0]: Height(50), others[1]: Height(50)}
    await station.host.start()
    assert station.host.height is None, "two of four validators are far ahead"
    station.peer_heads = {others[0]: Height(50), others[1]: Height(1)}
    station.host.on_head()
    await until(lambda: station.host.height == 1)
    await station.host.stop()


async def test_host_refuses_to_start_without_its_sign_state(tmp_path: Path) -> None:
    station = Station(0, tmp_path, 1)
    with pytest.raises(OperationalFault, match="atesta keys resume"):
        await station.host.start()
    assert station.head == 0


async def test_host_resumes_when_enough_peers_have_reported(tmp_path: Path) -> None:
    stations = make_stations(tmp_path, 4)
    lost = stations[3]
    for name in ("first.record", "second.record"):
        (lost.folder / name).unlink()
    request_resume(lost.folder)
    for station in stations:
        await station.host.start()
    assert not lost.host.is_signing
    assert "Waiting" in (lost.host.note or "")
    await until(lambda: stations[0].head >= 2)
    for entry in stations[0].chain.entries[1:3]:
        lost.chain.import_block(entry.block, time.time())
    lost.peer_heads = {station.key.address: Height(1) for station in stations[:2]}
    await asyncio.sleep(0.05)
    assert is_resume_requested(lost.folder), "two of three others are no quorum"
    lost.peer_heads = {station.key.address: Height(2) for station in stations[:3]}
    expected = lost.head + 2
    await until(lambda: not is_resume_requested(lost.folder))
    known = DurableSignState(lost.folder, lost.database, lost.identity).get_highest_known()
    assert known is not None
    assert known >= expected
    for station in stations:
        await station.host.stop()


async def test_host_falls_silent_when_it_cannot_write(tmp_path: Path) -> None:
    (station,) = make_stations(tmp_path, 1)
    await station.host.start()
    await until(lambda: station.head >= 1)
    for path in station.folder.iterdir():
        path.unlink()
    station.folder.rmdir()
    station.folder.write_text("in the way")
    await until(lambda: bool(station.fatal))
    assert isinstance(station.fatal[0], SignStateNotWritten)
    assert not station.host.is_signing
    head = station.head
    await asyncio.sleep(0.1)
    assert station.head <= head + 1
    await station.host.stop()


@pytest.mark.parametrize(
    "failure", [InvalidBlock("wrong root"), DeadlineExceeded("too slow"), RuntimeError("bug")]
)
async def test_host_survives_a_block_that_fails(tmp_path: Path, failure: Exception) -> None:
    stations = make_stations(tmp_path, 4)
    stations[1].factory.failure = failure
    for station in stations:
        await station.host.start()
    await until(lambda: all(stations[i].head >= 4 for i in (0, 2, 3)))
    assert stations[1].fatal == []
    for station in stations:
        await station.host.stop()


async def test_host_dies_of_a_broken_store(tmp_path: Path) -> None:
    (station,) = make_stations(tmp_path, 1)
    station.factory.failure = OperationalFault("disk gone")
    await station.host.start()
    await until(lambda: bool(station.fatal))
    await station.host.stop()


async def test_host_judges_messages_from_the_network(tmp_path: Path) -> None:
    (station,) = make_stations(tmp_path, 1)
    await station.host.start()
    with pytest.raises(PeerFault):
        station.host.on_consensus(0x13, b"noise", "peer")
    stranger = make_prepare(KEYS[5], 1, 0, Hash32(bytes(32)))
    from consensus.messages import encode_message

    assert not station.host.on_consensus(0x13, encode_message(stranger), "peer")
    await station.host.stop()
    assert not station.host.on_consensus(0x13, encode_message(stranger), "peer")


def test_pending_votes_take_turns_until_they_are_fulfilled() -> None:
    votes = PendingVotes(QbftConfig(epoch_length=10))
    members = [key.address for key in KEYS[:3]]
    votes.propose(KEYS[4].address, VoteType.ADD)
    votes.propose(KEYS[0].address, VoteType.DROP)
    votes.propose(KEYS[1].address, VoteType.ADD)
    chosen = {votes.choose(Height(height), members) for height in (1, 2, 3, 4)}
    assert chosen == {
        Vote(recipient=KEYS[4].address, vote_type=VoteType.ADD),
        Vote(recipient=KEYS[0].address, vote_type=VoteType.DROP),
    }
    assert votes.choose(Height(20), members) is None, "epoch blocks carry no vote"
    votes.discard(KEYS[4].address)
    assert votes.choose(Height(1), members[1:]) is None


def test_evidence_store_keeps_one_proof_per_place() -> None:
    from consensus.evidence import find_conflict

    store = DatabaseEvidence(MemoryStore())
    for height in (3, 4):
        one, two, three = (
            make_prepare(KEYS[0], height, 0, Hash32(bytes([n]) * 32)) for n in (1, 2, 3)
        )
        for pair in ((one, two), (one, three)):
            evidence = find_conflict(*pair)
            assert evidence is not None
            store.keep(evidence)
    kept = list(store.iterate())
    assert [evidence.height for evidence in kept] == [4, 3]
    assert [evidence.height for evidence in store.iterate(start=Height(4))] == [4]

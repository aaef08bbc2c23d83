"""Importing snapshots: a store that is the network's or none at all, and a node that goes on."""

from pathlib import Path

import pytest

from contracts.addresses import ATTESTATIONS, REGISTRY
from node.chain.blockchain import Blockchain
from node.chain.errors import StateMissing
from node.chain.genesis import parse_genesis
from node.chain.results import LogFilter
from node.errors import UserFault
from node.snapshot.chunks import ChunkKind
from node.snapshot.errors import SnapshotRefused, SnapshotUnavailable
from node.snapshot.exporter import export_snapshot
from node.snapshot.importer import import_snapshot
from node.snapshot.reader import read_snapshot
from node.storage import keys
from node.storage.level import LevelStore
from node.storage.memory import MemoryStore
from tests.unit.chain.chain_world import make_document
from tests.unit.snapshot.snapshot_world import (
    SIXTH,
    SnapshotWorld,
    get_snapshot,
    get_world,
    join,
    split,
)


def import_into(world: SnapshotWorld, folder: Path, data: bytes) -> tuple[LevelStore, Blockchain]:
    file = folder / "given.snapshot"
    file.write_bytes(data)
    import_snapshot(file, folder / "chain", world.trust)
    store = LevelStore(folder / "chain")
    return store, Blockchain.open(store, world.genesis, clock=lambda: 2e10)


def test_import_gives_the_head_with_its_state_proofs_and_body(tmp_path: Path) -> None:
    world = get_world()
    store, chain = import_into(world, tmp_path, get_snapshot())
    head = world.chain.head
    assert chain.head == head
    assert chain.floor == head.number
    assert chain.get_block(int(head.number)) == world.chain.get_block(int(head.number))
    assert chain.get_receipts(int(head.number)) == world.chain.get_receipts(int(head.number))
    for address in (REGISTRY, ATTESTATIONS):
        ours, theirs = (
            item.state_at(head).prove(address, range(6)) for item in (chain, world.chain)
        )
        assert ours == theirs
    for height in range(int(head.number) + 1):  # the chain is shorter than 256 blocks
        assert chain.get_header(height) == world.chain.get_header(height)
        assert chain.get_block_hash(height) == world.chain.get_block_hash(height)
        header = chain.get_header(height)
        assert header is not None
        assert chain.get_validators(header) == world.chain.get_validators(header)
    chain.close()
    store.close()


def test_import_says_what_of_the_past_it_lacks(tmp_path: Path) -> None:
    world = get_world()
    store, chain = import_into(world, tmp_path, get_snapshot())
    old = chain.get_header(3)
    assert old is not None
    with pytest.raises(StateMissing, match="from block"):
        chain.state_at(old)
    assert chain.get_block(3) is None
    with pytest.raises(StateMissing, match="snapshot"):
        list(chain.get_logs(0, 10_000, LogFilter()))
    chain.close()
    store.close()


def test_import_goes_on_like_the_nodes_that_were_there(tmp_path: Path) -> None:
    world = SnapshotWorld()
    store, chain = import_into(world, tmp_path, world.export()[0])
    start = int(world.chain.head.number)
    world.attest(3)
    world.add_sixth()  # the sixth validator seals from here on
    world.attest(2)
    for height in range(start + 1, int(world.chain.head.number) + 1):
        block = world.chain.get_block(height)
        assert block is not None
        chain.import_block(block)
    assert chain.head == world.chain.head
    assert SIXTH in chain.get_validators(chain.head)
    # A snapshot made by the node that started from one tells the whole chain of sets again.
    second = tmp_path / "second.snapshot"
    made = export_snapshot(store, chain, second)
    chain.close()
    store.close()
    with second.open("rb") as file:
        summary = read_snapshot(file, world.trust)
    assert summary.changes == 3
    assert made.block_hash == world.chain.get_block_hash(made.number)
    assert second.read_bytes() == world.export()[0]


def test_import_leaves_nothing_behind_a_forged_file(tmp_path: Path) -> None:
    world = get_world()
    chunks = split(get_snapshot())
    place = max(index for index, chunk in enumerate(chunks) if chunk[0] is ChunkKind.STATE)
    payload = bytearray(chunks[place][1])
    payload[-1] ^= 1
    chunks[place] = (ChunkKind.STATE, bytes(payload))
    file = tmp_path / "forged.snapshot"
    file.write_bytes(join(chunks))
    with pytest.raises(SnapshotRefused, match="state part"):
        import_snapshot(file, tmp_path / "chain", world.trust)
    assert list(tmp_path.iterdir()) == [file]


def test_import_refuses_a_folder_with_a_chain(tmp_path: Path) -> None:
    world = get_world()
    store, chain = import_into(world, tmp_path, get_snapshot())
    chain.close()
    store.close()
    with pytest.raises(UserFault, match="holds a chain already"):
        import_snapshot(tmp_path / "given.snapshot", tmp_path / "chain", world.trust)


def test_import_of_a_file_that_is_not_there_names_it(tmp_path: Path) -> None:
    with pytest.raises(SnapshotUnavailable, match="nothing"):
        import_snapshot(tmp_path / "nothing", tmp_path / "chain", get_world().trust)


def test_export_refuses_what_cannot_be_given(tmp_path: Path) -> None:
    world = get_world()
    path = tmp_path / "file"
    with pytest.raises(UserFault, match="--height"):
        export_snapshot(world.store, world.chain, path, height=0)
    with pytest.raises(UserFault, match="--height"):
        export_snapshot(world.store, world.chain, path, height=10_000)
    path.write_bytes(b"mine")
    with pytest.raises(UserFault, match="not overwritten"):
        export_snapshot(world.store, world.chain, path)
    assert path.read_bytes() == b"mine"


@pytest.mark.parametrize("is_header_vote", [True, False])
def test_export_is_refused_where_no_registry_names_the_validators(
    tmp_path: Path, *, is_header_vote: bool
) -> None:
    store = MemoryStore()
    genesis = parse_genesis(make_document(is_header_vote=is_header_vote))
    chain = Blockchain.open(store, genesis)
    with pytest.raises(SnapshotUnavailable, match="registry"):
        export_snapshot(store, chain, tmp_path / "file")


def test_history_of_sets_is_made_up_for_on_opening() -> None:
    world = get_world()
    store = MemoryStore()
    for prefix in (bytes((number,)) for number in range(256)):
        store._values.update(world.store.iterate(prefix))
    for key, _ in list(store.iterate(keys.SET_CHANGES)):
        del store._values[key]
    chain = Blockchain.open(store, world.genesis)
    head = int(chain.head.number)
    assert chain.set_history.get_changes(head) == world.chain.set_history.get_changes(head)
    assert len(chain.set_history.get_changes(head)) == 3

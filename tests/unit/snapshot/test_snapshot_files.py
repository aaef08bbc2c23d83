"""Snapshot files: what an export says, and that no changed, cut or moved byte gets through."""

import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.types import Hash32
from node.chain.set_changes import SetChange
from node.snapshot import reader
from node.snapshot.chunks import ChunkKind
from node.snapshot.errors import SnapshotRefused
from node.snapshot.manifest import decode_manifest, encode_manifest
from node.snapshot.reader import Trust, describe_snapshot
from tests.unit.snapshot.snapshot_world import (
    FIFTH,
    compute_seal,
    get_snapshot,
    get_world,
    join,
    read,
    split,
)


def refuse(data: bytes, trust: Trust | None = None) -> SnapshotRefused:
    with pytest.raises(SnapshotRefused) as caught:
        read(data, trust)
    return caught.value


def get_places(kind: ChunkKind) -> list[int]:
    return [place for place, chunk in enumerate(split(get_snapshot())) if chunk[0] is kind]


def test_snapshot_says_block_validators_and_changes() -> None:
    world, data = get_world(), get_snapshot()
    summary = read(data)
    head = world.chain.head
    assert summary.manifest.header == head
    assert summary.validators == world.chain.get_validators(head)
    assert summary.changes == 2
    assert summary.size_bytes == len(data)
    assert summary.seal == compute_seal(data)
    described = describe_snapshot(io.BytesIO(data))
    assert (described.parts, described.seal) == (summary.parts, summary.seal)
    assert join(split(data)) == data


def test_snapshot_of_an_older_block_of_an_archive_is_that_block() -> None:
    world = get_world()
    for height in range(1, int(world.chain.head.number) + 1):
        data, made = world.export(height=height)
        summary = read(data)
        assert made.number == height
        header = world.chain.get_header(height)
        assert header is not None
        assert summary.manifest.header == header
        assert summary.validators == world.chain.get_validators(header)
        assert (FIFTH in summary.validators) == (summary.changes == 1)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_snapshot_with_a_changed_byte_is_refused(data: st.DataObject) -> None:
    whole = bytearray(get_snapshot())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SnapshotRefused):
        describe_snapshot(io.BytesIO(bytes(whole)))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_snapshot_cut_or_lengthened_is_refused(data: st.DataObject) -> None:
    whole = get_snapshot()
    length = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(SnapshotRefused):
        describe_snapshot(io.BytesIO(whole[:length]))
    with pytest.raises(SnapshotRefused, match="behind its end"):
        describe_snapshot(io.BytesIO(whole + data.draw(st.binary(min_size=1, max_size=40))))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_snapshot_changed_by_a_forger_who_mends_the_checksums_is_refused(
    data: st.DataObject,
) -> None:
    chunks = split(get_snapshot())
    place = data.draw(st.integers(0, len(chunks) - 1))
    kind, payload = chunks[place]
    changed = bytearray(payload)
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    chunks[place] = (kind, bytes(changed))
    refuse(join(chunks))


@pytest.mark.parametrize("kind", [ChunkKind.MANIFEST, ChunkKind.SET_CHANGE, ChunkKind.HEADERS])
def test_snapshot_with_any_byte_of_its_history_changed_is_refused(
    kind: ChunkKind, pytestconfig: pytest.Config
) -> None:
    """Every 29th byte meets all places of a word of 32; every third is tried with `--long`."""
    step = 3 if pytestconfig.getoption("--long") else 29
    chunks = split(get_snapshot())
    place = get_places(kind)[0]
    payload = chunks[place][1]
    for position in range(0, len(payload), step):
        changed = bytearray(payload)
        changed[position] ^= 1 << position % 8
        chunks[place] = (kind, bytes(changed))
        refuse(join(chunks))


def test_snapshot_without_a_chunk_or_with_one_twice_is_refused() -> None:
    chunks = split(get_snapshot())
    for place in range(len(chunks) - 1):
        refuse(join(chunks[:place] + chunks[place + 1 :]))
        refuse(join([*chunks[: place + 1], *chunks[place:]]))


def test_snapshot_without_its_set_changes_is_refused_by_the_seals() -> None:
    chunks = split(get_snapshot())
    manifest = replace(decode_manifest(chunks[0][1]), changes=0)
    kept = [chunk for chunk in chunks if chunk[0] is not ChunkKind.SET_CHANGE]
    kept[0] = (ChunkKind.MANIFEST, encode_manifest(manifest))
    # The last set is the first again, under another number: the headers between tell.
    error = refuse(join(kept))
    assert error.field is not None
    assert error.field.startswith("header")


@pytest.mark.parametrize("number", [0, 2])
def test_snapshot_whose_sets_go_back_is_refused(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a quorum that turned its back on its own ledger could seal such a block."""
    numbers = iter((2, 3))

    def claim(_change: SetChange, _validators: object) -> int:
        return next(numbers, number)

    monkeypatch.setattr(reader, "validate_set_change", claim)
    assert "goes back to validator set" in str(refuse(get_snapshot()))


def test_snapshot_names_the_part_of_the_state_that_is_wrong() -> None:
    chunks = split(get_snapshot())
    place = get_places(ChunkKind.STATE)[0]
    payload = bytearray(chunks[place][1])
    payload[4] ^= 1  # the first byte of the root node
    chunks[place] = (ChunkKind.STATE, bytes(payload))
    error = refuse(join(chunks))
    assert error.field == "state part 1"
    assert "account node" in str(error)


def test_snapshot_of_another_network_is_refused_by_name() -> None:
    world = get_world()
    other = replace(world.genesis, genesis_hash=Hash32(b"\x07" * 32))
    assert refuse(get_snapshot(), Trust(genesis=other)).field == "genesis hash"
    other = replace(world.genesis, chain_id=7)
    assert refuse(get_snapshot(), Trust(genesis=other)).field == "chain id"


def test_snapshot_is_held_against_checkpoints() -> None:
    world = get_world()
    for height in range(1, int(world.chain.head.number) + 1):
        block_hash = world.chain.get_block_hash(height)
        assert block_hash is not None
        known = {height: block_hash}
        trust = Trust(genesis=world.genesis, pinned=frozenset((block_hash,)), known=known)
        assert read(get_snapshot(), trust).manifest.header == world.chain.head
    stranger = Hash32(b"\x09" * 32)
    error = refuse(get_snapshot(), Trust(genesis=world.genesis, pinned=frozenset((stranger,))))
    assert error.field == "checkpoint"
    assert stranger.hex() in str(error)
    error = refuse(get_snapshot(), Trust(genesis=world.genesis, known={3: stranger}))
    assert error.field == "checkpoint"
    # What lies after the snapshot is compared when the node gets there.
    read(get_snapshot(), Trust(genesis=world.genesis, known={10_000: stranger}))


def test_snapshot_of_another_version_says_so() -> None:
    data = bytearray(get_snapshot())
    data[16] = 9
    assert refuse(bytes(data)).field == "version"
    assert refuse(b"something else").field == "file"

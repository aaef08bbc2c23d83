"""Both stores: the same answers, whole batches, and damage by its name."""

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from node.storage import keys
from node.storage.errors import StoreBusy, StoreDamaged, StoreError
from node.storage.kv import KeyValueStore, WriteBatch
from node.storage.level import LevelStore
from node.storage.memory import MemoryStore

byte_strings = st.binary(max_size=4).map(lambda data: bytes(byte & 0x83 for byte in data))


@pytest.fixture(params=["memory", "level"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyValueStore]:
    opened: KeyValueStore = (
        MemoryStore() if request.param == "memory" else LevelStore(tmp_path / "store")
    )
    yield opened
    opened.close()
    opened.close()


def make_batch(entries: dict[bytes, bytes | None]) -> WriteBatch:
    return WriteBatch(entries=dict(entries))


def test_store_gives_back_what_was_written(store: KeyValueStore) -> None:
    batch = WriteBatch()
    batch.put(b"a1", b"one")
    batch.put(b"a2", b"two")
    batch.delete(b"a1")
    store.write(batch, kind="test")
    assert batch.size_bytes == 7
    assert store.get(b"a1") is None
    assert store.get(b"a2") == b"two"
    store.write(make_batch({b"a2": None, b"zz": b""}), kind="test")
    assert store.get(b"a2") is None
    assert store.get(b"zz") == b""


def test_store_iterates_a_table_in_order_from_either_end(store: KeyValueStore) -> None:
    names = [b"h" + keys.encode_height(height) for height in (1, 2, 255, 256, 65_536)]
    store.write(
        make_batch({**{name: name for name in names}, b"g": b"", b"i": b"", b"h\xff": b"x"}),
        kind="test",
    )
    assert [key for key, _ in store.iterate(b"h")] == [*names, b"h\xff"]
    start = keys.encode_height(2)
    assert [key for key, _ in store.iterate(b"h", start=start)] == [*names[1:], b"h\xff"]
    backwards = [key for key, _ in store.iterate(b"h", start=start, reverse=True)]
    assert backwards == [b"h\xff", *reversed(names[1:])]
    assert not list(store.iterate(b"q"))


@settings(max_examples=40)
@example(history=[{b"p1": b"value"}], prefix=b"p", start=b"1", is_reverse=True)
@example(history=[{b"p": b"value"}], prefix=b"p", start=b"", is_reverse=True)
@given(
    history=st.lists(
        st.dictionaries(byte_strings.filter(bool), st.one_of(byte_strings, st.none())), max_size=5
    ),
    prefix=byte_strings,
    start=byte_strings,
    is_reverse=st.booleans(),
)
def test_stores_agree_on_any_history(
    tmp_path_factory: pytest.TempPathFactory,
    history: list[dict[bytes, bytes | None]],
    prefix: bytes,
    start: bytes,
    is_reverse: bool,
) -> None:
    memory, level = MemoryStore(), LevelStore(tmp_path_factory.mktemp("level"))
    for entries in history:
        memory.write(make_batch(entries), kind="test")
        level.write(make_batch(entries), kind="test")
    expected = list(memory.iterate(prefix, start=start, reverse=is_reverse))
    assert list(level.iterate(prefix, start=start, reverse=is_reverse)) == expected
    level.close()


def _open_elsewhere(path: str, answers: "multiprocessing.Queue[str]") -> None:
    try:
        LevelStore(Path(path))
    except StoreBusy as error:
        answers.put(str(error))
    else:
        answers.put("opened")


@pytest.mark.processes
def test_frozen_view_sees_nothing_of_what_comes_later(tmp_path: Path) -> None:
    store = LevelStore(tmp_path / "store")
    store.write(make_batch({b"a1": b"one", b"a2": b"two", b"b1": b"other"}), kind="test")
    with store.freeze() as frozen:
        store.write(make_batch({b"a1": None, b"a2": b"new", b"a3": b"three"}), kind="test")
        store.compact()
        assert (frozen.get(b"a1"), frozen.get(b"a2"), frozen.get(b"a3")) == (b"one", b"two", None)
        assert list(frozen.iterate(b"a")) == [(b"a1", b"one"), (b"a2", b"two")]
        backwards = frozen.iterate(b"a", start=b"2", reverse=True)
        assert list(backwards) == [(b"a2", b"two")]
    assert list(store.iterate(b"a")) == [(b"a2", b"new"), (b"a3", b"three")]
    store.close()


def test_store_in_use_by_another_process_is_named_busy(tmp_path: Path) -> None:
    store = LevelStore(tmp_path / "store")
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[str] = context.Queue()
    process = context.Process(target=_open_elsewhere, args=(str(tmp_path / "store"), answers))
    process.start()
    answer = answers.get(timeout=120)
    process.join(timeout=120)
    store.close()
    assert "in use by another process" in answer
    assert "two nodes must never share" in answer


def write_some(path: Path, batches: int = 20) -> None:
    store = LevelStore(path)
    for number in range(batches):
        store.write(make_batch({b"k%d" % number: b"value %d" % number * 50}), kind="test")
    store.close()


def test_flipped_bit_in_the_log_is_named_damage(tmp_path: Path) -> None:
    path = tmp_path / "store"
    write_some(path)
    log = next(path.glob("*.log"))
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 0x10
    log.write_bytes(content)
    with pytest.raises(StoreDamaged, match="move the folder away"):
        LevelStore(path)


def test_flipped_bit_in_a_table_is_named_damage(tmp_path: Path) -> None:
    path = tmp_path / "store"
    write_some(path)
    store = LevelStore(path)
    store.compact()
    store.close()
    table = next(iter([*path.glob("*.ldb"), *path.glob("*.sst")]))
    content = bytearray(table.read_bytes())
    content[len(content) // 3] ^= 0x10
    table.write_bytes(content)
    with pytest.raises(StoreDamaged):
        _read_all(path)


def _read_all(path: Path) -> None:
    store = LevelStore(path)
    try:
        for key, value in store.iterate(b"k"):
            assert store.get(key) == value
    finally:
        store.close()


def test_lost_manifest_is_named_damage(tmp_path: Path) -> None:
    path = tmp_path / "blockchain"
    write_some(path)
    next(path.glob("MANIFEST*")).unlink()
    with pytest.raises(StoreDamaged):
        LevelStore(path)


def test_folder_that_cannot_be_made_is_an_error_of_its_own(tmp_path: Path) -> None:
    blocked = tmp_path / "blockchain"
    blocked.write_text("a file stands here")
    with pytest.raises(StoreError) as caught:
        LevelStore(blocked / "store")
    assert not isinstance(caught.value, StoreBusy | StoreDamaged)


@given(height=st.integers(0, 2**64 - 1), index=st.integers(0, 2**32 - 1))
def test_place_of_a_transaction_survives_its_encoding(height: int, index: int) -> None:
    assert keys.decode_place(keys.encode_place(height, index)) == (height, index)

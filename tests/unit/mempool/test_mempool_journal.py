"""Durability: what was acknowledged survives; a torn end is forgiven, a damaged middle is not."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.mempool import JournalDamaged, JournalFailed, Mempool
from node.mempool.journal import Journal, JournalRecord
from tests.unit.mempool.mempool_world import Signer, World

OpenMempool = Callable[..., Awaitable[Mempool]]


def record(number: int, size: int = 20) -> JournalRecord:
    return JournalRecord(raw=bytes([number]) * size, acknowledged=number % 2 == 0)


def read(path: Path) -> tuple[JournalRecord, ...]:
    journal = Journal(path)
    try:
        return journal.open()
    finally:
        journal.close()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    opened = Journal(tmp_path / "journal")
    opened.open()
    return opened


def test_journal_returns_what_was_appended(journal: Journal, tmp_path: Path) -> None:
    journal.append([record(1), record(2)])
    journal.append([record(3, size=0)])
    journal.close()
    assert read(tmp_path / "journal") == (record(1), record(2), record(3, size=0))


def test_journal_forgives_every_torn_end(journal: Journal, tmp_path: Path) -> None:
    journal.append([record(1)])
    safe = journal.size_bytes
    journal.append([record(2), record(3)])
    journal.close()
    data = (tmp_path / "journal").read_bytes()
    for end in range(safe, len(data)):
        torn = tmp_path / "torn"
        torn.write_bytes(data[:end])
        assert read(torn) == (record(1),)
        assert torn.stat().st_size == safe
    for end in range(len(b"atesta mempool journal 1\n")):
        torn.write_bytes(data[:end])
        assert read(torn) == ()


@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_journal_refuses_every_flipped_bit_before_the_last_frame(position: int, bit: int) -> None:
    path = Path(os.environ["PYTEST_JOURNAL_FOLDER"]) / "flipped"
    path.unlink(missing_ok=True)
    journal = Journal(path)
    journal.open()
    for number in range(4):
        journal.append([record(number)])
    last = journal.size_bytes - (20 + 5 + 12)
    journal.close()
    data = bytearray(path.read_bytes())
    data[position % last] ^= 1 << bit
    path.write_bytes(data)
    with pytest.raises(JournalDamaged):
        read(path)


@pytest.fixture(autouse=True)
def journal_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["PYTEST_JOURNAL_FOLDER"] = str(tmp_path_factory.getbasetemp())


def test_journal_replaces_its_content_in_one_step(journal: Journal, tmp_path: Path) -> None:
    journal.append([record(number) for number in range(10)])
    journal.replace([record(4)])
    journal.append([record(5)])
    journal.close()
    assert read(tmp_path / "journal") == (record(4), record(5))


def test_journal_that_failed_once_takes_nothing_more(journal: Journal) -> None:
    os.close(journal._descriptor)
    with pytest.raises(JournalFailed):
        journal.append([record(1)])
    with pytest.raises(JournalFailed, match="earlier write failed"):
        journal.append([record(1)])
    journal._descriptor = -1


async def test_mempool_restores_acknowledged_transactions(
    open_mempool: OpenMempool, issuer: Signer, world: World
) -> None:
    mempool = await open_mempool()
    sent = await asyncio.gather(*(mempool.add(issuer.sign(nonce)) for nonce in range(20)))
    await mempool.close()
    world.nonces[issuer.address] = 5  # blocks came while the node was down
    again = await open_mempool()
    assert again.get_all() == tuple(sent[5:])
    assert again.next_nonce(issuer.address) == 20
    assert len(again.take_stale()) == 15
    assert again.take_stale() == ()


async def test_mempool_is_durable_before_it_answers(
    open_mempool: OpenMempool, issuer: Signer, tmp_path: Path
) -> None:
    mempool = await open_mempool()
    transaction = await mempool.add(issuer.sign(0))
    copy = tmp_path / "copy"
    copy.write_bytes((tmp_path / "mempool.journal").read_bytes())
    assert [item.raw for item in read(copy)] == [transaction.raw]


async def test_mempool_restores_the_replacement_not_the_replaced(
    open_mempool: OpenMempool, issuer: Signer, world: World
) -> None:
    world.balances[issuer.address] = 10**18
    mempool = await open_mempool()
    await mempool.add(issuer.sign(0, price=100))
    better = await mempool.add(issuer.sign(0, price=200))
    await mempool.close()
    again = await open_mempool()
    assert again.get_all() == (better,)


async def test_mempool_compacts_a_dead_journal(
    open_mempool: OpenMempool, issuer: Signer, world: World, tmp_path: Path
) -> None:
    mempool = await open_mempool()
    for start in range(0, 40, 10):
        sent = await asyncio.gather(
            *(
                mempool.add(issuer.sign(nonce, data=b"\x00" * 60_000, gas=1_000_000))
                for nonce in range(start, start + 10)
            )
        )
        world.finalise(mempool, *(transaction.hash for transaction in sent))
    kept = await mempool.add(issuer.sign(40))
    assert (tmp_path / "mempool.journal").stat().st_size < 1_300_000
    await mempool.close()
    again = await open_mempool()
    assert again.get_all() == (kept,)


async def test_mempool_refuses_to_acknowledge_when_the_disk_fails(
    open_mempool: OpenMempool, issuer: Signer
) -> None:
    mempool = await open_mempool()
    descriptor = mempool._journal._descriptor
    mempool._journal._descriptor = os.open("/dev/full", os.O_WRONLY)
    os.close(descriptor)
    with pytest.raises(JournalFailed) as caught:
        await mempool.add(issuer.sign(0))
    assert caught.value.next_step is not None
    assert mempool.get_status().pending == 0


async def test_mempool_notifies_once_per_transaction(
    open_mempool: OpenMempool, issuer: Signer, recipient: Signer
) -> None:
    mempool = await open_mempool()
    seen: list[tuple[bytes, bool]] = []
    mempool.subscribe(lambda added: seen.append((added.transaction.raw, added.from_peer)))
    await mempool.add(issuer.sign(0))
    mempool.add_from_peer([issuer.sign(0), recipient.sign(0)])
    assert seen == [(issuer.sign(0), False), (recipient.sign(0), True)]

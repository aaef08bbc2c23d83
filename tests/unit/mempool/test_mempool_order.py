"""The order of a block: nonces within a sender, fairness between senders, no starvation."""

from collections.abc import Awaitable, Callable

from hypothesis import given
from hypothesis import strategies as st

from node.chain.transactions import decode_transaction
from node.mempool import Mempool
from node.mempool.fairness import TimeAccounts, compute_pause_s, order_fairly
from node.mempool.pool import Entry
from tests.unit.mempool.mempool_world import Signer, World

OpenMempool = Callable[..., Awaitable[Mempool]]

ISSUER = Signer("issuer")
RECIPIENT = Signer("recipient")
SIGNERS = [Signer(f"agency {number}") for number in range(3)]
RUNS = {
    signer.address: [
        Entry(
            transaction=decode_transaction(signer.sign(nonce)),
            acknowledged=True,
            arrived_at_s=0.0,
        )
        for nonce in range(12)
    ]
    for signer in SIGNERS
}


@given(
    lengths=st.lists(st.integers(0, 12), min_size=3, max_size=3),
    debts=st.lists(st.floats(0, 5), min_size=3, max_size=3),
)
def test_order_fairly_keeps_nonces_and_loses_nothing(
    lengths: list[int], debts: list[float]
) -> None:
    accounts = TimeAccounts()
    for signer, debt in zip(SIGNERS, debts, strict=True):
        accounts.charge(signer.address, debt, 0.0)
    runs = [
        (signer.address, RUNS[signer.address][:length])
        for signer, length in zip(SIGNERS, lengths, strict=True)
    ]
    ordered = [entry.transaction for entry in order_fairly(runs, accounts, 0.0)]
    assert len(ordered) == sum(lengths)
    for signer, length in zip(SIGNERS, lengths, strict=True):
        nonces = [item.nonce for item in ordered if item.sender == signer.address]
        assert nonces == list(range(length))


async def test_candidates_alternate_between_equal_senders(open_mempool: OpenMempool) -> None:
    mempool = await open_mempool()
    for signer in (ISSUER, RECIPIENT):
        for nonce in range(3):
            await mempool.add(signer.sign(nonce))
    senders = [transaction.sender for transaction in mempool.candidates()]
    assert senders == [ISSUER.address, RECIPIENT.address] * 3


async def test_candidates_put_an_expensive_stranger_behind_records(
    open_mempool: OpenMempool,
) -> None:
    mempool = await open_mempool()
    heavy = await mempool.add(RECIPIENT.sign(0, gas=3_000_000))
    light = [await mempool.add(ISSUER.sign(nonce)) for nonce in range(5)]
    assert list(mempool.candidates()) == [*light, heavy]


async def test_candidates_put_who_used_the_time_last(
    open_mempool: OpenMempool, world: World
) -> None:
    mempool = await open_mempool()
    slow = await mempool.add(ISSUER.sign(0))
    run = mempool.candidates()
    for _ in run:
        world.now_s += 0.4
    mempool.finish_build(run, given_up=(), budget_s=0.5)
    world.finalise(mempool, slow.hash)
    again = await mempool.add(ISSUER.sign(1))
    records = [await mempool.add(RECIPIENT.sign(nonce)) for nonce in range(4)]
    assert list(mempool.candidates()) == [*records, again]
    world.now_s += 300.0  # old debts are forgotten
    assert next(iter(mempool.candidates())) in (again, records[0])
    assert list(mempool.candidates())[:2].count(again) == 1


async def test_transaction_that_overran_rests_and_returns(
    open_mempool: OpenMempool, world: World
) -> None:
    mempool = await open_mempool()
    poison = await mempool.add(ISSUER.sign(0))
    run = mempool.candidates()
    iterator = iter(run)
    next(iterator)
    world.now_s += 0.5
    iterator.close()  # type: ignore[attr-defined]
    mempool.finish_build(run, given_up=(), budget_s=0.5)
    assert not mempool.has_candidates()
    assert list(mempool.candidates()) == []
    assert mempool.get(poison.hash) is not None
    world.now_s += compute_pause_s(1) + 0.1
    assert mempool.has_candidates()
    assert list(mempool.candidates()) == [poison]
    # Its sender may put something else in its place, although the price is zero.
    other = await mempool.add(ISSUER.sign(0, data=b"\x02"))
    assert list(mempool.candidates()) == [other]


async def test_candidates_leave_out_who_lost_permission(
    open_mempool: OpenMempool, world: World
) -> None:
    mempool = await open_mempool()
    creation = await mempool.add(ISSUER.sign(0, to=None))
    world.deployers.clear()
    assert list(mempool.candidates()) == []
    world.deployers.add(ISSUER.address)
    assert list(mempool.candidates()) == [creation]
    world.senders.remove(ISSUER.address)
    assert list(mempool.candidates()) == []
    assert not mempool.has_candidates()
    world.senders.add(ISSUER.address)
    assert list(mempool.candidates()) == [creation]


async def test_transaction_that_the_builder_gave_up_rests(
    open_mempool: OpenMempool, world: World
) -> None:
    mempool = await open_mempool()
    poison = await mempool.add(ISSUER.sign(0))
    record = await mempool.add(RECIPIENT.sign(0))
    run = mempool.candidates()
    list(run)
    mempool.finish_build(run, given_up=(poison.hash,), budget_s=0.5)
    assert list(mempool.candidates()) == [record]
    world.now_s += compute_pause_s(1) + 0.1
    assert set(mempool.candidates()) == {poison, record}


def test_pause_doubles_up_to_a_bound() -> None:
    pauses = [compute_pause_s(times) for times in range(1, 12)]
    assert pauses[:3] == [4.0, 8.0, 16.0]
    assert pauses[-1] == 600.0

"""What consensus asks of chain and mempool: permissions anew, time learned from, deadlines set."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any, cast

import pytest

from consensus.types import Address
from node.chain.deadline import Deadline
from node.chain.results import BuiltBlock, DroppedTransaction, DropReason
from node.chain.transactions import Transaction
from node.daemon.blocks import ChainBlocks
from node.daemon.worker import Worker
from tests.unit.mempool.mempool_world import Signer, World

ISSUER = Signer("issuer")
RECIPIENT = Signer("recipient")
BLOCK: Any = "a block"


class FakeChain:
    """Notes what it was asked for."""

    def __init__(self) -> None:
        self.offered: list[tuple[Transaction, bool]] = []
        self.deadlines: list[Deadline] = []
        self.drop: DropReason | None = None

    def build_block(
        self,
        *,
        candidates: Iterable[Transaction],
        deadline: Deadline,
        is_permitted: Any,
        **_rest: Any,
    ) -> BuiltBlock:
        self.deadlines.append(deadline)
        self.offered = [(item, is_permitted(item)) for item in candidates]
        dropped: tuple[DroppedTransaction, ...] = ()
        if self.drop is not None:
            dropped = tuple(
                DroppedTransaction(transaction=item, reason=self.drop) for item, _ in self.offered
            )
        return BuiltBlock(block=BLOCK, dropped=dropped)

    def validate_block(self, _block: Any, *, deadline: Deadline) -> None:
        self.deadlines.append(deadline)


class Bench:
    """A factory over a fake chain and a real mempool."""

    def __init__(self, world: World, factory: ChainBlocks, chain: FakeChain, mempool: Any) -> None:
        self.world = world
        self.factory = factory
        self.chain = chain
        self.mempool = mempool

    async def build(self) -> Any:
        return await self.factory.build(
            parent=cast("Any", None),
            timestamp=1,
            coinbase=Address(bytes(20)),
            extra_data=b"",
            budget_s=0.5,
        )


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    world = World(senders={ISSUER.address, RECIPIENT.address}, deployers={ISSUER.address})
    mempool = world.make_mempool(tmp_path)
    await mempool.open()
    worker, chain = Worker(), FakeChain()
    factory = ChainBlocks(
        chain=cast("Any", chain), mempool=mempool, registry=cast("Any", world), worker=worker
    )
    yield Bench(world, factory, chain, mempool)
    await mempool.close()
    await worker.close(timeout_s=5)


async def test_build_offers_candidates_within_its_time(bench: Bench) -> None:
    first = await bench.mempool.add(ISSUER.sign(0))
    assert await bench.build() is BLOCK
    assert bench.chain.offered == [(first, True)]
    assert 0 < bench.chain.deadlines[0].remaining_s <= 0.5


async def test_build_asks_for_permission_anew(bench: Bench) -> None:
    await bench.mempool.add(RECIPIENT.sign(0))
    creation = await bench.mempool.add(ISSUER.sign(0, to=None))
    run = list(bench.mempool.candidates())
    assert creation in run
    bench.world.deployers.clear()
    assert not bench.factory._is_permitted(creation)
    bench.world.senders.remove(RECIPIENT.address)
    await bench.build()
    assert bench.chain.offered == []


@pytest.mark.parametrize("reason", [DropReason.TOO_SLOW, DropReason.CANNOT_PAY])
async def test_what_the_builder_gives_up_rests_and_is_not_forgotten(
    bench: Bench, reason: DropReason
) -> None:
    slow = await bench.mempool.add(ISSUER.sign(0))
    bench.chain.drop = reason
    await bench.build()
    assert bench.mempool.get(slow.hash) is not None
    assert not bench.factory.has_transactions()


async def test_validate_counts_the_time_from_the_call(bench: Bench) -> None:
    await bench.factory.validate(BLOCK, budget_s=0.25)
    assert bench.chain.deadlines[0].remaining_s <= 0.25

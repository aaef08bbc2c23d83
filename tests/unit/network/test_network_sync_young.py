"""Block sync beside a node that started from a snapshot: no old blocks there, and no blame."""

import pytest

from consensus.block import Block
from consensus.types import Hash32
from tests.unit.network.network_world import (
    FakeChain,
    History,
    Node,
    World,
    connect,
    make_history,
    until,
)


class YoungChain(FakeChain):
    """Has no blocks before the last hundred."""

    def get_block(self, number_or_hash: int | Hash32, /) -> Block | None:
        assert isinstance(number_or_hash, int)
        is_old = 0 < number_or_hash < len(self.blocks) - 100
        return None if is_old else super().get_block(number_or_hash)


@pytest.fixture(scope="module")
def history() -> History:
    return make_history(420)


def get_height(node: Node) -> int:
    return node.chain.head.number


async def test_node_without_old_blocks_is_passed_over_without_blame(
    world: World, history: History
) -> None:
    young = await world.start("young", chain=YoungChain(history, 400))
    new = await world.start("new")
    await connect(young, new)
    for height in range(401, 411):  # heads go on, as they do
        young.chain.import_block(history.blocks[height])
        young.network.on_head(young.chain.head)
    await until(
        lambda: new.get_peer(young).head_number == 410 or new.get_peer(young).head_number == 0
    )
    assert get_height(new) == 0
    assert new.get_peer(young).score == 0
    whole = await world.start("whole", chain=FakeChain(history, 410))
    await connect(whole, new)
    await until(lambda: get_height(new) == 410)
    assert new.is_connected(young)
    assert new.get_peer(young).score == 0

"""What a proposer decides by itself: the gas limit, and how much goes into a block."""

from dataclasses import replace

import pytest

from tests.unit.chain.chain_world import ChainWorld


@pytest.mark.parametrize("direction", [-1, 1])
def test_gas_limit_that_a_proposer_pushed_away_comes_back(direction: int) -> None:
    world = ChainWorld()
    wanted = world.chain.head.gas_limit
    for _ in range(3):
        limit = world.chain.head.gas_limit
        block = world.build().block
        pushed = replace(block.header, gas_limit=limit + direction * (limit // 1_024 - 1))
        world.chain.import_block(world.seal(replace(block, header=pushed)))
    assert (world.chain.head.gas_limit - wanted) * direction > 80_000
    for _ in range(4):
        world.grow()
    assert world.chain.head.gas_limit == wanted

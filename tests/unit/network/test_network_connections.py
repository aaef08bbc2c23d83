from tests.unit.network.network_world import World, until


async def test_two_nodes_connect(world: World) -> None:
    a, b = await world.start_connected("a", "b")
    a.network.broadcast_consensus(0x13, b"hello")
    await until(lambda: b.consensus == [(0x13, b"hello")])

"""What is refused, with which field and code, and that a refusal changes nothing."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from node.errors import PeerFault
from node.mempool import Mempool, MempoolRefusal
from tests.unit.mempool.mempool_world import CHAIN_ID, Signer, World

OpenMempool = Callable[..., Awaitable[Mempool]]


async def refuse(mempool: Mempool, raw: bytes) -> MempoolRefusal:
    before = mempool.get_status()
    with pytest.raises(MempoolRefusal) as caught:
        await mempool.add(raw)
    assert mempool.get_status() == before
    return caught.value


async def test_mempool_takes_a_permitted_transaction(
    open_mempool: OpenMempool, issuer: Signer
) -> None:
    mempool = await open_mempool()
    transaction = await mempool.add(issuer.sign(0))
    assert transaction.sender == issuer.address
    assert mempool.get(transaction.hash) == transaction
    assert mempool.next_nonce(issuer.address) == 1


async def test_mempool_refuses_a_stranger(open_mempool: OpenMempool, stranger: Signer) -> None:
    refusal = await refuse(await open_mempool(), stranger.sign(0))
    assert (refusal.field, refusal.code) == ("from", "sender_not_permitted")


async def test_mempool_refuses_a_contract_from_who_may_only_send(
    open_mempool: OpenMempool, recipient: Signer, issuer: Signer
) -> None:
    mempool = await open_mempool()
    refusal = await refuse(mempool, recipient.sign(0, to=None))
    assert (refusal.field, refusal.code) == ("to", "deploy_not_permitted")
    await mempool.add(issuer.sign(0, to=None))


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"chain_id": CHAIN_ID + 1}, "chainId", "wrong_chain"),
        ({"gas": 3_000_001}, "gas", "gas_too_high"),
        ({"gas": 21_000}, "gas", "gas_too_low"),
        ({"price": 1}, "value", "insufficient_funds"),
        ({"value": 1}, "value", "insufficient_funds"),
        ({"nonce": 65}, "nonce", "nonce_too_high"),
    ],
)
async def test_mempool_refuses_naming_the_field(
    open_mempool: OpenMempool, issuer: Signer, change: dict[str, Any], field: str, code: str
) -> None:
    arguments = {"nonce": 0, **change}
    refusal = await refuse(await open_mempool(), issuer.sign(**arguments))
    assert (refusal.field, refusal.code) == (field, code)


async def test_mempool_refuses_a_used_nonce_and_names_the_next(
    open_mempool: OpenMempool, issuer: Signer, world: World
) -> None:
    world.nonces[issuer.address] = 7
    refusal = await refuse(await open_mempool(), issuer.sign(6))
    assert refusal.code == "nonce_too_low"
    assert "the next is 7" in refusal.reason


async def test_mempool_refuses_what_is_no_transaction(open_mempool: OpenMempool) -> None:
    refusal = await refuse(await open_mempool(), b"\x02not a transaction")
    assert refusal.code == "malformed"


async def test_mempool_refuses_oversize(open_mempool: OpenMempool, issuer: Signer) -> None:
    mempool = await open_mempool(max_transaction_bytes=1_000)
    refusal = await refuse(mempool, issuer.sign(0, data=b"\x00" * 1_000))
    assert refusal.code == "too_large"


async def test_mempool_acknowledges_the_same_transaction_again(
    open_mempool: OpenMempool, issuer: Signer, world: World
) -> None:
    mempool = await open_mempool()
    first = await mempool.add(issuer.sign(0))
    assert await mempool.add(issuer.sign(0)) == first
    assert mempool.get_status().pending == 1
    world.finalise(mempool, first.hash)
    assert await mempool.add(issuer.sign(0)) == first
    assert mempool.get_status().pending == 0


async def test_mempool_replaces_only_for_a_better_price(
    open_mempool: OpenMempool, issuer: Signer, world: World
) -> None:
    world.balances[issuer.address] = 10**18
    mempool = await open_mempool()
    first = await mempool.add(issuer.sign(0, price=100))
    refusal = await refuse(mempool, issuer.sign(0, price=109))
    assert refusal.code == "replacement_underpriced"
    second = await mempool.add(issuer.sign(0, price=110))
    assert mempool.get(first.hash) is None
    assert mempool.get(second.hash) == second
    assert mempool.add_from_peer([first.raw]) == 0


async def test_mempool_never_replaces_at_price_zero(
    open_mempool: OpenMempool, issuer: Signer
) -> None:
    mempool = await open_mempool()
    first = await mempool.add(issuer.sign(0))
    refusal = await refuse(mempool, issuer.sign(0, data=b"\x02"))
    assert (refusal.field, refusal.code) == ("nonce", "replacement_refused")
    assert mempool.get(first.hash) is not None


async def test_mempool_full_refuses_the_new_and_keeps_the_acknowledged(
    open_mempool: OpenMempool, issuer: Signer, recipient: Signer
) -> None:
    mempool = await open_mempool(max_transactions=3, max_sender_transactions=2)
    kept = [await mempool.add(issuer.sign(nonce)) for nonce in (0, 1)]
    assert (await refuse(mempool, issuer.sign(2))).code == "sender_full"
    kept.append(await mempool.add(recipient.sign(0)))
    assert (await refuse(mempool, recipient.sign(1))).code == "mempool_full"
    assert all(mempool.get(transaction.hash) for transaction in kept)


async def test_mempool_makes_room_only_at_the_cost_of_gossip(
    open_mempool: OpenMempool, issuer: Signer, recipient: Signer
) -> None:
    mempool = await open_mempool(max_transactions=2)
    assert mempool.add_from_peer([recipient.sign(0), recipient.sign(1)]) == 2
    assert mempool.add_from_peer([recipient.sign(2)]) == 0
    await mempool.add(issuer.sign(0))
    await mempool.add(issuer.sign(1))
    assert mempool.next_nonce(recipient.address) == 0
    assert (await refuse(mempool, issuer.sign(2))).code == "mempool_full"


async def test_mempool_bounds_bytes(
    open_mempool: OpenMempool, issuer: Signer, recipient: Signer
) -> None:
    size = len(issuer.sign(0))
    mempool = await open_mempool(max_bytes=3 * size, max_sender_bytes=2 * size)
    await mempool.add(issuer.sign(0))
    await mempool.add(issuer.sign(1))
    assert (await refuse(mempool, issuer.sign(2))).code == "sender_full"
    await mempool.add(recipient.sign(0))
    assert (await refuse(mempool, recipient.sign(1))).code == "mempool_full"


async def test_mempool_lets_a_final_block_make_room_and_close_gaps(
    open_mempool: OpenMempool, issuer: Signer, world: World
) -> None:
    mempool = await open_mempool()
    later = await mempool.add(issuer.sign(1))
    assert not mempool.is_ready(later)
    assert mempool.next_nonce(issuer.address) == 0
    assert mempool.get_status().queued == 1
    first = await mempool.add(issuer.sign(0))
    assert mempool.is_ready(later)
    world.finalise(mempool, first.hash, later.hash)
    assert mempool.get_all() == ()
    assert mempool.next_nonce(issuer.address) == 2


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_mempool_blames_a_peer_for_bytes_that_are_no_transaction(
    open_mempool: OpenMempool, issuer: Signer, recipient: Signer, place: int
) -> None:
    mempool = await open_mempool()
    raws = [issuer.sign(0), recipient.sign(0)]
    unsigned = issuer.sign(7)[:-32] + b"\xff" * 32  # its `s` is outside the group order
    for junk in (b"", b"\x02junk", unsigned):
        with pytest.raises(PeerFault):
            mempool.add_from_peer([*raws[:place], junk, *raws[place:]])
    assert len(mempool.get_all()) == 2, "what was good is taken"


async def test_mempool_blames_no_peer_for_what_another_node_may_judge_otherwise(
    open_mempool: OpenMempool, issuer: Signer, stranger: Signer
) -> None:
    mempool = await open_mempool(max_transaction_bytes=2_000)
    refused = [
        stranger.sign(0),
        issuer.sign(0, gas=3_000_001),
        issuer.sign(0, data=bytes(2_000)),
        issuer.sign(0, chain_id=CHAIN_ID + 1),
        b"\x03" + bytes(40),
        b"\x7e" + bytes(40),
    ]
    assert mempool.add_from_peer(refused) == 0


async def test_mempool_names_the_type_when_it_refuses_a_blob_transaction(
    open_mempool: OpenMempool,
) -> None:
    refusal = await refuse(await open_mempool(), b"\x03" + bytes(40))
    assert (refusal.field, refusal.code) == ("type", "unknown_type")
    assert refusal.reason.startswith("3 (blob) ")

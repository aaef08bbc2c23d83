"""What a proposer decides by itself: the gas limit, and how much goes into a block."""

from dataclasses import replace

import pytest

from consensus.block import encode_block
from node.chain import processing
from node.chain.genesis import parse_genesis
from node.chain.results import DropReason
from tests.unit.chain.chain_world import ChainWorld, make_document, make_key, sign


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


def test_block_stays_within_a_message_whatever_its_gas_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processing, "MAX_BLOCK_BYTES", 64 * 1024)
    world = ChainWorld(genesis=parse_genesis(make_document(gasLimit=hex(10**9))))
    issuer, other = make_key("issuer"), make_key("other")
    large = [
        sign(issuer, nonce=nonce, to=bytes(19) + b"\x77", data=bytes(20_000)) for nonce in range(5)
    ]
    small = sign(other, to=bytes(19) + b"\x77")
    built = world.build([*large, small])
    assert len(encode_block(built.block)) < 66 * 1024
    assert built.block.transactions == tuple(t.raw for t in (*large[:3], small))
    assert built.dropped == (), "what did not fit waits"
    world.chain.import_block(world.seal(built.block))
    assert world.build(large[3:]).block.transactions == tuple(t.raw for t in large[3:])


def test_account_with_code_sends_nothing() -> None:
    """EIP-3607: whoever holds a key that collides with a contract must not speak for it."""
    transaction = sign(make_key("issuer"), to=bytes(19) + b"\x77")
    document = make_document()
    account = {"nonce": "0x0", "balance": "0x0", "code": "0x00"}
    document["alloc"]["0x" + transaction.sender.hex()] = account
    built = ChainWorld(genesis=parse_genesis(document)).build([transaction])
    assert built.block.transactions == ()
    (dropped,) = built.dropped
    assert (dropped.transaction, dropped.reason) == (transaction, DropReason.NOT_EXECUTABLE)

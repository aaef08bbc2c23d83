"""Evidence against proposers that let strangers in: kept, bounded, newest first."""

from dataclasses import replace

from consensus.block import Block
from consensus.header import BlockHeader
from consensus.types import Address, Hash32
from node.chain.results import ImportedBlock
from node.chain.transactions import decode_transaction
from node.daemon.intruders import MAX_PER_BLOCK, IntruderEvidence, IntruderWatch, Intrusion
from node.storage.memory import MemoryStore
from tests.unit.chain.chain_world import NOTARY, ChainWorld, make_key, sign
from tests.unit.mempool.mempool_world import Signer

PROPOSER = Address(b"\x77" * 20)


def make_block(number: int) -> ImportedBlock:
    header = BlockHeader(
        parent_hash=Hash32(bytes(32)),
        ommers_hash=Hash32(bytes(32)),
        coinbase=PROPOSER,
        state_root=Hash32(bytes(32)),
        transactions_root=Hash32(bytes(32)),
        receipts_root=Hash32(bytes(32)),
        logs_bloom=bytes(256),
        difficulty=1,
        number=number,  # type: ignore[arg-type]
        gas_limit=0,
        gas_used=0,
        timestamp=0,
        extra_data=b"",
        mix_hash=Hash32(bytes(32)),
        nonce=bytes(8),
    )
    return ImportedBlock(
        block=Block(header=header, transactions=(), withdrawals=None),
        block_hash=Hash32(bytes([number]) * 32),
        receipts=(),
        transactions=(),
    )


def test_intruders_are_kept_newest_block_first() -> None:
    evidence = IntruderEvidence(MemoryStore())
    stranger = decode_transaction(Signer("stranger").sign(0))
    for number in (3, 7):
        evidence.keep(make_block(number), [stranger])
        evidence.keep(make_block(number), [stranger])
    first, second = evidence.iterate()
    assert (first.height, second.height) == (7, 3)
    assert first.proposer == PROPOSER
    assert first.block_hash == b"\x07" * 32
    assert (first.transaction_hash, first.sender) == (stranger.hash, stranger.sender)


def test_intruders_of_one_block_are_bounded() -> None:
    evidence = IntruderEvidence(MemoryStore())
    stranger = decode_transaction(Signer("stranger").sign(0))
    many = [replace(stranger, nonce=number) for number in range(MAX_PER_BLOCK + 5)]
    evidence.keep(make_block(1), many)
    assert len(list(evidence.iterate())) == MAX_PER_BLOCK


def test_sender_without_permission_is_found_in_the_block_that_let_it_in() -> None:
    world = ChainWorld()
    evidence = IntruderEvidence(MemoryStore())
    found: list[Intrusion] = []
    asked: list[BlockHeader | None] = []

    class Registry:
        def may_send(self, sender: Address, *, at: BlockHeader | None = None) -> bool:
            asked.append(at)
            return sender != stranger.sender

    stranger, member = (sign(make_key(name), to=NOTARY) for name in ("stranger", "member"))
    watch = IntruderWatch(world.chain, Registry(), evidence, on_found=found.extend)
    world.chain.subscribe(watch.inspect)
    genesis = world.chain.head
    world.grow([member])
    assert (found, list(evidence.iterate())) == ([], [])
    block = world.grow([stranger])
    assert asked == [genesis, world.chain.get_header(1)], "the state before the block decides"
    (kept,) = evidence.iterate()
    assert (kept.height, kept.block_hash) == (2, block.block_hash)
    assert kept.proposer == block.block.header.coinbase
    assert (kept.sender, kept.transaction_hash) == (stranger.sender, stranger.hash)
    assert found == [kept]

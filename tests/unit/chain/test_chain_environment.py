"""What code can see of its block beyond its opcodes: older hashes, beacon roots, rewards."""

import pytest
from eth.vm.forks.cancun.constants import (
    BEACON_ROOTS_ADDRESS,
    BEACON_ROOTS_CONTRACT_CODE,
    HISTORY_BUFFER_LENGTH,
)
from eth_hash.auto import keccak

from consensus.types import Address, Hash32
from node.chain.deadline import Deadline
from node.chain.evm.executor import EvmEngine
from node.chain.genesis import parse_genesis
from node.chain.results import CallRequest
from node.chain.state_view import RootReader
from tests.unit.chain.chain_world import START_S, ChainWorld, make_document
from tests.unit.chain.evm_lab import assemble, make_alloc, make_environment, make_states

CONTRACT = Address(b"\xaa" * 20)


@pytest.mark.parametrize(
    ("asked", "is_known"), [(1_000, False), (999, True), (744, True), (743, False), (1_001, False)]
)
def test_blockhash_knows_the_256_blocks_before(asked: int, is_known: bool) -> None:
    code = assemble(asked, "BLOCKHASH", 0, "MSTORE", 32, 0, "RETURN")
    states, root = make_states(make_alloc({CONTRACT: code}))
    result = EvmEngine().call(
        CallRequest(to=CONTRACT),
        make_environment(
            number=1_000, get_block_hash=lambda height: Hash32(keccak(height.to_bytes(8, "big")))
        ),
        RootReader(states, root),
        gas=100_000,
        deadline=Deadline.never(),
    )
    assert result.output == (keccak(asked.to_bytes(8, "big")) if is_known else bytes(32))


def test_beacon_roots_contract_is_written_alike_by_builder_and_validator() -> None:
    document = make_document()
    address = Address(BEACON_ROOTS_ADDRESS)
    document["alloc"]["0x" + address.hex()] = {
        "nonce": "0x1",
        "balance": "0x0",
        "code": "0x" + BEACON_ROOTS_CONTRACT_CODE.hex(),
    }
    genesis = parse_genesis(document)
    builder, validator = ChainWorld(genesis=genesis), ChainWorld(genesis=genesis)
    block = builder.build().block
    validator.chain.validate_block(block, deadline=Deadline.never())
    validator.chain.import_block(validator.seal(block))
    state = validator.chain.state_at(validator.chain.head)
    slot = (START_S + 1) % HISTORY_BUFFER_LENGTH
    assert state.get_storage(address, slot) == START_S + 1
    assert state.get_storage(address, slot + HISTORY_BUFFER_LENGTH) == 0


def test_block_reward_goes_to_the_beneficiary_of_genesis() -> None:
    document = make_document()
    beneficiary = Address(b"\x77" * 20)
    document["config"]["qbft"] |= {
        "blockreward": "0x5",
        "miningbeneficiary": "0x" + beneficiary.hex(),
    }
    world = ChainWorld(genesis=parse_genesis(document))
    for _ in range(3):
        world.grow()
    account = world.chain.state_at(world.chain.head).get_account(beneficiary)
    assert account is not None
    assert account.balance == 15
    assert world.chain.state_at(world.chain.head).get_account(world.chain.head.coinbase) is None

"""A small chain for tests: four validators, a few contracts in bare opcodes, seals on demand."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from eth_account import Account as Signer
from eth_hash.auto import keccak

from consensus.block import Block
from consensus.extra_data import ExtraData, Vote, encode_extra_data
from consensus.header import MIX_HASH, compute_commit_hash, with_seals
from consensus.proposer import select_proposer
from consensus.signatures import ValidatorKey
from consensus.types import Address, Round
from node.chain.blockchain import Blockchain
from node.chain.deadline import Deadline
from node.chain.evm.executor import EvmEngine
from node.chain.genesis import Genesis, parse_genesis
from node.chain.results import BuiltBlock, ImportedBlock
from node.chain.transactions import Transaction, decode_transaction
from node.storage.kv import KeyValueStore
from node.storage.memory import MemoryStore
from tests.unit.chain.evm_lab import assemble

CHAIN_ID = 4_242
START_S = 1_700_000_000
VALIDATORS = tuple(
    sorted(
        (ValidatorKey(keccak(b"validator %d" % number)) for number in range(1, 6)),
        key=lambda key: key.address,
    )
)
"""Four of the set at genesis, and a fifth that may join."""

VALIDATOR_CONTRACT = Address(b"\x01" * 19 + b"\x10")
RECORDER = Address(b"\x01" * 19 + b"\x11")
LOOP = Address(b"\x01" * 19 + b"\x12")
NOTARY = Address(b"\x01" * 19 + b"\x13")
REFUSER = Address(b"\x01" * 19 + b"\x14")
PAIRER = Address(b"\x01" * 19 + b"\x15")
DIVER = Address(b"\x01" * 19 + b"\x16")

BLOCK_OPCODES = (
    "COINBASE", "TIMESTAMP", "NUMBER", "PREVRANDAO", "GASLIMIT", "CHAINID", "BASEFEE",
    "BLOBBASEFEE",
)  # fmt: skip


def _store(slot: int) -> bytes:
    return assemble(slot, "SSTORE")


RECORDER_CODE = b"".join(
    [
        *[assemble(name) + _store(slot) for slot, name in enumerate(BLOCK_OPCODES)],
        # The parent's hash, an older one, and one that does not exist.
        assemble(1, "NUMBER", "SUB", "BLOCKHASH") + _store(100),
        assemble(0, "BLOCKHASH") + _store(101),
        assemble("NUMBER", "BLOCKHASH") + _store(102),
        *[
            assemble(slot, "SLOAD", 32 * index, "MSTORE")
            for index, slot in enumerate([*range(len(BLOCK_OPCODES)), 100, 101, 102])
        ],
        assemble(32 * (len(BLOCK_OPCODES) + 3), 0, "RETURN"),
    ]
)
"""Stores what every opcode about the block says, and returns it."""

LOOP_CODE = assemble("JUMPDEST", 0, "JUMP")
"""Never ends by itself."""

NOTARY_CODE = assemble(
    0, "CALLDATALOAD", "DUP1", 0, "MSTORE",
    32, "CALLDATALOAD", "DUP1", "DUP3", "SSTORE",
    "POP", "CALLER", 32, 0, "LOG2", "STOP",
)  # fmt: skip
"""Stores its second word under its first and logs the first with the caller."""

REFUSER_CODE = (
    assemble(int.from_bytes(bytes.fromhex("08c379a0").ljust(32, b"\x00"), "big"), 0, "MSTORE")
    + assemble(32, 4, "MSTORE", 5, 36, "MSTORE")
    + assemble(int.from_bytes(b"never".ljust(32, b"\x00"), "big"), 68, "MSTORE")
    + assemble(100, 0, "REVERT")
)
"""Reverts with Error("never")."""

PAIRER_CODE = (
    assemble("CALLDATASIZE", 0, 0, "CALLDATACOPY")
    + assemble(32, 0, "CALLDATASIZE", 0, 8, "GAS", "STATICCALL")
    + assemble(0, "SSTORE", 0, "MLOAD", 1, "SSTORE", "STOP")
)
"""Passes its call data to the pairing precompile and stores the answer."""

DIVER_CODE = assemble(0, 0, 0, 0, 0, "ADDRESS", "GAS", "CALL", 1, 0, "SSTORE", "STOP")
"""Calls itself until the depth or the gas ends."""

# getValidators() answers slots 1 to 8 as an array of slot 0's length; 64 bytes of call data store.
VALIDATOR_CODE = (
    assemble(64, "CALLDATASIZE", "EQ")
    + b"\x60\xf0"
    + assemble("JUMPI", 32, 0, "MSTORE", 0, "SLOAD", "DUP1", 32, "MSTORE")
    + b"".join(assemble(slot, "SLOAD", 32 + 32 * slot, "MSTORE") for slot in range(1, 9))
    + assemble(32, "MUL", 64, "ADD", 0, "RETURN")
)
VALIDATOR_CODE = VALIDATOR_CODE.ljust(0xF0, b"\x00") + assemble(
    "JUMPDEST", 32, "CALLDATALOAD", 0, "CALLDATALOAD", "SSTORE", "STOP"
)


def make_document(*, is_header_vote: bool = False, **changes: Any) -> dict[str, Any]:
    """Return a genesis document with the contracts above."""
    addresses = [key.address for key in VALIDATORS[:4]]
    extra = ExtraData(validators=tuple(addresses) if is_header_vote else ())
    qbft: dict[str, Any] = {
        "epochlength": 6,
        "blockperiodseconds": 1,
        "requesttimeoutseconds": 2,
    }
    if not is_header_vote:
        qbft["validatorcontractaddress"] = "0x" + VALIDATOR_CONTRACT.hex()
    slots = {hex(0): hex(4)} | {
        hex(index): "0x" + address.hex() for index, address in enumerate(addresses, start=1)
    }
    codes = {
        VALIDATOR_CONTRACT: VALIDATOR_CODE,
        RECORDER: RECORDER_CODE,
        LOOP: LOOP_CODE,
        NOTARY: NOTARY_CODE,
        REFUSER: REFUSER_CODE,
        PAIRER: PAIRER_CODE,
        DIVER: DIVER_CODE,
    }
    alloc: dict[str, Any] = {
        "0x" + address.hex(): {"nonce": "0x1", "balance": "0x0", "code": "0x" + code.hex()}
        for address, code in codes.items()
    }
    alloc["0x" + VALIDATOR_CONTRACT.hex()]["storage"] = slots
    return {
        "config": {
            "chainId": CHAIN_ID,
            "londonBlock": 0,
            "shanghaiTime": 0,
            "cancunTime": 0,
            "zeroBaseFee": True,
            "qbft": qbft,
        },
        "nonce": "0x0",
        "timestamp": hex(START_S),
        "gasLimit": hex(30_000_000),
        "difficulty": "0x1",
        "mixHash": "0x" + MIX_HASH.hex(),
        "baseFeePerGas": "0x0",
        "extraData": "0x" + encode_extra_data(extra).hex(),
        "alloc": alloc,
        **changes,
    }


def sign(key: bytes, **fields: Any) -> Transaction:
    """Return a signed transaction for this chain."""
    request = {
        "type": 2,
        "chainId": CHAIN_ID,
        "nonce": 0,
        "gas": 3_000_000,
        "maxFeePerGas": 0,
        "maxPriorityFeePerGas": 0,
        "value": 0,
        "data": b"",
        **fields,
    }
    return decode_transaction(bytes(Signer.sign_transaction(request, key).raw_transaction))


def make_key(name: str) -> bytes:
    """Return the private key of an actor."""
    return keccak(name.encode())


def note(slot: int, value: int) -> bytes:
    """Return call data for the notary."""
    return slot.to_bytes(32, "big") + value.to_bytes(32, "big")


class ChainWorld:
    """One node's chain with the keys of all validators."""

    def __init__(
        self,
        store: KeyValueStore | None = None,
        *,
        genesis: Genesis | None = None,
        engine: EvmEngine | None = None,
    ) -> None:
        self.genesis = genesis or parse_genesis(make_document())
        self.store = store or MemoryStore()
        self.now_s = float(START_S + 1_000_000)
        self.chain = Blockchain.open(
            self.store, self.genesis, clock=lambda: self.now_s, engine=engine
        )

    def build(
        self,
        candidates: Iterable[Transaction] = (),
        *,
        deadline: Deadline | None = None,
        is_permitted: Callable[[Transaction], bool] = lambda _transaction: True,
        vote: Vote | None = None,
        round_number: int = 0,
    ) -> BuiltBlock:
        """Build on the head as the proposer of round 0 would."""
        parent = self.chain.head
        validators = self.chain.get_validators(parent)
        in_header = () if self.genesis.qbft.is_contract_mode else validators
        return self.chain.build_block(
            parent=parent,
            timestamp=parent.timestamp + 1,
            coinbase=select_proposer(
                parent.coinbase if parent.number else None, validators, Round(0)
            ),
            extra_data=encode_extra_data(
                ExtraData(validators=in_header, vote=vote, round=Round(round_number))
            ),
            candidates=candidates,
            deadline=deadline or Deadline.never(),
            is_permitted=is_permitted,
        )

    def grow(self, candidates: Sequence[Transaction] = (), **options: Any) -> ImportedBlock:
        """Build, seal and import one block."""
        return self.chain.import_block(self.seal(self.build(candidates, **options).block))

    def seal(self, block: Block, keys: Iterable[ValidatorKey] | None = None) -> Block:
        """Return the block with seals of `keys`, by default of the present validators."""
        if keys is None:
            present = self.chain.get_validators(self.chain.head)
            keys = [key for key in VALIDATORS if key.address in present]
        digest = compute_commit_hash(block.header)
        return replace(block, header=with_seals(block.header, [key.sign(digest) for key in keys]))


class StepClock:
    """A clock that goes on by the same step whenever it is read."""

    def __init__(self, step_s: float = 0.001) -> None:
        self.now_s = 0.0
        self.step_s = step_s

    def __call__(self) -> float:
        self.now_s += self.step_s
        return self.now_s

"""Two engines side by side: ours, and py-evm exactly as it is installed.

Both start from the same accounts, execute the same signed transactions in the same block and must
agree on every receipt and on the state root, which py-evm computes with its own tries.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import coincurve
from eth.db.atomic import AtomicDB
from eth.vm.chain_context import ChainContext
from eth.vm.forks.cancun import CancunVM
from eth.vm.forks.cancun.blocks import CancunBlockHeader
from eth.vm.forks.cancun.transactions import CancunTransactionBuilder
from eth_account import Account as Signer
from eth_hash.auto import keccak
from eth_typing import BlockNumber

from consensus.header import MIX_HASH
from consensus.types import Address, Hash32
from node.chain.deadline import Deadline
from node.chain.errors import TransactionInvalid
from node.chain.evm.executor import EvmEngine
from node.chain.execution import BlockEnvironment
from node.chain.genesis import GenesisAccount, prepare_genesis_state
from node.chain.state_store import StateStore
from node.chain.state_view import RootReader
from node.chain.transactions import Transaction, decode_transaction
from node.storage.kv import WriteBatch
from node.storage.memory import MemoryStore

CHAIN_ID = 77
SENDER_KEY = keccak(b"the sender of these tests")
SENDER = Address(
    keccak(coincurve.PrivateKey(SENDER_KEY).public_key.format(compressed=False)[1:])[12:]
)
COINBASE = Address(b"\xc0" * 20)
GAS_LIMIT = 30_000_000
FUNDS = 10**20

NAMES = {
    name: getattr(__import__("eth.vm.opcode_values", fromlist=["x"]), name)
    for name in dir(__import__("eth.vm.opcode_values", fromlist=["x"]))
    if name.isupper()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What both engines must agree on."""

    receipts: tuple[tuple[int, int, tuple[tuple[bytes, tuple[int, ...], bytes], ...]], ...]
    """Status, gas used and logs; status -1 for a transaction that may not be executed."""
    state_root: bytes


def assemble(*parts: str | int | bytes) -> bytes:
    """Join opcode names and numbers (pushed with the shortest PUSH; bytes go in as they are)."""
    code = b""
    for part in parts:
        if isinstance(part, bytes):
            code += part
        elif isinstance(part, str):
            code += bytes((NAMES[part],))
        else:
            operand = part.to_bytes(max(1, (part.bit_length() + 7) // 8), "big")
            code += bytes((NAMES["PUSH1"] - 1 + len(operand),)) + operand
    return code


def sign(**fields: Any) -> Transaction:
    """Return a signed transaction of the sender, of type 2 unless said otherwise."""
    request = {
        "chainId": CHAIN_ID,
        "nonce": 0,
        "gas": 1_000_000,
        "value": 0,
        "data": b"",
        "type": 2,
        "maxFeePerGas": 0,
        "maxPriorityFeePerGas": 0,
        **fields,
    }
    return decode_transaction(bytes(Signer.sign_transaction(request, SENDER_KEY).raw_transaction))


def make_alloc(codes: Mapping[Address, bytes]) -> dict[Address, GenesisAccount]:
    """Return accounts with these codes, each with a balance and one slot, and the sender."""
    alloc = {
        address: GenesisAccount(nonce=1, balance=1_000, code=code, storage={1: 7})
        for address, code in codes.items()
    }
    alloc[SENDER] = GenesisAccount(nonce=0, balance=FUNDS, code=b"", storage={})
    return alloc


def make_environment(**changes: Any) -> BlockEnvironment:
    """Return the environment of the tests' block."""
    values: dict[str, Any] = {
        "chain_id": CHAIN_ID,
        "number": 5,
        "timestamp": 1_700_000_000,
        "coinbase": COINBASE,
        "gas_limit": GAS_LIMIT,
        "base_fee": 0,
        "mix_hash": MIX_HASH,
        "excess_blob_gas": 0,
        "parent_beacon_block_root": Hash32(bytes(32)),
        "block_reward": 0,
        "get_block_hash": get_block_hash,
    }
    return BlockEnvironment(**{**values, **changes})


def get_block_hash(height: int) -> Hash32 | None:
    """Return a made-up hash for the five blocks before."""
    return Hash32(keccak(bytes((height,)))) if 0 <= height < 5 else None


def make_states(alloc: Mapping[Address, GenesisAccount]) -> tuple[StateStore, Hash32]:
    """Return a state store that holds just these accounts, and their root."""
    store = MemoryStore()
    states = StateStore(store)
    commit = prepare_genesis_state(alloc)
    batch = WriteBatch()
    states.stage(commit, batch, 0)
    store.write(batch, kind="block")
    return states, commit.root


def run_ours(
    alloc: Mapping[Address, GenesisAccount],
    transactions: Sequence[Transaction],
    engine: EvmEngine,
) -> Outcome:
    """Execute on our engine."""
    states, root = make_states(alloc)
    session = engine.begin(make_environment(), RootReader(states, root))
    receipts: list[Any] = []
    for transaction in transactions:
        try:
            receipt = session.apply(transaction, deadline=Deadline.never())
        except TransactionInvalid:
            receipts.append((-1, 0, ()))
            continue
        logs = tuple(
            (log.address, tuple(int.from_bytes(t, "big") for t in log.topics), log.data)
            for log in receipt.logs
        )
        receipts.append((receipt.status, receipt.gas_used, logs))
    commit = states.prepare(root, session.finish())
    return Outcome(receipts=tuple(receipts), state_root=commit.root)


def run_py_evm(
    alloc: Mapping[Address, GenesisAccount], transactions: Sequence[Transaction]
) -> Outcome:
    """Execute on py-evm as it is."""
    environment = make_environment()
    header = CancunBlockHeader(
        difficulty=1,
        block_number=BlockNumber(environment.number),
        gas_limit=environment.gas_limit,
        timestamp=environment.timestamp,
        coinbase=environment.coinbase,
        mix_hash=environment.mix_hash,
        base_fee_per_gas=0,
    )
    previous: Any = [get_block_hash(height) for height in (4, 3, 2, 1, 0)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        state: Any = CancunVM.build_state(AtomicDB(), header, ChainContext(CHAIN_ID), previous)
        for address, account in alloc.items():
            state.set_balance(address, account.balance)
            state.set_nonce(address, account.nonce)
            state.set_code(address, account.code)
            for slot, value in account.storage.items():
                state.set_storage(address, slot, value)
        state.persist()
        receipts: list[Any] = []
        for transaction in transactions:
            state.lock_changes()
            snapshot = state.snapshot()
            try:
                signed: Any = CancunTransactionBuilder.decode(transaction.raw)
                computation = state.apply_transaction(signed)
            except Exception:  # noqa: BLE001 - py-evm has no common root for these
                state.revert(snapshot)
                receipts.append((-1, 0, ()))
                continue
            used = CancunVM.finalize_gas_used(signed, computation)
            receipts.append((int(computation.is_success), used, computation.get_log_entries()))
        state.persist()
    return Outcome(receipts=tuple(receipts), state_root=state.state_root)

"""Genesis: the file that makes a network, in Besu's format.

Everything that all nodes must agree on before the first block is in it: the chain id, the rules of
consensus (`config.qbft`), the contracts and accounts of block 0 (`alloc`). Its hash names the
network in handshakes and key files. The rules of execution are fixed: Cancun from block 0 with a
base fee of zero. The file must say so, and a rule that this node does not know is refused rather
than ignored, because a node that ignores a rule leaves the chain at the first block that uses it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_hash.auto import keccak

from consensus.errors import GenesisConfigError
from consensus.genesis_config import QbftConfig, parse_qbft_config
from consensus.header import (
    DIFFICULTY,
    EMPTY_TRIE_ROOT,
    MIX_HASH,
    NONCE,
    ZERO_HASH,
    BlockHeader,
    compute_block_hash,
)
from consensus.types import Address, Hash32, Height
from node.chain.accounts import EMPTY_CODE_HASH, Account
from node.chain.errors import GenesisInvalid
from node.chain.state_store import StateChanges, StateCommit, StateStore
from node.chain.trie_nodes import EMPTY_ROOT
from node.storage.memory import MemoryStore

_FORK_KEYS: Final = frozenset(
    f"{name}Block"
    for name in (
        "homestead",
        "eip150",
        "eip155",
        "eip158",
        "byzantium",
        "constantinople",
        "constantinopleFix",
        "petersburg",
        "istanbul",
        "muirGlacier",
        "berlin",
        "london",
        "arrowGlacier",
        "grayGlacier",
    )
) | {"shanghaiTime", "cancunTime"}
_NEEDED_FORKS: Final = ("londonBlock", "shanghaiTime", "cancunTime")
_CONFIG_KEYS: Final = _FORK_KEYS | {"chainId", "qbft", "zeroBaseFee"}
_MAX_WORD: Final = 2**256 - 1
_MAX_GAS_LIMIT: Final = 2**63 - 1
_MIN_GAS_LIMIT: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisAccount:
    """An account of block 0."""

    nonce: int
    balance: int
    """Wei."""
    code: bytes
    """Runtime code."""
    storage: Mapping[int, int]
    """Slot to value, zero values left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """A network's beginning."""

    chain_id: int
    """EIP-155 chain id."""

    qbft: QbftConfig
    """Rules of consensus."""

    alloc: Mapping[Address, GenesisAccount]
    """Accounts of block 0."""

    header: BlockHeader
    """Block 0, its state root computed from `alloc`."""

    genesis_hash: Hash32
    """Hash of `header` as it stands."""


def load_genesis(path: Path) -> Genesis:
    """Read a genesis file; raises GenesisInvalid naming the file or the key."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GenesisInvalid(f"cannot be read: {error.strerror}", field=str(path)) from error
    except ValueError as error:
        raise GenesisInvalid(f"is not JSON: {error}", field=str(path)) from error
    return parse_genesis(document)


def parse_genesis(document: object) -> Genesis:
    """Read a decoded genesis document; raises GenesisInvalid naming the key."""
    root = _get_object(document, "genesis")
    config = _get_object(root.get("config"), "config")
    _validate_config(config)
    try:
        qbft = parse_qbft_config(_get_object(config.get("qbft"), "config.qbft"))
    except GenesisConfigError as error:
        raise GenesisInvalid(error.reason, field=f"config.qbft.{error.key}") from error
    alloc = {
        _parse_address(key, f"alloc.{key}"): _parse_account(value, f"alloc.{key}")
        for key, value in _get_object(root.get("alloc", {}), "alloc").items()
    }
    header = _make_header(root, prepare_genesis_state(alloc).root)
    return Genesis(
        chain_id=_parse_number(config.get("chainId"), "config.chainId", 2**63 - 1),
        qbft=qbft,
        alloc=alloc,
        header=header,
        genesis_hash=compute_block_hash(header),
    )


def prepare_genesis_state(alloc: Mapping[Address, GenesisAccount]) -> StateCommit:
    """Return the state of block 0, ready to be written."""
    changes = StateChanges()
    for address, account in alloc.items():
        code_hash = EMPTY_CODE_HASH
        if account.code:
            code_hash = Hash32(keccak(account.code))
            changes.codes[code_hash] = account.code
        changes.accounts[address] = Account(account.nonce, account.balance, EMPTY_ROOT, code_hash)
        if account.storage:
            changes.storage[address] = dict(account.storage)
    return StateStore(MemoryStore()).prepare(EMPTY_ROOT, changes)


def _validate_config(config: Mapping[str, Any]) -> None:
    for key, value in config.items():
        if key not in _CONFIG_KEYS:
            raise GenesisInvalid("is a rule that this node does not know", field=f"config.{key}")
        if key in _FORK_KEYS and _parse_number(value, f"config.{key}", _MAX_WORD) != 0:
            raise GenesisInvalid(
                "must be 0: Cancun's rules hold from block 0", field=f"config.{key}"
            )
    for key in _NEEDED_FORKS:
        if key not in config:
            raise GenesisInvalid("is missing; it must be 0", field=f"config.{key}")
    if config.get("zeroBaseFee") is not True:
        raise GenesisInvalid("must be true: transactions cost nothing", field="config.zeroBaseFee")


def _make_header(root: Mapping[str, Any], state_root: Hash32) -> BlockHeader:
    mix_hash = _parse_bytes(root.get("mixHash"), "mixHash")
    if mix_hash != MIX_HASH:
        raise GenesisInvalid(f"must be 0x{MIX_HASH.hex()}, the mark of QBFT", field="mixHash")
    if _parse_number(root.get("difficulty"), "difficulty", _MAX_WORD) != DIFFICULTY:
        raise GenesisInvalid("must be 0x1", field="difficulty")
    if _parse_number(root.get("nonce", "0x0"), "nonce", 2**64 - 1) != 0:
        raise GenesisInvalid("must be 0x0", field="nonce")
    if _parse_number(root.get("baseFeePerGas"), "baseFeePerGas", _MAX_WORD) != 0:
        raise GenesisInvalid("must be 0x0 on a chain without base fee", field="baseFeePerGas")
    gas_limit = _parse_number(root.get("gasLimit"), "gasLimit", _MAX_GAS_LIMIT)
    if gas_limit < _MIN_GAS_LIMIT:
        raise GenesisInvalid(f"must be at least {_MIN_GAS_LIMIT}", field="gasLimit")
    return BlockHeader(
        parent_hash=ZERO_HASH,
        coinbase=_parse_address(root.get("coinbase", "0x" + "00" * 20), "coinbase"),
        state_root=state_root,
        transactions_root=EMPTY_TRIE_ROOT,
        receipts_root=EMPTY_TRIE_ROOT,
        number=Height(0),
        gas_limit=gas_limit,
        gas_used=0,
        timestamp=_parse_number(root.get("timestamp"), "timestamp", 2**63 - 1),
        extra_data=_parse_bytes(root.get("extraData"), "extraData"),
        nonce=NONCE,
        base_fee_per_gas=0,
        withdrawals_root=EMPTY_TRIE_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=ZERO_HASH,
    )


def _parse_account(value: object, where: str) -> GenesisAccount:
    fields = _get_object(value, where)
    storage = {
        _parse_number(slot, f"{where}.storage", _MAX_WORD): _parse_number(
            word, f"{where}.storage.{slot}", _MAX_WORD
        )
        for slot, word in _get_object(fields.get("storage", {}), f"{where}.storage").items()
    }
    return GenesisAccount(
        nonce=_parse_number(fields.get("nonce", "0x0"), f"{where}.nonce", 2**64 - 1),
        balance=_parse_number(fields.get("balance", "0x0"), f"{where}.balance", _MAX_WORD),
        code=_parse_bytes(fields.get("code", "0x"), f"{where}.code"),
        storage={slot: word for slot, word in storage.items() if word},
    )


def _get_object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise GenesisInvalid("is missing or not a JSON object", field=where)
    return value


def _parse_number(value: object, where: str, maximum: int) -> int:
    number = value
    if isinstance(value, str):
        try:
            number = int(value, 16 if value[:2].lower() == "0x" else 10)
        except ValueError:
            number = None
    if isinstance(number, bool) or not isinstance(number, int):
        raise GenesisInvalid(f"{value!r} is not a whole number", field=where)
    if not 0 <= number <= maximum:
        raise GenesisInvalid(f"{value!r} is out of bounds", field=where)
    return number


def _parse_bytes(value: object, where: str) -> bytes:
    if isinstance(value, str) and value[:2].lower() == "0x":
        try:
            return bytes.fromhex(value[2:])
        except ValueError:
            pass
    raise GenesisInvalid("is not hex with 0x before it", field=where)


def _parse_address(value: object, where: str) -> Address:
    text = value if isinstance(value, str) and value[:2].lower() == "0x" else f"0x{value}"
    data = _parse_bytes(text, where)
    if len(data) != 20:
        raise GenesisInvalid(f"{value!r} is not an address", field=where)
    return Address(data)

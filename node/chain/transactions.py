"""Transactions as the chain carries them: decoding, rules of form, and the sender's recovery.

A transaction travels as its canonical EIP-2718 bytes: a legacy one is an RLP list of nine fields, a
typed one is a type byte followed by such a list. Nothing in it names the sender: the signature
does, because exactly one public key fits a signature and a message. Recovering that key is the most
expensive native step of admission, so senders are recovered once, in threads (coincurve releases
the interpreter's lock), and kept beside the bytes.

Accepted: legacy with a chain id (EIP-155), access lists (EIP-2930, type 1) and fee caps (EIP-1559,
type 2). Refused by form: legacy without a chain id (it could be replayed on another chain), blobs
(EIP-4844, type 3: this chain has no place to keep them), unknown types, a signature with a high s
(EIP-2: each transaction has one encoding only) and anything that is not canonical RLP. Whether the
chain id, nonce, balance and gas fit the chain is judged where those are known.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import coincurve
from eth_hash.auto import keccak

from consensus import rlp_codec
from consensus.errors import MalformedEncoding
from consensus.rlp_codec import RlpItem
from consensus.types import Address, Hash32
from node.chain.errors import TransactionInvalid

LEGACY_TYPE = 0
ACCESS_LIST_TYPE = 1
DYNAMIC_FEE_TYPE = 2
BLOB_TYPE = 3

MAX_TRANSACTION_BYTES = 131_072
"""Bytes of one encoded transaction; a deployment of the largest contract needs half of it."""

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_HALF_ORDER = SECP256K1_ORDER // 2
_FIRST_LIST_BYTE = 0xC0
_MAX_UINT64 = 2**64 - 1
_MAX_UINT256 = 2**256 - 1

_TX_GAS = 21_000
_CREATE_GAS = 32_000
_ZERO_BYTE_GAS = 4
_NONZERO_BYTE_GAS = 16
_INITCODE_WORD_GAS = 2
_ACCESS_ADDRESS_GAS = 2_400
_ACCESS_SLOT_GAS = 1_900

AccessList = tuple[tuple[Address, tuple[int, ...]], ...]
"""Addresses with storage slots that are declared beforehand (EIP-2930)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A signed transaction of good form, with its sender."""

    raw: bytes
    """Canonical EIP-2718 bytes."""

    hash: Hash32
    """keccak-256 of `raw`; names the transaction."""

    type: int
    """0 legacy, 1 access list, 2 dynamic fee."""

    chain_id: int
    """The chain that the signature is for."""

    sender: Address
    """The account that signed, recovered from the signature."""

    nonce: int
    """How many transactions the sender had sent before."""

    gas: int
    """Gas that it may use at most."""

    gas_price: int
    """Wei per gas offered: the price of types 0 and 1, the fee cap of type 2."""

    max_fee_per_gas: int
    """Fee cap; equals `gas_price` for types 0 and 1."""

    max_priority_fee_per_gas: int
    """Tip cap; equals `gas_price` for types 0 and 1."""

    to: Address | None
    """The account called; None creates a contract."""

    value: int
    """Wei sent along."""

    data: bytes
    """Call data, or the init code of a new contract."""

    access_list: AccessList
    """Declared accesses; empty for legacy."""

    v: int
    """The v of the encoding: EIP-155's for legacy, the parity for typed ones."""

    r: int
    """First half of the signature."""

    s: int
    """Second half, at most half the group order."""

    @property
    def intrinsic_gas(self) -> int:
        """Gas charged before the first opcode (EIP-2028, 2930, 3860)."""
        return compute_intrinsic_gas(
            data=self.data, is_create=self.to is None, access_list=self.access_list
        )


def decode_transaction(raw: bytes) -> Transaction:
    """Decode one signed transaction and recover its sender.

    Raises TransactionInvalid naming the field.
    """
    return _recover(_parse(raw))


def decode_transactions(
    raws: Iterable[bytes], executor: Executor | None = None
) -> tuple[Transaction, ...]:
    """Decode many, in order, recovering the senders in the threads of `executor` if given.

    Raises TransactionInvalid for the first one that is bad.
    """
    parsed = [_parse(raw) for raw in raws]
    if executor is None or len(parsed) < _MIN_BATCH:
        return tuple(_recover(item) for item in parsed)
    senders = [
        sender
        for chunk in executor.map(_recover_chunk, _split(parsed, _MIN_BATCH))
        for sender in chunk
    ]
    return tuple(_build(item, sender) for item, sender in zip(parsed, senders, strict=True))


def compute_intrinsic_gas(*, data: bytes, is_create: bool, access_list: AccessList) -> int:
    """Return the gas of a transaction before execution starts."""
    zeros = data.count(0)
    gas = _TX_GAS + zeros * _ZERO_BYTE_GAS + (len(data) - zeros) * _NONZERO_BYTE_GAS
    if is_create:
        gas += _CREATE_GAS + _INITCODE_WORD_GAS * ((len(data) + 31) // 32)
    for _, slots in access_list:
        gas += _ACCESS_ADDRESS_GAS + _ACCESS_SLOT_GAS * len(slots)
    return gas


_MIN_BATCH = 16
"""Fewer signatures than this are not worth a thread."""


@dataclass(slots=True)
class _Parsed:
    """The fields of a transaction whose signature was not looked at yet."""

    raw: bytes
    type: int
    chain_id: int
    nonce: int
    gas: int
    max_fee: int
    tip: int
    to: Address | None
    value: int
    data: bytes
    access_list: AccessList
    v: int
    parity: int
    r: int
    s: int
    signing_hash: bytes


def _parse(raw: bytes) -> _Parsed:
    if not raw:
        raise TransactionInvalid("raw", "is empty")
    if len(raw) > MAX_TRANSACTION_BYTES:
        raise TransactionInvalid(
            "raw", f"has {len(raw)} bytes; at most {MAX_TRANSACTION_BYTES} are accepted"
        )
    first = raw[0]
    if first >= _FIRST_LIST_BYTE:
        parsed = _parse_legacy(raw)
    elif first == ACCESS_LIST_TYPE:
        parsed = _parse_typed(raw, field_count=11)
    elif first == DYNAMIC_FEE_TYPE:
        parsed = _parse_typed(raw, field_count=12)
    elif first == BLOB_TYPE:
        raise TransactionInvalid("type", "3 (blob) is not accepted: this chain keeps no blobs")
    else:
        raise TransactionInvalid("type", f"{first} is not known; send type 0, 1 or 2")
    _validate_form(parsed)
    return parsed


def _parse_legacy(raw: bytes) -> _Parsed:
    fields = _split_list(raw, 9)
    v = _read_int(fields[6], "v", _MAX_UINT256)
    if v in (27, 28):
        raise TransactionInvalid(
            "chainId", "is missing: a legacy transaction must be signed for a chain (EIP-155)"
        )
    if v < 35:
        raise TransactionInvalid("v", f"{v} is not a legacy signature (EIP-155)")
    chain_id = (v - 35) // 2
    price = _read_int(fields[1], "gasPrice", _MAX_UINT256)
    signed = [*fields[:6], _int_to_bytes(chain_id), b"", b""]
    return _Parsed(
        raw=raw,
        type=LEGACY_TYPE,
        chain_id=chain_id,
        nonce=_read_int(fields[0], "nonce", _MAX_UINT64),
        gas=_read_int(fields[2], "gas", _MAX_UINT64),
        max_fee=price,
        tip=price,
        to=_read_to(fields[3]),
        value=_read_int(fields[4], "value", _MAX_UINT256),
        data=_read_bytes(fields[5], "data"),
        access_list=(),
        v=v,
        parity=(v - 35) % 2,
        r=_read_int(fields[7], "r", _MAX_UINT256),
        s=_read_int(fields[8], "s", _MAX_UINT256),
        signing_hash=keccak(rlp_codec.encode(signed)),
    )


def _parse_typed(raw: bytes, field_count: int) -> _Parsed:
    kind = raw[0]
    fields = _split_list(raw[1:], field_count)
    chain_id = _read_int(fields[0], "chainId", _MAX_UINT256)
    nonce = _read_int(fields[1], "nonce", _MAX_UINT64)
    if kind == DYNAMIC_FEE_TYPE:
        tip = _read_int(fields[2], "maxPriorityFeePerGas", _MAX_UINT256)
        max_fee = _read_int(fields[3], "maxFeePerGas", _MAX_UINT256)
        rest = fields[4:]
    else:
        tip = max_fee = _read_int(fields[2], "gasPrice", _MAX_UINT256)
        rest = fields[3:]
    parity = _read_int(rest[5], "yParity", _MAX_UINT256)
    return _Parsed(
        raw=raw,
        type=kind,
        chain_id=chain_id,
        nonce=nonce,
        gas=_read_int(rest[0], "gas", _MAX_UINT64),
        max_fee=max_fee,
        tip=tip,
        to=_read_to(rest[1]),
        value=_read_int(rest[2], "value", _MAX_UINT256),
        data=_read_bytes(rest[3], "data"),
        access_list=_read_access_list(rest[4]),
        v=parity,
        parity=parity,
        r=_read_int(rest[6], "r", _MAX_UINT256),
        s=_read_int(rest[7], "s", _MAX_UINT256),
        signing_hash=keccak(raw[:1] + rlp_codec.encode(fields[:-3])),
    )


def _validate_form(parsed: _Parsed) -> None:
    if parsed.parity > 1:
        raise TransactionInvalid("yParity", f"{parsed.parity} is neither 0 nor 1")
    if not 0 < parsed.r < SECP256K1_ORDER:
        raise TransactionInvalid("r", "is outside the group order")
    if not 0 < parsed.s < SECP256K1_ORDER:
        raise TransactionInvalid("s", "is outside the group order")
    if parsed.s > _HALF_ORDER:
        raise TransactionInvalid("s", "is above half the group order (EIP-2): sign it again")
    if parsed.tip > parsed.max_fee:
        raise TransactionInvalid("maxPriorityFeePerGas", "is above maxFeePerGas")
    if parsed.nonce == _MAX_UINT64:
        raise TransactionInvalid("nonce", "is at its maximum (EIP-2681)")


def _recover(parsed: _Parsed) -> Transaction:
    return _build(parsed, _recover_sender(parsed))


def _recover_chunk(chunk: Sequence[_Parsed]) -> list[Address]:
    return [_recover_sender(parsed) for parsed in chunk]


def _recover_sender(parsed: _Parsed) -> Address:
    signature = (
        parsed.r.to_bytes(32, "big") + parsed.s.to_bytes(32, "big") + bytes((parsed.parity,))
    )
    try:
        key = coincurve.PublicKey.from_signature_and_message(
            signature, parsed.signing_hash, hasher=None
        )
    except Exception:  # noqa: BLE001 - coincurve raises bare Exception for a bad signature
        raise TransactionInvalid("signature", "does not belong to any key") from None
    return Address(keccak(key.format(compressed=False)[1:])[12:])


def _build(parsed: _Parsed, sender: Address) -> Transaction:
    return Transaction(
        raw=parsed.raw,
        hash=Hash32(keccak(parsed.raw)),
        type=parsed.type,
        chain_id=parsed.chain_id,
        sender=sender,
        nonce=parsed.nonce,
        gas=parsed.gas,
        gas_price=parsed.max_fee,
        max_fee_per_gas=parsed.max_fee,
        max_priority_fee_per_gas=parsed.tip,
        to=parsed.to,
        value=parsed.value,
        data=parsed.data,
        access_list=parsed.access_list,
        v=parsed.v,
        r=parsed.r,
        s=parsed.s,
    )


def _split(items: Sequence[_Parsed], size: int) -> list[Sequence[_Parsed]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _split_list(data: bytes, count: int) -> list[RlpItem]:
    try:
        fields = rlp_codec.decode(data)
    except MalformedEncoding as error:
        raise TransactionInvalid("raw", str(error)) from None
    if isinstance(fields, bytes) or len(fields) != count:
        raise TransactionInvalid("raw", f"is not a list of {count} fields")
    return list(fields)


def _read_bytes(item: RlpItem, field: str) -> bytes:
    if not isinstance(item, bytes):
        raise TransactionInvalid(field, "is a list where bytes belong")
    return item


def _read_int(item: RlpItem, field: str, maximum: int) -> int:
    data = _read_bytes(item, field)
    if data[:1] == b"\x00":
        raise TransactionInvalid(field, "has a leading zero byte")
    number = int.from_bytes(data, "big")
    if number > maximum:
        raise TransactionInvalid(field, "is too large")
    return number


def _read_to(item: RlpItem) -> Address | None:
    data = _read_bytes(item, "to")
    if len(data) not in (0, 20):
        raise TransactionInvalid("to", f"has {len(data)} bytes; an address has 20")
    return Address(data) if data else None


def _read_access_list(item: RlpItem) -> AccessList:
    if isinstance(item, bytes):
        raise TransactionInvalid("accessList", "is not a list")
    entries: list[tuple[Address, tuple[int, ...]]] = []
    for entry in item:
        if isinstance(entry, bytes) or len(entry) != 2 or isinstance(entry[1], bytes):
            raise TransactionInvalid("accessList", "an entry is not [address, [slots]]")
        address = _read_bytes(entry[0], "accessList")
        slots = [_read_bytes(slot, "accessList") for slot in entry[1]]
        if len(address) != 20 or any(len(slot) != 32 for slot in slots):
            raise TransactionInvalid("accessList", "an address has 20 bytes, a slot 32")
        entries.append((Address(address), tuple(int.from_bytes(slot, "big") for slot in slots)))
    return tuple(entries)


def _int_to_bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")

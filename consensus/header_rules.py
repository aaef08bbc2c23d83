"""Which headers are acceptable on top of a given parent.

The same rules judge a block that is proposed now and a final block that is imported or synced
later, except that only the latter carries seals. Execution is not judged here: the roots, the gas
used and the bloom are compared by the chain once it has run the transactions.
Source: Besu's QbftBlockHeaderValidationRulesetFactory.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from consensus.errors import AheadOfClock, InvalidHeader, InvalidMessage, MalformedEncoding
from consensus.extra_data import ExtraData, decode_extra_data
from consensus.genesis_config import QbftConfig
from consensus.header import (
    DIFFICULTY,
    EMPTY_OMMERS_HASH,
    EMPTY_TRIE_ROOT,
    MIX_HASH,
    NONCE,
    ZERO_HASH,
    BlockHeader,
    compute_block_hash,
    compute_commit_hash,
)
from consensus.quorum import compute_quorum
from consensus.signatures import recover_address
from consensus.types import Address

CLOCK_TOLERANCE_S = 1
"""How far ahead of our clock a timestamp may be."""

MIN_GAS_LIMIT = 5_000
GAS_LIMIT_DIVISOR = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderRules:
    """What the genesis file says about headers."""

    config: QbftConfig
    """Periods and the source of validators."""

    has_zero_base_fee: bool = True
    """`config.zeroBaseFee`: the base fee of every block is 0."""


def validate_sealed_header(
    header: BlockHeader,
    parent: BlockHeader,
    validators: Sequence[Address],
    *,
    now_s: float,
    rules: HeaderRules,
) -> None:
    """Judge a final header; raises InvalidHeader naming the rule that is broken.

    `validators` is the ascending set for `header.number`, derived from the parent; `now_s` is our
    clock in seconds since 1970. It is asked last: AheadOfClock means that a quorum has sealed the
    header, and that it will be valid once our clock has come so far.
    """
    _validate_content(header, parent, validators, rules)
    validate_seals(header, validators)
    _validate_clock(header, now_s)


def validate_proposed_header(
    header: BlockHeader,
    parent: BlockHeader,
    validators: Sequence[Address],
    *,
    now_s: float,
    rules: HeaderRules,
) -> None:
    """Judge everything but the seals; raises InvalidHeader naming the rule, AheadOfClock last."""
    _validate_content(header, parent, validators, rules)
    _validate_clock(header, now_s)


def validate_seals(header: BlockHeader, validators: Sequence[Address]) -> None:
    """Check that a quorum of `validators` sealed the header, each once; raises InvalidHeader."""
    seals = _decode(header).seals
    quorum = compute_quorum(len(validators))
    if len(seals) < quorum:
        raise InvalidHeader(f"seals: {len(seals)} where {quorum} are needed")
    if len(seals) > len(validators):
        raise InvalidHeader(f"seals: {len(seals)} of {len(validators)} validators")
    signers = set(get_sealers(header))
    if len(signers) != len(seals):
        raise InvalidHeader("seals: a validator sealed twice")
    if not signers.issubset(validators):
        raise InvalidHeader("seals: one is not by a validator of this height")


def get_sealers(header: BlockHeader) -> tuple[Address, ...]:
    """Recover who sealed the header, in the order of its seals; raises InvalidHeader."""
    commit_hash = compute_commit_hash(header)
    try:
        return tuple(recover_address(commit_hash, seal) for seal in _decode(header).seals)
    except InvalidMessage as error:
        raise InvalidHeader(f"seals: {error}") from None


def _validate_content(
    header: BlockHeader, parent: BlockHeader, validators: Sequence[Address], rules: HeaderRules
) -> None:
    """Judge what all nodes see alike: everything but seals and clock."""
    extra_data = _decode(header)
    _validate_ancestry(header, parent)
    _validate_period(header, parent, rules.config)
    _validate_gas(header, parent)
    _validate_constants(header, rules)
    _validate_validators(header, extra_data, validators, rules.config)


def _decode(header: BlockHeader) -> ExtraData:
    try:
        return decode_extra_data(header.extra_data)
    except MalformedEncoding as error:
        raise InvalidHeader(f"extraData: {error}") from None


def _validate_ancestry(header: BlockHeader, parent: BlockHeader) -> None:
    if header.number != parent.number + 1:
        raise InvalidHeader(f"number: {header.number} does not follow {parent.number}")
    parent_hash = compute_block_hash(parent)
    if header.parent_hash != parent_hash:
        raise InvalidHeader(
            f"parentHash: 0x{header.parent_hash.hex()} where the parent is 0x{parent_hash.hex()}"
        )


def _validate_clock(header: BlockHeader, now_s: float) -> None:
    if header.timestamp > now_s + CLOCK_TOLERANCE_S:
        raise AheadOfClock(f"timestamp: {header.timestamp} is ahead of our clock, {now_s:.3f}")


def _validate_period(header: BlockHeader, parent: BlockHeader, config: QbftConfig) -> None:
    period_s = 0 if config.block_period_ms is not None else config.block_period_s
    if header.timestamp < parent.timestamp + period_s:
        raise InvalidHeader(
            f"timestamp: {header.timestamp} is less than {period_s} s after {parent.timestamp}"
        )


def _validate_gas(header: BlockHeader, parent: BlockHeader) -> None:
    if header.gas_used > header.gas_limit:
        raise InvalidHeader(f"gasUsed: {header.gas_used} exceeds the limit {header.gas_limit}")
    if header.gas_limit < MIN_GAS_LIMIT:
        raise InvalidHeader(f"gasLimit: {header.gas_limit} is below {MIN_GAS_LIMIT}")
    step = abs(header.gas_limit - parent.gas_limit)
    if step and step >= parent.gas_limit // GAS_LIMIT_DIVISOR:
        raise InvalidHeader(f"gasLimit: a step of {step} from {parent.gas_limit} is too large")


def _validate_constants(header: BlockHeader, rules: HeaderRules) -> None:
    expected: tuple[tuple[str, object, object], ...] = (
        ("mixHash", header.mix_hash, MIX_HASH),
        ("difficulty", header.difficulty, DIFFICULTY),
        ("nonce", header.nonce, NONCE),
        ("ommersHash", header.ommers_hash, EMPTY_OMMERS_HASH),
        ("withdrawalsRoot", header.withdrawals_root or EMPTY_TRIE_ROOT, EMPTY_TRIE_ROOT),
        ("blobGasUsed", header.blob_gas_used or 0, 0),
        ("excessBlobGas", header.excess_blob_gas or 0, 0),
        ("parentBeaconBlockRoot", header.parent_beacon_block_root or ZERO_HASH, ZERO_HASH),
    )
    for name, actual, constant in expected:
        if actual != constant:
            raise InvalidHeader(f"{name}: is not the constant of this chain")
    if rules.has_zero_base_fee and header.base_fee_per_gas:
        raise InvalidHeader(f"baseFeePerGas: {header.base_fee_per_gas} where it is always 0")


def _validate_validators(
    header: BlockHeader,
    extra_data: ExtraData,
    validators: Sequence[Address],
    config: QbftConfig,
) -> None:
    if header.coinbase not in validators:
        raise InvalidHeader(f"coinbase: 0x{header.coinbase.hex()} is not a validator")
    if config.is_contract_mode:
        if extra_data.validators or extra_data.vote is not None:
            raise InvalidHeader("extraData: validators or a vote although a contract names them")
    elif extra_data.validators != tuple(validators):
        raise InvalidHeader("extraData: the validators are not those that follow from the parent")

"""What a group of agencies has to agree on to found a ledger.

A specification names the chain, the rules of consensus and the founding agencies with their keys.
`validate_spec` finds what would make a ledger unusable before any contract is run, and says in
which field: a founding cannot be repaired later.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from eth_typing import Address, Hash32

from contracts.codes import ALL_ROLES, Role
from contracts.errors import GenesisSpecError

MAX_AGENCIES: Final = 64
"""Founding agencies at most; the registry itself holds 256."""
MAX_VALIDATORS: Final = 64
MAX_JURISDICTIONS: Final = 32
MAX_ACCOUNTS: Final = 64
"""Founding accounts of one agency at most."""
MAX_PINS: Final = 16
"""Founding TLS pins of one agency at most."""

MAX_CHAIN_ID: Final = 2**53 - 1
"""Wallets and JSON readers handle no larger numbers (EIP-2294 allows a little more)."""
MIN_GAS_LIMIT: Final = 5_000_000
MAX_GAS_LIMIT: Final = 2**53 - 1
MAX_TIME: Final = 2**48 - 1
MIN_LATE_AFTER_S: Final = 3_600
"""A shorter limit would mark what only waited for a restart."""
MAX_LATE_AFTER_S: Final = 366 * 86_400

MAX_URGENT_DELAY_S: Final = 3 * 86_400
MAX_DELAY_S: Final = 90 * 86_400
MIN_PERCENT: Final = 50
MAX_PERCENT: Final = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class QbftSpec:
    """The rules of consensus, as they go into `config.qbft`."""

    block_period_s: int = 1
    """Seconds between two blocks, at least."""
    block_period_ms: int | None = None
    """Period in milliseconds, which takes the place of the one in seconds."""
    empty_block_period_s: int = 5
    """Seconds after which a block without transactions is made; 0 makes one each period."""
    epoch_length: int = 30_000
    """Blocks between two epoch blocks (header-vote mode)."""
    request_timeout_s: int = 4
    """Seconds that the first round of a height lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GovernanceSpec:
    """The rules of deciding with which the ledger begins; the agencies change them by vote."""

    urgent_delay_s: int = 0
    """Seconds that a decision waits which ends something: an agency's part, a key, a pin, a
    validator, a pause."""
    ordinary_delay_s: int = 0
    """Seconds that any other decision waits; not less than an urgent one."""
    grave_delay_s: int = 0
    """Seconds that a decision waits which changes rules or code; not less than an ordinary one."""
    total_percent: int = MIN_PERCENT
    """More than so many percent of the active agencies decide."""
    jurisdiction_percent: int = MIN_PERCENT
    """More than so many percent of those of each jurisdiction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSpec:
    """A key that signs transactions for an agency."""

    address: Address
    roles: Role
    """Within the roles of the agency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencySpec:
    """A founding agency."""

    agency_id: Hash32
    """Its identifier for good; `contracts.labels` makes readable ones."""
    jurisdiction: Hash32
    profile_hash: Hash32
    """Hash of its public profile (name, address, contact); zero if it has none."""
    roles: Role
    """What its keys may do at most."""
    accounts: tuple[AccountSpec, ...]
    """Its keys: at least one with ADMIN and one with GOVERN."""
    validators: tuple[Address, ...] = ()
    """Addresses with which its nodes make blocks."""
    tls_pins: tuple[Hash32, ...] = ()
    """SHA-256 of the SubjectPublicKeyInfo of its nodes' certificates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisSpec:
    """All that a genesis file is made from."""

    chain_id: int
    agencies: tuple[AgencySpec, ...]
    qbft: QbftSpec = QbftSpec()
    governance: GovernanceSpec = GovernanceSpec()
    is_header_vote: bool = False
    """Validators are voted in block headers, not by the registry (used in tests)."""
    minimum_validators: int = 1
    """The set never gets smaller than this."""
    late_after_s: int = 259_200
    """An act that is posted longer than this after it was captured is late, and needs a second
    officer and a reason. Three days by default; an upgrade by vote changes it."""
    gas_limit: int = 30_000_000
    timestamp: int = 1_704_067_200
    """Of block 0, in seconds; in the past on every machine. 2024-01-01T00:00:00Z by default."""


def validate_spec(spec: GenesisSpec) -> None:
    """Raise GenesisSpecError, which names the field, unless a usable ledger comes of it."""
    _check_range("chain_id", spec.chain_id, 1, MAX_CHAIN_ID)
    _check_range("gas_limit", spec.gas_limit, MIN_GAS_LIMIT, MAX_GAS_LIMIT)
    _check_range("timestamp", spec.timestamp, 0, MAX_TIME)
    _check_range("late_after_s", spec.late_after_s, MIN_LATE_AFTER_S, MAX_LATE_AFTER_S)
    if not isinstance(spec.is_header_vote, bool):
        raise GenesisSpecError(
            "is_header_vote", f"{spec.is_header_vote!r} is neither true nor false"
        )
    _validate_qbft(spec.qbft)
    _validate_governance(spec.governance)
    _check_range("agencies", len(spec.agencies), 1, MAX_AGENCIES, what="agencies")
    for index, agency in enumerate(spec.agencies):
        _validate_agency(f"agencies[{index}]", agency)
    _validate_together(spec)


def _validate_qbft(qbft: QbftSpec) -> None:
    _check_range("qbft.block_period_s", qbft.block_period_s, 1, 3_600)
    if qbft.block_period_ms is not None:
        _check_range("qbft.block_period_ms", qbft.block_period_ms, 1, 60_000)
    _check_range("qbft.empty_block_period_s", qbft.empty_block_period_s, 0, 86_400)
    if 0 < qbft.empty_block_period_s < qbft.block_period_s:
        raise GenesisSpecError(
            "qbft.empty_block_period_s", "is shorter than the period of full blocks"
        )
    _check_range("qbft.epoch_length", qbft.epoch_length, 1, 2**53 - 1)
    _check_range("qbft.request_timeout_s", qbft.request_timeout_s, 1, 3_600)


def _validate_governance(rules: GovernanceSpec) -> None:
    delays = {
        "urgent_delay_s": rules.urgent_delay_s,
        "ordinary_delay_s": rules.ordinary_delay_s,
        "grave_delay_s": rules.grave_delay_s,
    }
    least = 0
    for name, value in delays.items():
        most = MAX_URGENT_DELAY_S if name == "urgent_delay_s" else MAX_DELAY_S
        _check_range(f"governance.{name}", value, 0, most)
        if value < least:
            raise GenesisSpecError(f"governance.{name}", "is shorter than the one before it")
        least = value
    percents = {
        "total_percent": rules.total_percent,
        "jurisdiction_percent": rules.jurisdiction_percent,
    }
    for name, value in percents.items():
        _check_range(f"governance.{name}", value, MIN_PERCENT, MAX_PERCENT)


def _validate_agency(field: str, agency: AgencySpec) -> None:
    _check_identifier(f"{field}.agency_id", agency.agency_id)
    _check_identifier(f"{field}.jurisdiction", agency.jurisdiction)
    _check_length(f"{field}.profile_hash", agency.profile_hash, 32)
    _check_roles(f"{field}.roles", agency.roles)
    _check_range(f"{field}.accounts", len(agency.accounts), 1, MAX_ACCOUNTS, what="accounts")
    for index, account in enumerate(agency.accounts):
        place = f"{field}.accounts[{index}]"
        _check_address(f"{place}.address", account.address)
        _check_roles(f"{place}.roles", account.roles)
        if account.roles & ~agency.roles:
            raise GenesisSpecError(
                f"{place}.roles",
                f"{account.roles & ~agency.roles!s} is beyond the roles of the agency",
            )
    for role in (Role.ADMIN, Role.GOVERN):
        if not any(role in account.roles for account in agency.accounts):
            raise GenesisSpecError(f"{field}.accounts", f"none has the role {role.name}")
    for index, validator in enumerate(agency.validators):
        _check_address(f"{field}.validators[{index}]", validator)
    _check_range(f"{field}.tls_pins", len(agency.tls_pins), 0, MAX_PINS, what="pins")
    for index, pin in enumerate(agency.tls_pins):
        _check_identifier(f"{field}.tls_pins[{index}]", pin)


def _validate_together(spec: GenesisSpec) -> None:
    """Check what spans agencies: nothing is named twice, and the validators are a usable set."""
    _check_unique(
        (f"agencies[{index}].agency_id", agency.agency_id)
        for index, agency in enumerate(spec.agencies)
    )
    _check_unique(
        (f"agencies[{i}].{field}", address)
        for i, agency in enumerate(spec.agencies)
        for field, address in [
            *((f"accounts[{k}].address", one.address) for k, one in enumerate(agency.accounts)),
            *((f"validators[{k}]", one) for k, one in enumerate(agency.validators)),
        ]
    )
    _check_unique(
        (f"agencies[{index}].tls_pins[{place}]", pin)
        for index, agency in enumerate(spec.agencies)
        for place, pin in enumerate(agency.tls_pins)
    )
    jurisdictions = len({agency.jurisdiction for agency in spec.agencies})
    _check_range("agencies", jurisdictions, 1, MAX_JURISDICTIONS, what="jurisdictions")
    validators = sum(len(agency.validators) for agency in spec.agencies)
    _check_range("agencies", validators, 1, MAX_VALIDATORS, what="validators")
    _check_range("minimum_validators", spec.minimum_validators, 1, validators)


def _check_range(field: str, value: int, low: int, high: int, *, what: str = "") -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise GenesisSpecError(field, f"{value!r} is not a whole number")
    if not low <= value <= high:
        counted = f" {what}" if what else ""
        raise GenesisSpecError(field, f"{value}{counted}: only {low} to {high} will do")


def _check_length(field: str, value: object, length: int) -> None:
    if not isinstance(value, bytes) or len(value) != length:
        raise GenesisSpecError(field, f"must have {length} bytes")


def _check_identifier(field: str, value: bytes) -> None:
    _check_length(field, value, 32)
    if not any(value):
        raise GenesisSpecError(field, "is zero")


def _check_address(field: str, value: bytes) -> None:
    _check_length(field, value, 20)
    if not any(value):
        raise GenesisSpecError(field, "is the zero address")


def _check_roles(field: str, roles: int) -> None:
    if not 0 < int(roles) <= int(ALL_ROLES):
        raise GenesisSpecError(field, f"{int(roles)} names no roles that this ledger knows")


def _check_unique(items: Iterable[tuple[str, bytes]]) -> None:
    seen: dict[bytes, str] = {}
    for field, value in items:
        if value in seen:
            raise GenesisSpecError(field, f"is the same as {seen[value]}")
        seen[value] = field

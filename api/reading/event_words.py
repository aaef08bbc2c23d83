"""The details of events in words: states, kinds, roles, reasons, times and parties.

An event is told by the names of the contract's interface. What it says in numbers (3 for a consent
that is withdrawn, 128 for a role, seconds since 1970) is told here as REST says it everywhere.
Which numbers an argument holds is known by its name, for `kind`, `state` and `reason` besides by
the kind of the event. A number that this version does not know stays a number.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum, StrEnum
from typing import Any, Final

from api.reading.facts import view_party
from api.reading.states import name_state
from api.rest.values import parse_optional_time
from api.rest.views import view_algorithm, view_reason, view_roles
from api.rest.words import (
    AssuranceLevel,
    BasisKind,
    ChannelWord,
    ConsentType,
    ExchangeMode,
    ExchangeStatus,
    InstrumentKind,
    LateWord,
    MandateType,
    SensitivityLevel,
    SharingClass,
    StopKind,
    WithdrawalOutcome,
    find_word,
)
from contracts.codes import (
    ConsentEntry,
    RecordKind,
    RecordState,
    Role,
)
from contracts.decisions import DecisionKind

PERIOD_EVENT: Final = "exchange.period"
LATE_VERB: Final = "marked_late"

PARTIES: Final = frozenset(
    {
        "agency",
        "entered_by",
        "from_jurisdiction",
        "issuer",
        "issuers",
        "jurisdiction",
        "owner",
        "paused_by",
        "proposer",
        "provider",
        "recipient",
        "requester",
        "to_jurisdiction",
    }
)
"""Arguments that are agencies or jurisdictions."""

TIMES: Final = frozenset(
    {
        "declared_at",
        "due",
        "effective",
        "event_time",
        "expires",
        "ready",
        "retention_until",
        "until",
        "valid_from",
        "valid_until",
    }
)
"""Arguments that are times in seconds; zero is none."""

_WORDS: Final[Mapping[str, type[StrEnum]]] = {
    "assurance": AssuranceLevel,
    "basis_kind": BasisKind,
    "channel": ChannelWord,
    "mode": ExchangeMode,
    "outcome": WithdrawalOutcome,
    "sensitivity": SensitivityLevel,
    "sharing": SharingClass,
}
_KINDS: Final[Mapping[str, type[StrEnum]]] = {
    "basis": BasisKind,
    "consent": ConsentType,
    "instrument": InstrumentKind,
    "mandate": MandateType,
    "stop": StopKind,
}
"""What `kind` means in the events of a kind of record."""

_SIDES: Final = ("from_jurisdiction", "to_jurisdiction")
_ZERO_SIZES: Final = (42, 66)


def name_details(event_kind: str, details: Mapping[str, Any]) -> dict[str, Any]:
    """Return the details of an event in words."""
    return {name: _name(event_kind, name, value) for name, value in details.items()}


def _name(event_kind: str, name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {inner: _name(event_kind, inner, item) for inner, item in value.items()}
    if isinstance(value, list):
        return [_name(event_kind, name, item) for item in value]
    if isinstance(value, str):
        return _name_bytes(name, value)
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    if name in TIMES:
        moment = parse_optional_time(value)
        return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return _name_number(event_kind, name, value)


def _name_bytes(name: str, value: str) -> str | None:
    if len(value) in _ZERO_SIZES and not value.strip("0x"):
        return None
    if name in PARTIES:
        return view_party(value)
    if name == "language":
        return bytes.fromhex(value[2:]).rstrip(b"\0").decode("ascii", "replace")
    return value


def _name_number(event_kind: str, name: str, value: int) -> Any:
    if name in _WORDS:
        return find_word(_WORDS[name], value)
    if name in {"kind", "state", "reason"}:
        return _BY_EVENT[name](event_kind, value)
    if name == "roles":
        return view_roles(Role(value))
    if name == "alg":
        return view_algorithm(value)
    if name == "suspended_by":
        return [side for bit, side in enumerate(_SIDES) if value >> bit & 1]
    return value


def _name_kind(event_kind: str, value: int) -> Any:
    record, _, verb = event_kind.partition(".")
    if record == "proposal":
        return _list_names(DecisionKind).get(value, value)
    if verb == LATE_VERB or record not in _KINDS:
        return _list_names(RecordKind).get(value, value)
    return find_word(_KINDS[record], value)


def _name_event_state(event_kind: str, value: int) -> Any:
    record = event_kind.partition(".")[0]
    if event_kind == PERIOD_EVENT or record == "period":
        return name_state("period", value)
    if record == "exchange":
        return find_word(ExchangeStatus, value)
    if record == "consent" and value > max(RecordState):
        return _list_names(ConsentEntry).get(value, value)
    return name_state(record, value)


def _name_reason(event_kind: str, value: int) -> Any:
    if event_kind.endswith(f".{LATE_VERB}"):
        return find_word(LateWord, value)
    return view_reason(value)


def _list_names(numbers: type[IntEnum]) -> dict[int, str]:
    return {int(number): number.name.lower() for number in numbers}


_BY_EVENT: Final[Mapping[str, Callable[[str, int], Any]]] = {
    "kind": _name_kind,
    "reason": _name_reason,
    "state": _name_event_state,
}

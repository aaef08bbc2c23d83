"""Events of the contracts, told as sentences.

A sentence takes its places from the arguments of the event, whether these come decoded from a log,
as JSON from the index or in words from REST. Parties are named by their labels, times in UTC,
numbers of the ledger by their words. What a newer contract emits and this version does not know is
told by its name.
"""

import json
import string
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row

from api.explorer.facts import EventFacts
from api.explorer.registry import Registry
from api.explorer.texts import Language
from api.index.law_events import CHANGES, CREATIONS
from api.reading.facts import read_number, view_party
from api.reading.models import view_agency
from api.records import compute_moment
from api.rest.words import (
    ExchangeStatus,
    LateWord,
    MandateType,
    StopKind,
    WithdrawalOutcome,
    find_word,
)
from contracts.codes import PeriodState, RecordKind, RecordState
from contracts.decisions import DecisionKind


def _name_kind(kind: str | Callable[..., str], verb: str) -> str:
    return f"{kind}.{verb}" if isinstance(kind, str) else f".{verb}"


_PARTIES: Final = frozenset(
    {
        "agency", "entered_by", "issuer", "jurisdiction", "owner", "paused_by", "proposer",
        "provider", "recipient", "requester",
    }
)  # fmt: skip
_ACCOUNTS: Final = frozenset({"signer", "submitter"})
_TIMES: Final = frozenset({"declared_at", "due", "effective", "ready", "until", "valid_until"})

_CASES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "BasisEntered": lambda args: "voted" if args["is_voted"] else "supervisor",
    "ConsentGiven": lambda args: "resident" if _is_there(args["holder"]) else "agency",
    "ExchangeChanged": lambda args: _name(ExchangeStatus, args["state"]),
    "LeafNamed": lambda args: "missing" if args["is_missing"] else "named",
    "Voted": lambda args: "for" if args["approve"] else "against",
}
"""Which of its sentences an event has."""

_WORDS: Final[Mapping[tuple[str, str], type[StrEnum]]] = {
    ("MandateRecorded", "kind"): MandateType,
    ("MarkedLate", "reason"): LateWord,
    ("Stopped", "kind"): StopKind,
    ("WithdrawalAnswered", "outcome"): WithdrawalOutcome,
}
"""Arguments that are words, by event."""

_OTHERS: Final[Mapping[str, str]] = {
    "schema.registered": "SchemaRegistered",
    "schema.state": "SchemaStateChanged",
    "accreditation.given": "IssuerAccredited",
    "accreditation.withdrawn": "AccreditationWithdrawn",
    "attestation.created": "Attested",
    "attestation.state": "StateChanged",
    "batch.created": "BatchAttested",
    "batch.state": "StateChanged",
    "batch.leaf_state": "LeafStateChanged",
    "body.succeeded": "BoardSucceeded",
    "agency.admitted": "AgencyAdmitted",
    "agency.suspended": "AgencySuspended",
    "agency.reinstated": "AgencyReinstated",
    "agency.profile": "ProfileChanged",
    "agency.roles": "RolesChanged",
    "agency.key_added": "KeyAdded",
    "agency.key_revoked": "KeyRevoked",
    "agency.key_ends": "KeyEnds",
    "agency.paused_itself": "AgencyPausedItself",
    "agency.resumed": "AgencyResumed",
    "agency.paused": "AgencyPaused",
    "agency.pause_lifted": "PauseLifted",
    "agency.pin_added": "PinAdded",
    "agency.pin_withdrawn": "PinWithdrawn",
    "agency.validator_added": "ValidatorAdded",
    "agency.validator_removed": "ValidatorRemoved",
    "proposal.proposed": "Proposed",
    "proposal.voted": "Voted",
    "proposal.passed": "ProposalPassed",
    "proposal.reopened": "ProposalReopened",
    "proposal.executed": "ProposalExecuted",
    "proposal.withdrawn": "ProposalWithdrawn",
}
"""Events by what the index calls them, where its tables of the law do not say it."""

_LAW: Final[Mapping[str, str]] = {
    **{_name_kind(entry.kind, entry.verb): event for event, entry in CREATIONS.items()},
    **{_name_kind(entry.kind, entry.verb): event for event, entry in CHANGES.items()},
}
"""Events by kind and verb; by the verb alone where the kind depends on the event."""


def tell(language: Language, registry: Registry, event: str, args: Mapping[str, Any]) -> str:
    """Return the sentence of an event; `args` may be nested, as bytes or in hexadecimal."""
    flat = _flatten(args)
    case = _CASES.get(event)
    key = f"event.{event}" if case is None else f"event.{event}.{case(flat)}"
    text = language.texts.get(key)
    if text is None:
        return event
    places = [name for _, name, _, _ in string.Formatter().parse(text) if name]
    return text.format(**{name: _write(language, registry, event, name, flat) for name in places})


def tell_row(language: Language, registry: Registry, row: Row[Any]) -> str:
    """Return the sentence of an event of the index."""
    event = find_event_name(row.kind)
    args = None if row.details is None else json.loads(row.details)
    if args is None:  # attestations, of which the index keeps no details: there are too many
        agency = bytes(row.agency)
        related = None if row.related is None else bytes(row.related)
        args = dict.fromkeys(("owner", "issuer"), agency) | {
            "agency": related if row.kind.startswith("accreditation.") else agency,
            "index": row.place,
            "state": row.state,
            "key": row.key,
        }
    return tell(language, registry, event, args)


def tell_line(language: Language, registry: Registry, row: Row[Any]) -> dict[str, Any]:
    """Return a line of a history from the index, as the template of histories takes it."""
    through = None if row.submitter is None else name_key(language, registry, row.submitter)
    return {
        "text": tell_row(language, registry, row),
        "reason": None,
        "block_time": row.time_s,
        "block": row.block,
        "transaction": "0x" + bytes(row.transaction_hash).hex(),
        "by": None if row.key is None else name_key(language, registry, row.key),
        "through": through,
    }


def tell_fields(language: Language, registry: Registry, event: EventFacts) -> str:
    """Return the sentence of a decoded event; of equal names the first counts."""
    args = {field.name: field.value for field in reversed(event.fields)}
    return tell(language, registry, event.event, args)


def find_event_name(kind: str) -> str:
    """Return the contracts' name of what the index calls `kind`, such as `consent.withdrawn`."""
    verb = kind.partition(".")[2]
    return _OTHERS.get(kind) or _LAW.get(kind) or _LAW.get(f".{verb}") or kind


def name_key(language: Language, registry: Registry, key: Any) -> str:
    """Return who holds a key: the agency's label, or that it is a resident's."""
    if key is None:
        return language.say("unknown")
    address = key if isinstance(key, str) else "0x" + bytes(key).hex()
    agency = registry.by_address.get(address.lower())
    return language.say("resident_key") if agency is None else view_agency(agency)


def _write(
    language: Language, registry: Registry, event: str, name: str, args: Mapping[str, Any]
) -> str:
    if name == "actor":
        return name_key(language, registry, args.get("key"))
    if name not in args:
        return language.say("unknown")
    value = args[name]
    if name in _PARTIES:
        return (_is_word(value) and str(value)) or view_party(value) or language.say("none")
    if name in _ACCOUNTS:
        return name_key(language, registry, value)
    if name in _TIMES:
        return _write_time(language, value)
    if value is None:
        return language.say("none")
    if _is_word(value):
        return language.name_code(_find_group(event, name), value)
    if (event, name) in _WORDS:
        return language.name_code("word", _name(_WORDS[event, name], value))
    if name in {"state", "kind"}:
        return _write_code(language, event, name, read_number(value))
    return str(read_number(value))


def _find_group(event: str, name: str) -> str:
    """Return where the texts have the words of an argument."""
    if name == "kind" and event == "Proposed":
        return "decision"
    return "state" if name == "state" else "word"


def _write_code(language: Language, event: str, name: str, value: int) -> str:
    group = _find_group(event, name)
    try:
        if event == "PeriodChanged":
            return language.name_code(group, PeriodState(value).name.lower())
        numbers = {"state": RecordState, "decision": DecisionKind, "word": RecordKind}[group]
        return language.name_code(group, numbers(value).name.lower())
    except ValueError:  # a code that a newer contract uses
        return str(value)


def _write_time(language: Language, value: Any) -> str:
    if value is None or (not _is_word(value) and read_number(value) == 0):
        return language.say("no_end")
    moment = (
        datetime.fromisoformat(value) if _is_word(value) else compute_moment(read_number(value))
    )
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _name(words: type[StrEnum], value: Any) -> str:
    if _is_word(value):
        return str(value)
    word = find_word(words, read_number(value))
    return str(value) if word is None else word.value


def _is_word(value: Any) -> bool:
    """Tell whether REST has put a value into words already: a label, a time, a word."""
    return isinstance(value, str) and not value.startswith("0x")


def _is_there(value: Any) -> bool:
    if value is None:
        return False
    return bool(value.strip("0x")) if isinstance(value, str) else any(value)


def _flatten(args: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments by name; of equal names the outermost, else the first, counts."""
    flat = {name: value for name, value in args.items() if not isinstance(value, Mapping)}
    for value in args.values():
        if isinstance(value, Mapping):
            flat = _flatten(value) | flat
    return flat

"""Decoded calls and events as named fields that a person can read and follow.

The contracts speak in numbers and 32-byte words; the name of a parameter says what it is. A
parameter that is not listed here is shown as what its bytes are, never guessed at.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from api.explorer.facts import EventFacts, Field, FieldKind
from api.rest.words import (
    AssuranceLevel,
    BasisKind,
    ChannelWord,
    ConsentType,
    ExchangeMode,
    InstrumentKind,
    MandateType,
    SensitivityLevel,
    SharingClass,
    StopKind,
    WithdrawalOutcome,
    find_word,
)
from contracts import codec
from contracts.address_book import GENESIS_BOOK, AddressBook
from contracts.addresses import AGENCY_REGISTRY_NAME, EXCHANGES_NAME
from contracts.codes import (
    CommitmentAlgorithm,
    ExchangeState,
    PeriodState,
    Reason,
    RecordState,
    Role,
)
from contracts.decisions import DecisionKind, decode_payload
from contracts.errors import CodecError
from contracts.labels import format_identifier

_KINDS: Final[Mapping[str, FieldKind]] = {
    "agency": "agency",
    "agency_id": "agency",
    "issuer": "agency",
    "owner": "agency",
    "proposer": "agency",
    "jurisdiction": "jurisdiction",
    "from_jurisdiction": "jurisdiction",
    "to_jurisdiction": "jurisdiction",
    "entered_by": "agency",
    "paused_by": "agency",
    "provider": "agency",
    "recipient": "agency",
    "requester": "agency",
    "uid": "record",
    "batch_uid": "record",
    "previous": "record",
    "successor": "record",
    "basis": "record",
    "body": "record",
    "consent": "record",
    "cross_border_consent": "record",
    "dataset": "record",
    "exchange": "record",
    "instrument": "record",
    "mandate": "record",
    "notice": "record",
    "onward_of": "record",
    "parent": "record",
    "purpose": "record",
    "sensitive_consent": "record",
    "schema": "schema",
    "schema_uid": "schema",
    "account": "account",
    "key": "account",
    "first_key": "account",
    "validator": "account",
    "proxy": "account",
    "implementation": "account",
    "new_implementation": "account",
    "holder": "account",
    "signer": "account",
    "submitter": "account",
    "valid_from": "time",
    "valid_until": "time",
    "event_time": "time",
    "expires": "time",
    "due": "time",
    "declared_at": "time",
    "effective": "time",
    "until": "time",
    "ready": "time",
    "deadline": "time",
    "retention_until": "time",
    "state": "state",
    "reason": "reason",
    "alg": "algorithm",
    "roles": "roles",
}


_WORDS: Final[Mapping[str, type[StrEnum]]] = {
    "sharing": SharingClass,
    "sensitivity": SensitivityLevel,
    "mode": ExchangeMode,
    "channel": ChannelWord,
    "assurance": AssuranceLevel,
    "outcome": WithdrawalOutcome,
    "basis_kind": BasisKind,
}
"""Arguments that are words wherever they stand."""

_KIND_WORDS: Final[Mapping[str, type[StrEnum]]] = {
    "BasisEntered": BasisKind,
    "enter_basis": BasisKind,
    "ConsentGiven": ConsentType,
    "give": ConsentType,
    "InstrumentEntered": InstrumentKind,
    "enter_instrument": InstrumentKind,
    "MandateRecorded": MandateType,
    "Stopped": StopKind,
    "stop": StopKind,
}
"""What `kind` means in an event or a call."""


_MASKS: Final = frozenset({"fields", "scope", "mandate_scope"})
"""Numbers of which each bit stands for something."""

_CARRIERS: Final = frozenset({"relay", "act_late"})
"""Functions that carry a call of the same contract: signed elsewhere, or posted late."""


def decode_input(
    to: bytes | None, data: bytes, book: AddressBook = GENESIS_BOOK
) -> tuple[str, str, tuple[Field, ...]] | None:
    """Return contract, function and arguments of a call to the ledger's contracts; else None."""
    contract = None if to is None else book.find_name(to)
    if contract is None:
        return None
    try:
        call = codec.decode_call(contract, data)
    except CodecError:
        return None
    fields = read_fields(contract, call.args, call.function)
    return contract, call.function, fields


def decode_event(
    address: bytes,
    topics: tuple[bytes, ...],
    data: bytes,
    log_index: int,
    book: AddressBook = GENESIS_BOOK,
) -> EventFacts | None:
    """Return an event of the ledger's contracts; None for any other."""
    contract = book.find_name(address)
    if contract is None:
        return None
    try:
        log = codec.decode_log(contract, topics, data)
    except CodecError:
        return None
    return EventFacts(
        contract=contract,
        event=log.event,
        log_index=log_index,
        fields=read_fields(contract, log.args, log.event),
    )


def read_fields(contract: str, args: Mapping[str, Any], where: str = "") -> tuple[Field, ...]:
    """Return decoded arguments as fields; a proposal's payload is opened.

    `where` is the event or function, which tells what its kinds are.
    """
    fields: list[Field] = []
    for name, value in args.items():
        if contract == AGENCY_REGISTRY_NAME and name == "kind":
            fields.append(_read_decision(value))
        elif name == "payload" and "kind" in args:
            fields.extend(_open_payload(args["kind"], value))
        elif name == "call" and where in _CARRIERS:
            fields.extend(_open_call(contract, value))
        elif name == "state" and contract == EXCHANGES_NAME:
            fields.append(_read_exchange_state(value, is_period="period" in args))
        else:
            fields.extend(_read_named(where, *item) for item in _flatten(name, value))
    return tuple(fields)


def read_field(name: str, value: Any) -> Field:
    """Return one argument as a field."""
    kind = _KINDS.get(name)
    if isinstance(value, bool):
        return Field(name=name, kind="flag", value=value, label="yes" if value else "no")
    if isinstance(value, int):
        if name in _MASKS:
            return Field(name=name, kind="bytes", value=value, label=hex(value))
        return _read_number(name, kind, value)
    data = bytes.fromhex(value[2:]) if isinstance(value, str) else bytes(value)
    text = "0x" + data.hex()
    if kind in {"account", "record", "schema"}:
        return Field(name=name, kind=kind, value=text, label=text)
    if kind in {"agency", "jurisdiction"}:
        return Field(name=name, kind=kind, value=text, label=format_identifier(data))
    return Field(name=name, kind="hash" if len(data) == 32 else "bytes", value=text, label=text)


def name_roles(roles: int) -> tuple[str, ...]:
    """Return the roles of a bit mask as words."""
    return tuple(str(role.name).lower() for role in Role if role in Role(roles))


def name_state(state: int) -> str:
    """Return a record's state as a word."""
    return RecordState(state).name.lower()


def name_reason(reason: int) -> str:
    """Return a reason as a word."""
    return Reason(reason).name.lower()


def name_algorithm(algorithm: int) -> str:
    """Return a hash algorithm's name."""
    return CommitmentAlgorithm(algorithm).name.lower()


def _read_named(where: str, name: str, value: Any) -> Field:
    words = _KIND_WORDS.get(where) if name == "kind" else _WORDS.get(name)
    word = find_word(words, value) if words is not None and isinstance(value, int) else None
    if word is None:
        return read_field(name, value)
    return Field(name=name, kind="word", value=value, label=word.value)


def _read_number(name: str, kind: FieldKind | None, value: int) -> Field:
    try:
        match kind:
            case "state":
                return Field(name=name, kind=kind, value=value, label=name_state(value))
            case "reason":
                return Field(name=name, kind=kind, value=value, label=name_reason(value))
            case "algorithm":
                return Field(name=name, kind=kind, value=value, label=name_algorithm(value))
            case "roles":
                label = ", ".join(name_roles(value)) or "none"
                return Field(name=name, kind=kind, value=value, label=label)
            case "time":
                return Field(name=name, kind=kind, value=value, label=str(value))
            case _:
                return Field(name=name, kind="number", value=value, label=str(value))
    except ValueError:  # a code that a newer contract uses
        return Field(name=name, kind="number", value=value, label=str(value))


def _flatten(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the named values of a struct or list, whatever is nested in it."""
    if isinstance(value, Mapping):
        for inner, item in value.items():
            yield from _flatten(inner, item)
    elif isinstance(value, tuple):
        for number, item in enumerate(value, start=1):
            yield from _flatten(f"{name} {number}", item)
    else:
        yield name, value


def _read_exchange_state(value: int, *, is_period: bool) -> Field:
    """Exchanges have states of their own, which are not those of records."""
    try:
        label = (PeriodState(value) if is_period else ExchangeState(value)).name.lower()
    except ValueError:  # a code that a newer contract uses
        label = str(value)
    return Field(name="state", kind="state", value=value, label=label)


def _read_decision(value: int) -> Field:
    try:
        label = DecisionKind(value).name.lower()
    except ValueError:
        label = str(value)
    return Field(name="kind", kind="decision", value=value, label=label)


def _open_payload(kind: int, payload: bytes) -> list[Field]:
    try:
        opened = decode_payload(kind, payload)
    except CodecError:
        return [read_field("payload", payload)]
    return [read_field(name, value) for name, value in opened.items()]


def _open_call(contract: str, data: bytes) -> list[Field]:
    """Return what a carried call does, by contract and function, and its arguments."""
    try:
        call = codec.decode_call(contract, data)
    except CodecError:
        return [read_field("call", data)]
    label = f"{contract}.{call.function}"
    carried = Field(name="call", kind="call", value="0x" + bytes(data).hex(), label=label)
    return [carried, *read_fields(contract, call.args, call.function)]

"""What the events of the ledger's law mean for the index, as a table.

An event either creates a record or changes one. `CREATIONS` says for each creating event which kind
of record it makes, which of its arguments fill the columns, and which other records it names;
`CHANGES` says what the other events do to a record. An argument inside a struct is written with a
dot, such as `terms.provider`. An argument that an event does not have is left out, so that an older
or newer contract's event is read as far as it goes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from contracts.codes import ExchangeState, RecordKind, RecordState

PARTY: Final = "party"
"""Role of the link to every agency that a record names: either side finds its records by it."""

Args = Mapping[str, Any]


OF_DATASET: Final = "of_dataset"
OF_PURPOSE: Final = "of_purpose"
OF_BASIS: Final = "of_basis"
"""Roles of links to what a record is about by way of another one: a period by its exchange, a stop
by its subject. They serve the filters of lists; provenance follows the direct ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """What an event that makes a record says of it."""

    kind: str | Callable[[Args], str]
    """Kind of the record."""
    verb: str
    """What happened, for the history: `dataset.registered`."""
    agency: str
    """Argument that names whose record it is."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Column by argument; zero words are left out."""
    links: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Role of a link by the arguments that name its targets."""
    scopes: str | None = None
    """Argument that lists scopes, each of which names parties, dataset and purpose."""
    name_further: Callable[[Args], Mapping[str, Any]] = lambda _args: {}
    """Further links, target by role, that depend on more than one argument."""
    state: int = RecordState.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an event does to a record that there is."""

    kind: str | Callable[[Args], str]
    verb: str
    agency: str
    """Argument that names who did it, or whose record it is."""
    state: Callable[[Args], int | None] = lambda _args: None
    """The record's state from now on; None if it stays."""
    columns: Mapping[str, str] = field(default_factory=dict)
    place: str | None = None
    """Argument that numbers a part of the record, for its history."""
    party: str | None = None
    """Argument that names an agency which is a party to the record from now on."""


def get_argument(args: Args, path: str) -> Any:
    """Return an argument by its path; None if the event has none, or only a zero word."""
    value: Any = args
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, bytes) and not any(value):
        return None
    return value


_TEXT_KINDS: Final[Mapping[int, str]] = {7: "notice", 8: "purpose"}


def _get_text_kind(args: Args) -> str:
    return _TEXT_KINDS.get(args["kind"], "text")


def _get_numbered_kind(args: Args) -> str:
    kind = RecordKind(args["kind"])
    return "key_binding" if kind is RecordKind.BINDING else kind.name.lower()


KINDS_BY_NUMBER: Final[Mapping[Callable[[Args], str], tuple[str, ...]]] = {
    _get_text_kind: tuple(_TEXT_KINDS.values()),
    _get_numbered_kind: tuple(_get_numbered_kind({"kind": kind}) for kind in RecordKind),
}
"""Which kinds of records an event can be about that says it by a number."""


def _get_state(args: Args) -> int:
    return int(args["state"])


def _get_exchange_state(args: Args) -> int | None:
    state = int(args["state"])
    return None if state == ExchangeState.VOID_SIGNED else state


_STOPPED: Final[Mapping[int, str]] = {1: OF_DATASET, 3: OF_BASIS}
"""Roles of the link to what is stopped, by the kind of stop; a pair is no record."""


def _name_stopped(args: Args) -> Mapping[str, Any]:
    role = _STOPPED.get(args["kind"])
    return {} if role is None else {role: args["subject"]}


def _set(state: int) -> Callable[[Args], int]:
    return lambda _args: state


POLICY_PROPOSED: Final = 6
"""State of a policy that one side has signed."""

_VALIDITY: Final = {"valid_from_s": "terms.valid_from", "valid_until_s": "terms.valid_until"}

CREATIONS: Final[Mapping[str, Creation]] = {
    "DatasetRegistered": Creation(
        kind="dataset",
        verb="registered",
        agency="owner",
        columns={"place": "version", "subkind": "terms.sharing", "previous": "previous"},
        links={"previous": ("previous",), "law": ("terms.legal_reference",)},
    ),
    "TextPublished": Creation(
        kind=_get_text_kind,
        verb="published",
        agency="owner",
        columns={"place": "version", "previous": "previous"},
        links={"previous": ("previous",)},
    ),
    "BasisEntered": Creation(
        kind="basis",
        verb="entered",
        agency="entered_by",
        columns={"subkind": "terms.kind", **_VALIDITY},
        links={
            "law": ("terms.law_hash",),
            "jurisdiction": ("terms.from_jurisdiction", "terms.to_jurisdiction"),
        },
        scopes="scopes",
    ),
    "InstrumentEntered": Creation(
        kind="instrument",
        verb="entered",
        agency="entered_by",
        columns={"subkind": "terms.kind", **_VALIDITY},
        links={"dataset": ("terms.dataset",), PARTY: ("terms.provider", "terms.recipient")},
    ),
    "Stopped": Creation(
        kind="stop",
        verb="stopped",
        agency="entered_by",
        columns={"subkind": "kind", "valid_until_s": "until"},
        links={"subject": ("subject",)},
        name_further=_name_stopped,
    ),
    "KeyBound": Creation(
        kind="key_binding",
        verb="bound",
        agency="agency",
        columns={"valid_until_s": "valid_until"},
    ),
    "ConsentGiven": Creation(
        kind="consent",
        verb="given",
        agency="provider",
        columns={"subkind": "terms.kind", "counterparty": "recipient", **_VALIDITY},
        links={
            "dataset": ("terms.dataset",),
            "purpose": ("terms.purpose",),
            "notice": ("terms.notice",),
            "mandate": ("mandate",),
            PARTY: ("recipient", "origin.agency"),
        },
    ),
    "Requested": Creation(
        kind="exchange",
        verb="requested",
        agency="requester",
        columns={
            "subkind": "request.mode",
            "counterparty": "provider",
            "due_s": "request.due",
            "valid_until_s": "request.valid_until",
        },
        links={
            "dataset": ("request.dataset",),
            "purpose": ("request.purpose",),
            "basis": ("request.basis",),
            "instrument": ("request.instrument",),
            "consent": (
                "request.consent",
                "request.sensitive_consent",
                "request.cross_border_consent",
            ),
            "mandate": ("links.mandate",),
            "onward_of": ("links.onward_of",),
            PARTY: ("provider",),
        },
        state=ExchangeState.REQUESTED,
    ),
    "MandateRecorded": Creation(
        kind="mandate",
        verb="recorded",
        agency="agency",
        columns={"subkind": "terms.kind", "place": "board", **_VALIDITY},
        links={"body": ("body",), "parent": ("terms.parent",), "scope": ("terms.scope_list_hash",)},
    ),
    "PolicyProposed": Creation(
        kind="policy",
        verb="proposed",
        agency="agency",
        columns=_VALIDITY,
        links={
            "schema": ("terms.schema",),
            "jurisdiction": ("terms.from_jurisdiction", "terms.to_jurisdiction"),
        },
        state=POLICY_PROPOSED,
    ),
    "PostEstablished": Creation(kind="post", verb="established", agency="agency"),
}

LATE_EVENT: Final = "MarkedLate"
"""The event that goes with every act which was posted later than the limit allows."""

CHANGES: Final[Mapping[str, Change]] = {
    LATE_EVENT: Change(kind=_get_numbered_kind, verb="marked_late", agency="agency"),
    "DatasetStateChanged": Change(
        kind="dataset", verb="state", agency="owner", state=_get_state, columns={"reason": "reason"}
    ),
    "TextStateChanged": Change(
        kind=_get_text_kind,
        verb="state",
        agency="owner",
        state=_get_state,
        columns={"reason": "reason"},
    ),
    "BasisStateChanged": Change(
        kind="basis", verb="state", agency="agency", state=_get_state, columns={"reason": "reason"}
    ),
    "InstrumentStateChanged": Change(
        kind="instrument",
        verb="state",
        agency="agency",
        state=_get_state,
        columns={"reason": "reason"},
    ),
    "StopLifted": Change(
        kind="stop", verb="lifted", agency="entered_by", state=_set(RecordState.REVOKED)
    ),
    "ConfirmationDemanded": Change(
        kind="consent",
        verb="confirmation_demanded",
        agency="provider",
        state=_set(RecordState.SUSPENDED),
    ),
    "ConsentConfirmed": Change(
        kind="consent",
        verb="confirmed",
        agency="agency",
        state=_set(RecordState.ACTIVE),
        party="agency",
    ),
    "ConsentWithdrawn": Change(
        kind="consent",
        verb="withdrawn",
        agency="agency",
        state=_set(RecordState.REVOKED),
        columns={"ended_s": "declared_at", "due_s": "due"},
    ),
    "WithdrawalAnswered": Change(
        kind="consent", verb="withdrawal_answered", agency="recipient", place="outcome"
    ),
    "WithdrawalPassedOn": Change(kind="consent", verb="withdrawal_passed_on", agency="recipient"),
    "ReleasesListed": Change(
        kind="consent", verb="releases_listed", agency="provider", place="remedies"
    ),
    "BoundOnward": Change(
        kind="consent", verb="bound_onward", agency="recipient", party="recipient"
    ),
    "QuotaMoved": Change(kind="consent", verb="quota", agency="provider", place="used"),
    "ExchangeChanged": Change(
        kind="exchange",
        verb="state",
        agency="requester",
        state=_get_exchange_state,
        columns={"reason": "reason"},
    ),
    "PeriodChanged": Change(kind="exchange", verb="period", agency="requester", place="period"),
    "LeafNamed": Change(kind="exchange", verb="leaf_named", agency="agency", place="index"),
    "MandateEnded": Change(
        kind="mandate",
        verb="ended",
        agency="agency",
        state=_set(RecordState.REVOKED),
        columns={"reason": "reason"},
    ),
    "PostAbolished": Change(
        kind="post", verb="abolished", agency="agency", state=_set(RecordState.REVOKED)
    ),
    "TermBegun": Change(kind="post", verb="term_begun", agency="agency", place="seat"),
    "TermEnded": Change(kind="post", verb="term_ended", agency="agency", place="seat"),
    "HandedOver": Change(kind="post", verb="handed_over", agency="agency"),
    "PostKeyGiven": Change(kind="post", verb="key_given", agency="agency"),
    "PostKeyEnded": Change(kind="post", verb="key_ended", agency="agency"),
    "PolicySigned": Change(
        kind="policy",
        verb="signed",
        agency="agency",
        state=_set(RecordState.ACTIVE),
        columns={"previous": "previous"},
        party="agency",
    ),
    "PolicyStateChanged": Change(
        kind="policy", verb="state", agency="agency", state=_get_state, columns={"reason": "reason"}
    ),
}

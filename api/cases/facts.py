"""Everything about one exchange of a case: from index, contracts, texts and vault."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from atesta_client.envelopes import Envelope
from sqlalchemy import Connection, Row

from api.cases.likeness import Elsewhere, Likeness, describe, look_elsewhere
from api.cases.register import CaseFile
from api.index import law_queries, queries
from api.index.queries import Page
from api.ledger import BlockSummary
from api.reading.facts import Surroundings, read_number
from api.reading.live import read_consent, read_exchange
from api.reading.surroundings import gather_surroundings
from api.rest.services import RestServices
from api.vault.restrictions import RecordRestricted, Restriction
from contracts.codes import ExchangeState, RecordState

_MAX_EVENTS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFacts:
    """A record that an exchange rests on."""

    row: Row[Any]
    terms: Mapping[str, Any]
    events: Sequence[Row[Any]]
    """Its history, oldest first."""
    live: Mapping[str, Any] | None = None
    """What the contract says of it now, where that is needed."""

    def was_active(self, at_s: int) -> bool:
        """Tell whether it was in force at a block's time."""
        start, end = self.row.valid_from_s or 0, self.row.valid_until_s or 0
        if self.row.time_s > at_s or start > at_s or (end and end <= at_s):
            return False
        states = [
            event.state for event in self.events if event.state is not None and event.time_s <= at_s
        ]
        return not states or states[-1] == RecordState.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeFacts:
    """One exchange with all that it rests on."""

    row: Row[Any]
    terms: Mapping[str, Any]
    events: Sequence[Row[Any]]
    live: Mapping[str, Any]
    """The exchange as the contract has it."""
    materials: Mapping[str, Envelope]
    """What this vault has of it, by role; nothing while it is restricted."""
    restriction: Restriction | None
    """Set where it is kept for storage only, and this is read for something else."""
    basis: RecordFacts | None
    consents: Sequence[RecordFacts]
    dataset: RecordFacts | None
    purpose: RecordFacts | None
    notices: Mapping[str, RecordFacts]
    """Notices of the consents, by uid in hexadecimal."""
    periods: Sequence[Row[Any]]
    around: Surroundings
    case_file: CaseFile | None
    siblings: Sequence[Row[Any]]
    """The other exchanges of the case on the same ledger."""
    elsewhere: Elsewhere
    """What other ledgers have of the case."""
    now_s: int
    """Time of the last final block."""

    @property
    def asked(self) -> Mapping[str, Any]:
        """The request's terms."""
        asked: Mapping[str, Any] = self.terms["request"]
        return asked

    @property
    def fields(self) -> list[str] | None:
        """The pointers asked for; None where the dataset's text is not here."""
        return self.around.name_fields(self.asked["dataset"], read_number(self.asked["fields"]))

    @property
    def dataset_likeness(self) -> Likeness | None:
        """What makes the dataset the same on another ledger; None if the index lacks it."""
        return None if self.dataset is None else describe(self.dataset.row)

    @property
    def purpose_likeness(self) -> Likeness | None:
        """What makes the purpose the same on another ledger; None if the index lacks it."""
        return None if self.purpose is None else describe(self.purpose.row)

    @property
    def judged_s(self) -> list[int]:
        """The block times at which the contract judged the law: request, approval, releases."""
        return [
            event.time_s
            for event in self.events
            if event.kind == "exchange.requested"
            or event.state in (ExchangeState.APPROVED, ExchangeState.RELEASED)
        ]

    def find_event(self, state: ExchangeState) -> Row[Any] | None:
        """Return the first event that led to a state."""
        return next((event for event in self.events if event.state == state), None)


async def gather_case(
    services: RestServices, uids: Sequence[bytes], case_file: CaseFile | None
) -> list[ExchangeFacts]:
    """Return the facts of a case's exchanges, in the order asked; only of those that are final."""
    head = await services.ledger.get_head()
    rows = await services.index.read(
        lambda c: law_queries.get_law_records(c, uids, kinds=("exchange",))
    )
    known = [rows[uid] for uid in uids if uid in rows]
    elsewhere = await look_elsewhere(services, uids, case_file)
    return [
        await _gather_one(services, row, known, head, case_file=case_file, elsewhere=elsewhere)
        for row in known
    ]


async def _gather_one(
    services: RestServices,
    row: Row[Any],
    known: Sequence[Row[Any]],
    head: BlockSummary,
    *,
    case_file: CaseFile | None,
    elsewhere: Elsewhere,
) -> ExchangeFacts:
    terms = json.loads(row.terms)
    asked = terms["request"]
    uid = bytes(row.uid)
    consents = [
        asked[name]
        for name in ("consent", "sensitive_consent", "cross_border_consent")
        if asked[name].strip("0x")
    ]

    def load(connection: Connection) -> tuple[Any, ...]:
        given = [_load(connection, "consent", consent) for consent in consents]
        found = [fact for fact in given if fact is not None]
        notices = {
            fact.terms["terms"]["notice"]: _load(
                connection, "notice", fact.terms["terms"]["notice"]
            )
            for fact in found
        }
        periods = [
            period
            for _, kind, target in law_queries.list_linking(connection, uid, role="exchange")
            if kind == "period"
            and (period := law_queries.get_law_record(connection, target, kind=kind)) is not None
        ]
        return (
            queries.list_history(connection, Page(limit=_MAX_EVENTS), uid=uid, kind="exchange"),
            _load(connection, "basis", asked["basis"]),
            _load(connection, "dataset", asked["dataset"]),
            _load(connection, "purpose", asked["purpose"]),
            found,
            {name: fact for name, fact in notices.items() if fact is not None},
            periods,
        )

    events, basis, dataset, purpose, given, notices, periods = await services.index.read(load)
    materials, restriction = await _open_materials(services, uid)
    named = [fact.row for fact in (basis, dataset, purpose, *notices.values()) if fact is not None]
    return ExchangeFacts(
        row=row,
        terms=terms,
        events=events,
        live=(await read_exchange(services.ledger, row, head.number))["exchange"],
        materials=materials,
        restriction=restriction,
        basis=basis,
        consents=[
            RecordFacts(
                row=fact.row,
                terms=fact.terms,
                events=fact.events,
                live=await read_consent(services.ledger, fact.row, head.number),
            )
            for fact in given
        ],
        dataset=dataset,
        purpose=purpose,
        notices=notices,
        periods=periods,
        around=await gather_surroundings(services, [row, *named]),
        case_file=case_file,
        siblings=[other for other in known if other is not row],
        elsewhere=elsewhere,
        now_s=head.time_s,
    )


async def _open_materials(
    services: RestServices, uid: bytes
) -> tuple[Mapping[str, Envelope], Restriction | None]:
    """Return what the vault has of an exchange, or why it stays closed."""
    try:
        return await services.materials.get_all(uid), None
    except RecordRestricted as refused:
        return {}, refused.restriction


def _load(connection: Connection, kind: str, uid: str) -> RecordFacts | None:
    row = law_queries.get_law_record(connection, bytes.fromhex(uid[2:]), kind=kind)
    if row is None:
        return None
    return RecordFacts(
        row=row,
        terms=json.loads(row.terms),
        events=queries.list_history(
            connection, Page(limit=_MAX_EVENTS), uid=bytes(row.uid), kind=kind
        ),
    )

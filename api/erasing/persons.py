"""All that the vault has of one person, found by what names the person here.

Nothing on the ledger recurs in two records of a person, so only the vault can say what belongs
together: matching records lead from this agency's own reference to the handle with each other
agency, and envelopes are found again by that handle. Credentials name nobody to the vault; they are
found by the fields that name the certificate, which the caller has from the person. Exchanges that
rest on a consent are found through it, and a case file belongs to the person if no exchange of the
case is about somebody else. All ledgers of the API are looked through, and what was published of a
credential at its holder's request goes with it.

Not found are mandates and records that were made before handles were kept with them; these are
named one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from atesta_client.pointers import JsonValue
from sqlalchemy import Connection

from api.acts.exchange_request import CASE_ROLE, REQUEST_ROLE
from api.acts.key_bindings import BINDING_ROLE
from api.acts.subjects import SUBJECT_ROLE
from api.cases.register import FILE_ROLE, list_case_exchanges
from api.erasing.eraser import open_orders
from api.erasing.orders import YIELDING, ErasureOrder, PersonErasure
from api.index import law_queries
from api.publishing.evidence import list_published
from api.rest.services import RestServices
from api.retention.duties import Duty, find_duty
from api.vault.erasure import ErasureReason
from api.vault.holdings import Holding
from api.vault.merging import MERGE_ROLE
from api.vault.restrictions import RecordRestricted, Restriction, RestrictionCause
from api.vault.subjects import MATCH_ROLE

_KINDS: Final = {
    MATCH_ROLE: "matching_record",
    MERGE_ROLE: "merge",
    BINDING_ROLE: "key_binding",
    FILE_ROLE: "case_file",
}
"""What a record is that the ledger does not have, by the role of its material."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The fields that name one certificate of a schema."""

    schema_uid: bytes
    document: JsonValue
    pointers: tuple[str, ...]
    """The schema's pointers that name a certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What names a person here."""

    reference: str | None = None
    """This agency's own reference."""
    handles: tuple[bytes, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    records: tuple[bytes, ...] = ()
    """Further records, by uid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRecord:
    """One record of a person, and what is to become of it."""

    uid: bytes
    kind: str
    """Kind on the ledger, or `credential`, `matching_record`, `merge`, `key_binding`, `case_file`,
    `record`."""
    holds: tuple[str, ...]
    """What the vault has of it: `credential`, or roles of materials."""
    duty: Duty | None
    """The law that asks to keep it; None: it goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What erasing a person comes to."""

    records: tuple[PersonRecord, ...]

    @property
    def going(self) -> tuple[PersonRecord, ...]:
        """What would be erased."""
        return tuple(record for record in self.records if record.duty is None)

    @property
    def kept(self) -> tuple[PersonRecord, ...]:
        """What a law asks to keep."""
        return tuple(record for record in self.records if record.duty is not None)


async def plan_erasure(
    services: RestServices, person: Person, *, reason: ErasureReason, now_s: int
) -> Plan:
    """Look for everything of a person and say what goes and what a law keeps; changes nothing."""
    uids = await find_records(services, person)
    held = await _get_holdings(services, uids)
    kinds: dict[bytes, str] = {}
    for one in services.ledgers:
        kinds |= await one.index.read(
            lambda c: {uid: row.kind for uid, row in law_queries.get_law_records(c, uids).items()}
        )
    return Plan(
        records=tuple(
            PersonRecord(
                uid=uid,
                kind=_name_kind(held[uid], kinds.get(uid)),
                holds=tuple(sorted(one.role or "credential" for one in held[uid])),
                duty=_find_duty(services, held[uid], reason, now_s),
            )
            for uid in uids
            if uid in held
        )
    )


async def order_erasure(
    services: RestServices,
    plan: Plan,
    *,
    erasure_id: bytes,
    reason: ErasureReason,
    caller: str,
    now_s: int,
) -> list[ErasureOrder]:
    """Store what a plan says as one act; durable on return. Returns the orders.

    What a law keeps is restricted to storage in the same transaction, until the law's time is over.
    """
    orders = [
        ErasureOrder(uid=record.uid, reason=reason, caller=caller, ordered_s=now_s)
        for record in plan.going
    ]
    restrictions = [
        Restriction(
            uid=record.uid,
            cause=RestrictionCause.REQUEST,
            basis=record.duty.basis,
            legal_reference=record.duty.of.legal_reference,
            restricted_s=now_s,
            until_s=record.duty.until_s,
        )
        for record in plan.kept
        if record.duty is not None
    ]
    erasure = PersonErasure(
        id=erasure_id,
        reason=reason,
        caller=caller,
        ordered_s=now_s,
        records=len(orders),
        kept=len(restrictions),
    )
    return await open_orders(services).put_person(erasure, orders, restrictions)


async def find_duty_of(
    services: RestServices, uid: bytes, *, reason: ErasureReason, now_s: int
) -> Duty | None:
    """Return the law that asks to keep a record although somebody wants it gone."""
    held = await _get_holdings(services, [uid])
    return _find_duty(services, held.get(uid, []), reason, now_s)


async def find_records(services: RestServices, person: Person) -> list[bytes]:
    """Return the uids of all records of a person, each once, on whichever ledger they stand.

    Raises `UpstreamFault` where a ledger has to be asked and is away: nobody shall take what was
    found without it for everything.
    """
    materials, subjects = services.materials, services.subjects
    handles = dict.fromkeys(person.handles)
    if person.reference is not None:
        for agency in await _list_agencies(services):
            for subject in await subjects.list_by_reference(agency, person.reference):
                handles[subject.handle] = None
    found: dict[bytes, None] = {}
    for handle in handles:
        found[subjects.get_place(handle)] = None
        for role in (SUBJECT_ROLE, REQUEST_ROLE, BINDING_ROLE, MERGE_ROLE):
            found |= dict.fromkeys(await materials.list_by_reference(role, handle.hex()))
    found |= dict.fromkeys(await _find_resting(services, list(found)))
    for certificate in person.certificates:
        found |= dict.fromkeys(
            await services.vault.list_by_reference(
                certificate.schema_uid, certificate.document, certificate.pointers
            )
        )
    found |= dict.fromkeys(person.records)
    for uid in list(found):
        found |= dict.fromkeys(await list_published(services, uid))
    found |= dict.fromkeys(await _find_case_files(services, found))
    return list(found)


async def _list_agencies(services: RestServices) -> list[bytes]:
    """Return the agencies of all ledgers, each once: a person has a handle with each of them."""
    known: dict[bytes, None] = {}
    for one in services.ledgers:
        head = await one.ledger.get_head()
        known |= dict.fromkeys(await one.records.get_agency_ids(head.number))
    return list(known)


async def _find_resting(services: RestServices, uids: Sequence[bytes]) -> list[bytes]:
    """Return the exchanges that rest on consents among these records."""

    def load(connection: Connection) -> list[bytes]:
        consents = law_queries.get_law_records(connection, uids, kinds=("consent",))
        return [
            target
            for uid in consents
            for _, kind, target in law_queries.list_linking(connection, uid)
            if kind == "exchange"
        ]

    return [uid for one in services.ledgers for uid in await one.index.read(load)]


async def _find_case_files(services: RestServices, found: Mapping[bytes, None]) -> list[bytes]:
    """Return the files of cases that are about nobody else."""
    materials = services.materials
    files: list[bytes] = []
    seen: set[str] = set()
    for uid, role in await materials.list_held(list(found), (CASE_ROLE,)):
        try:
            envelope = await materials.find(uid, role)
        except RecordRestricted:
            # It was asked for before, and its case with it.
            continue
        number = None if envelope is None else envelope.body.get("number")
        if not isinstance(number, str) or number in seen:
            continue
        seen.add(number)
        if set(await list_case_exchanges(services, number)) <= found.keys():
            files += await materials.list_by_reference(FILE_ROLE, number)
    return files


async def _get_holdings(
    services: RestServices, uids: Sequence[bytes]
) -> dict[bytes, list[Holding]]:
    return await open_orders(services).list_holdings(uids)


def _find_duty(
    services: RestServices, holdings: Sequence[Holding], reason: ErasureReason, now_s: int
) -> Duty | None:
    if reason not in YIELDING:
        return None
    return find_duty(services.retention, holdings, now_s=now_s)


def _name_kind(holdings: Sequence[Holding], kind: str | None) -> str:
    if any(holding.schema_uid is not None for holding in holdings):
        return "credential"
    named = next((_KINDS[one.role] for one in holdings if one.role in _KINDS), None)
    return named or kind or "record"

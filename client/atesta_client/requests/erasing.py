"""Erasing what the agency's vault has: of one record, or of one person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Unpack

from atesta_client.answers import Erasure, PersonErasure, PersonPlan
from atesta_client.requests.encoding import Hex, JsonObject
from atesta_client.requests.request import Request, Writing, get, make_key, send


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCertificate:
    """A certificate, by the fields that its schema names certificates by."""

    schema_uid: Hex
    """The schema."""
    document: JsonObject
    """A document with these fields; others are not looked at."""


def erase_record(uid: Hex, *, reason: str, **options: Unpack[Writing]) -> Request[Erasure]:
    """Erase all that the vault has of a record for good, such as an exchange or a consent.

    - ``reason``: ``error``, ``superseded``, ``ended_by_law``, ``holder_request`` or ``security``.

    What a law asks to keep is not erased for its holder: the refusal says until when.
    """
    key = options.get("idempotency_key") or make_key()
    return send(Erasure, "POST", "/records/{uid}/erase", {"reason": reason}, key=key, uid=uid)


def get_record_erasure(uid: Hex) -> Request[Erasure]:
    """Ask whether a record is erased, since when and why."""
    return get(Erasure, "/records/{uid}/erasure", uid=uid)


def foresee_person_erasure(
    *,
    reference: str | None = None,
    handles: Sequence[Hex] = (),
    certificates: Sequence[NamedCertificate] = (),
    records: Sequence[Hex] = (),
    reason: str = "holder_request",
) -> Request[PersonPlan]:
    """List what erasing a person would take, and what a law asks to keep; changes nothing.

    - ``reference``: this agency's own reference of the person;
    - ``handles``: handles with other agencies;
    - ``certificates``: certificates that the person names;
    - ``records``: further records, by uid;
    - ``reason``: as in ``erase_record``.
    """
    body = _name(reference, handles, certificates, records, reason)
    return send(PersonPlan, "POST", "/persons/erasure-plan", body)


def erase_person(
    *,
    reference: str | None = None,
    handles: Sequence[Hex] = (),
    certificates: Sequence[NamedCertificate] = (),
    records: Sequence[Hex] = (),
    reason: str = "holder_request",
    **options: Unpack[Writing],
) -> Request[PersonErasure]:
    """Erase everything of a person as one act; members as in ``foresee_person_erasure``.

    What a law asks to keep is kept for storage only, and erased when its time is over.
    """
    body = _name(reference, handles, certificates, records, reason)
    key = options.get("idempotency_key") or make_key()
    return send(PersonErasure, "POST", "/persons/erase", body, key=key)


def get_person_erasure(erasure_id: Hex) -> Request[PersonErasure]:
    """Ask how far erasing a person has come."""
    return get(PersonErasure, "/persons/erasures/{id}", id=erasure_id)


def _name(
    reference: str | None,
    handles: Sequence[Hex],
    certificates: Sequence[NamedCertificate],
    records: Sequence[Hex],
    reason: str,
) -> dict[str, Any]:
    return {
        "reference": reference,
        "handles": list(handles),
        "certificates": list(certificates),
        "records": list(records),
        "reason": reason,
    }

"""People: handles between two agencies, and whose key a fresh key is."""

from datetime import datetime
from typing import Unpack

from atesta_client.answers import Accepted, KeyBinding, KnownSubject, LawEvent, Page
from atesta_client.requests.encoding import AgencyName, Hex
from atesta_client.requests.parts import SubjectItem
from atesta_client.requests.request import (
    Acting,
    Filters,
    Paging,
    Request,
    act,
    get,
    list_page,
    send,
)


def list_key_bindings(**filters: Unpack[Filters]) -> Request[Page[KeyBinding]]:
    """List key bindings, newest first."""
    return list_page(KeyBinding, "/key-bindings", {**filters})


def create_key_binding(
    *,
    holder: Hex,
    subject: SubjectItem,
    valid_until: datetime,
    counterparty: AgencyName | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Say, having checked it, whose key this is; the key then gives one consent.

    - ``holder``: address of the key that the resident made;
    - ``subject``: whose key it is;
    - ``valid_until``: until when the key may give its consent;
    - ``counterparty``: the other agency of the handle; needed with ``subject.reference``.
    """
    return act(
        "key_binding.create",
        "/key-bindings",
        {
            "holder": holder,
            "subject": subject,
            "valid_until": valid_until,
            "counterparty": counterparty,
        },
        options,
    )


def get_key_binding(uid: Hex) -> Request[KeyBinding]:
    """Read one key binding at the last settled block."""
    return get(KeyBinding, "/key-bindings/{uid}", uid=uid)


def get_key_binding_history(uid: Hex, **paging: Unpack[Paging]) -> Request[Page[LawEvent]]:
    """Everything that happened to one key binding."""
    return list_page(LawEvent, "/key-bindings/{uid}/history", {**paging}, uid=uid)


def create_subject(*, reference: str, counterparty: AgencyName) -> Request[KnownSubject]:
    """Get the handle of a person with another agency; made at first contact, then always the same.

    - ``reference``: this agency's own identifier of the person;
    - ``counterparty``: the other agency.
    """
    return send(
        KnownSubject, "POST", "/subjects", {"reference": reference, "counterparty": counterparty}
    )


def match_subject(
    *, reference: str, counterparty: AgencyName, handle: Hex
) -> Request[KnownSubject]:
    """Note that a handle which the other agency made belongs to a person of this agency.

    - ``reference``: this agency's own identifier of the person;
    - ``counterparty``: the other agency;
    - ``handle``: the handle that was received;

    What contradicts a record is a merge: ``propose_merge``, and another officer decides.
    """
    return send(
        KnownSubject,
        "POST",
        "/subjects/match",
        {
            "reference": reference,
            "counterparty": counterparty,
            "handle": handle,
        },
    )


def find_subject(*, handle: Hex) -> Request[KnownSubject]:
    """Ask whom a handle means, in this agency's vault.

    - ``handle``: the handle.
    """
    return send(KnownSubject, "POST", "/subjects/find", {"handle": handle})

"""Schemas: which fields a kind of document has, and who may attest under it."""

from collections.abc import Sequence
from typing import Unpack

from atesta_client.answers import Accepted, Accreditation, Page, SchemaAnswer
from atesta_client.requests.encoding import AgencyName, Hex, PredicateItem
from atesta_client.requests.request import (
    Acting,
    Paging,
    Request,
    Writing,
    act,
    get,
    list_page,
    send,
    write,
)


def list_schemas(
    *, owner: AgencyName | None = None, **paging: Unpack[Paging]
) -> Request[Page[SchemaAnswer]]:
    """List schemas.

    - ``owner``: only schemas of this agency.
    """
    return list_page(SchemaAnswer, "/schemas", {"owner": owner, **paging})


def create_schema(
    *,
    title: str,
    pointers: Sequence[str],
    uid: Hex | None = None,
    reference: Sequence[str] = (),
    predicates: Sequence[PredicateItem] = (),
    **options: Unpack[Writing],
) -> Request[Accepted]:
    """Register a schema: the ordered fields that a commitment covers.

    - ``title``: name for people; stays off the chain;
    - ``pointers``: ordered JSON pointers, one leaf each; fields outside are refused. The chain
      keeps their hash. ``/cnf``, where present, is the holder's key (RFC 7800);
    - ``uid``: 32 random bytes chosen by the caller; made here when absent;
    - ``reference``: which pointers together name one certificate, so that the issuer's vault
      notices the same one attested twice;
    - ``predicates``: yes/no fields, which issuing computes: ``AgeAtLeast``, ``Below``, ``OneOf``.
    """
    return write(
        "schema.create",
        "/schemas",
        {
            "title": title,
            "pointers": pointers,
            "uid": uid,
            "reference": reference,
            "predicates": list(predicates) or None,
        },
        options,
    )


def get_schema(uid: Hex) -> Request[SchemaAnswer]:
    """Read one schema."""
    return get(SchemaAnswer, "/schemas/{uid}", uid=uid)


def change_schema_state(
    uid: Hex,
    *,
    state: str,
    reason: str,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Suspend, reinstate or revoke; only the issuer may.

    - ``state``: the new state;
    - ``reason``: neutral reason code.
    """
    return act(
        "schema.state",
        "/schemas/{uid}/state",
        {"state": state, "reason": reason},
        options,
        uid=uid,
    )


def put_schema_text(
    uid: Hex,
    *,
    title: str,
    pointers: Sequence[str],
    reference: Sequence[str] = (),
    predicates: Sequence[PredicateItem] = (),
) -> Request[SchemaAnswer]:
    """Give the node the text of a schema that another agency registered.

    - ``title``: name for people;
    - ``pointers``: ordered pointers; refused unless their hash is the one on the chain;
    - ``reference``: pointers that name one certificate;
    - ``predicates``: yes/no fields, as they were registered.
    """
    return send(
        SchemaAnswer,
        "PUT",
        "/schemas/{uid}/text",
        {
            "title": title,
            "pointers": pointers,
            "reference": reference,
            "predicates": list(predicates) or None,
        },
        uid=uid,
    )


def list_accreditations(uid: Hex, **paging: Unpack[Paging]) -> Request[Page[Accreditation]]:
    """List who may or might attest under a schema."""
    return list_page(Accreditation, "/schemas/{uid}/accreditations", {**paging}, uid=uid)


def accredit(uid: Hex, agency: AgencyName, **options: Unpack[Writing]) -> Request[Accepted]:
    """Let an agency attest under a schema.

    - ``agency``: the agency to accredit.
    """
    return write(
        "accreditation.create",
        "/schemas/{uid}/accreditations",
        {"agency": agency},
        options,
        uid=uid,
    )


def withdraw_accreditation(
    uid: Hex, agency: AgencyName, **options: Unpack[Writing]
) -> Request[Accepted]:
    """Withdraw an accreditation."""
    return write(
        "accreditation.withdraw",
        "/schemas/{uid}/accreditations/{agency}",
        None,
        options,
        method="DELETE",
        uid=uid,
        agency=agency,
    )

"""The catalogue: datasets, notices and purposes."""

from collections.abc import Sequence
from typing import Unpack

from atesta_client.answers import Accepted, Dataset, FieldItem, LawEvent, Notice, Page, Purpose
from atesta_client.requests.encoding import Hex, JsonObject
from atesta_client.requests.parts import LegalReference
from atesta_client.requests.request import Acting, Filters, Paging, Request, act, get, list_page


def list_datasets(*, kind: str | None = None, **filters: Unpack[Filters]) -> Request[Page[Dataset]]:
    """List datasets, newest first.

    - ``kind``: only this kind.
    """
    return list_page(Dataset, "/datasets", {"kind": kind, **filters})


def register_dataset(
    *,
    title: str,
    fields: Sequence[FieldItem],
    sharing: str,
    uid: Hex | None = None,
    language: str | None = None,
    sensitivity: str = "ordinary",
    conditions: JsonObject | None = None,
    legal_reference: LegalReference | None = None,
    previous: Hex | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Enter a dataset into the catalogue.

    - ``title``: name for people;
    - ``fields``: the ordered fields; sets of fields are written with their pointers;
    - ``sharing``: ``unconditional``: released on a basis; ``conditional``: also needs a decision of
      the data officer, and states its conditions; ``not_shared``: never, by the law named;
    - ``uid``: 32 random bytes chosen by the caller; made here when absent;
    - ``language``: language of the texts (BCP 47);
    - ``sensitivity``: ``sensitive`` asks for a basis, and where that is consent, a consent, for it;
    - ``conditions``: under which conditions it is released; needed with ``conditional``;
    - ``legal_reference``: the law that it rests on; needed with ``not_shared``;
    - ``previous``: the owner's dataset of which this is the next version.
    """
    return act(
        "dataset.register",
        "/datasets",
        {
            "title": title,
            "fields": fields,
            "sharing": sharing,
            "uid": uid,
            "language": language,
            "sensitivity": sensitivity,
            "conditions": conditions,
            "legal_reference": legal_reference,
            "previous": previous,
        },
        options,
    )


def get_dataset(uid: Hex) -> Request[Dataset]:
    """Read one dataset at the last settled block."""
    return get(Dataset, "/datasets/{uid}", uid=uid)


def get_dataset_history(uid: Hex, **paging: Unpack[Paging]) -> Request[Page[LawEvent]]:
    """Everything that happened to one dataset."""
    return list_page(LawEvent, "/datasets/{uid}/history", {**paging}, uid=uid)


def list_notices(**filters: Unpack[Filters]) -> Request[Page[Notice]]:
    """List notices, newest first."""
    return list_page(Notice, "/notices", {**filters})


def publish_notice(
    *,
    title: str,
    language: str,
    text: str,
    uid: Hex | None = None,
    previous: Hex | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Publish a notice: what residents are shown before they consent, in one language.

    - ``title``: name for people;
    - ``language``: language (BCP 47);
    - ``text``: the notice as residents read it;
    - ``uid``: 32 random bytes chosen by the caller; made here when absent;
    - ``previous``: the notice that it replaces.
    """
    return act(
        "notice.publish",
        "/notices",
        {"title": title, "language": language, "text": text, "uid": uid, "previous": previous},
        options,
    )


def get_notice(uid: Hex) -> Request[Notice]:
    """Read one notice at the last settled block."""
    return get(Notice, "/notices/{uid}", uid=uid)


def get_notice_history(uid: Hex, **paging: Unpack[Paging]) -> Request[Page[LawEvent]]:
    """Everything that happened to one notice."""
    return list_page(LawEvent, "/notices/{uid}/history", {**paging}, uid=uid)


def list_purposes(**filters: Unpack[Filters]) -> Request[Page[Purpose]]:
    """List purposes, newest first."""
    return list_page(Purpose, "/purposes", {**filters})


def publish_purpose(
    *,
    code: str,
    title: str,
    uid: Hex | None = None,
    description: str = "",
    language: str | None = None,
    dpv: str | None = None,
    previous: Hex | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Publish a purpose: what data may be used for.

    - ``code``: short code for programs;
    - ``title``: name for people;
    - ``uid``: 32 random bytes chosen by the caller; made here when absent;
    - ``description``: what it covers, and what not;
    - ``language``: language of title and description (BCP 47);
    - ``dpv``: its term in W3C's Data Privacy Vocabulary;
    - ``previous``: the purpose that it replaces.
    """
    return act(
        "purpose.publish",
        "/purposes",
        {
            "code": code,
            "title": title,
            "uid": uid,
            "description": description,
            "language": language,
            "dpv": dpv,
            "previous": previous,
        },
        options,
    )


def get_purpose(uid: Hex) -> Request[Purpose]:
    """Read one purpose at the last settled block."""
    return get(Purpose, "/purposes/{uid}", uid=uid)


def get_purpose_history(uid: Hex, **paging: Unpack[Paging]) -> Request[Page[LawEvent]]:
    """Everything that happened to one purpose."""
    return list_page(LawEvent, "/purposes/{uid}/history", {**paging}, uid=uid)


def change_dataset_state(
    uid: Hex, *, state: str, reason: str, **options: Unpack[Acting]
) -> Request[Accepted]:
    """Suspend, reinstate (``active``) or revoke; what is revoked stays so.

    - ``state``: the new state;
    - ``reason``: neutral reason code.
    """
    return act(
        "dataset.state",
        "/datasets/{uid}/state",
        {"state": state, "reason": reason},
        options,
        uid=uid,
    )


def change_notice_state(
    uid: Hex, *, state: str, reason: str, **options: Unpack[Acting]
) -> Request[Accepted]:
    """Suspend, reinstate (``active``) or revoke; what is revoked stays so.

    - ``state``: the new state;
    - ``reason``: neutral reason code.
    """
    return act(
        "notice.state", "/notices/{uid}/state", {"state": state, "reason": reason}, options, uid=uid
    )


def change_purpose_state(
    uid: Hex, *, state: str, reason: str, **options: Unpack[Acting]
) -> Request[Accepted]:
    """Suspend, reinstate (``active``) or revoke; what is revoked stays so.

    - ``state``: the new state;
    - ``reason``: neutral reason code.
    """
    return act(
        "purpose.state",
        "/purposes/{uid}/state",
        {"state": state, "reason": reason},
        options,
        uid=uid,
    )

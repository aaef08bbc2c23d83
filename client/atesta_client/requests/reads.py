"""The record of reads: who opened what of the agency's vault, when, and what for."""

from datetime import datetime
from typing import Any, Unpack

from atesta_client.answers import Page, Read, read_page
from atesta_client.requests.encoding import Hex, encode_members, encode_query
from atesta_client.requests.request import Paging, Request, list_page


def list_reads(
    *,
    record: Hex | None = None,
    caller: str | None = None,
    purpose: str | None = None,
    operation: str | None = None,
    what: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    **paging: Unpack[Paging],
) -> Request[Page[Read]]:
    """List openings, newest first; the look itself is recorded as well.

    - ``record``: only of what belongs to this record;
    - ``caller``: only by this caller;
    - ``purpose``: only for this purpose;
    - ``operation``: only in the course of this operation;
    - ``what``: only this, such as ``credential``;
    - ``since``, ``until``: only from then, only before then.
    """
    query: dict[str, Any] = {
        "record": record,
        "caller": caller,
        "purpose": purpose,
        "operation": operation,
        "what": what,
        "since": since,
        "until": until,
        **paging,
    }
    return list_page(Read, "/reads", query)


def list_subject_reads(*, handle: Hex, **paging: Unpack[Paging]) -> Request[Page[Read]]:
    """List openings of what the vault holds of one person.

    - ``handle``: the person's handle with another agency.
    """
    return Request(
        method="POST",
        path="/subjects/reads",
        query=encode_query({**paging}),
        body=encode_members({"handle": handle}),
        read=lambda data: read_page(Read, data),
    )

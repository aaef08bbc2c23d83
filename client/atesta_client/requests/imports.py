"""Bulk imports: thousands of acts from one file."""

from typing import Final, Unpack

from atesta_client.answers import Import, Page, RejectedLine, read_answer
from atesta_client.requests.encoding import encode_query
from atesta_client.requests.request import (
    Paging,
    Request,
    Upload,
    Writing,
    get,
    list_page,
    make_key,
)

NDJSON: Final = "application/x-ndjson"
"""One JSON object a line."""
CSV: Final = "text/csv"
"""A header of member names, then a row for each act."""


def create_import(
    data: bytes, *, content_type: str = NDJSON, act: str | None = None, **options: Unpack[Writing]
) -> Request[Import]:
    """Import acts from a file, NDJSON or CSV; lines that are wrong are rejected one by one.

    - ``data``: the file, UTF-8; a line of NDJSON, or a row of CSV, is one act;
    - ``content_type``: :data:`NDJSON` or :data:`CSV`;
    - ``act``: the act that each line is one of; mandates when absent.

    The same key with the same file is the same import, also after a restart of either side.
    """
    return Request(
        method="POST",
        path="/imports",
        query=encode_query({"act": act}),
        upload=Upload(content_type=content_type, data=data),
        idempotency_key=options.get("idempotency_key") or make_key(),
        read=lambda answer: read_answer(Import, answer),
    )


def list_imports(**paging: Unpack[Paging]) -> Request[Page[Import]]:
    """List this agency's imports."""
    return list_page(Import, "/imports", {**paging})


def get_import(import_id: str) -> Request[Import]:
    """Read how far an import is."""
    return get(Import, "/imports/{id}", id=import_id)


def list_import_rejects(import_id: str, **paging: Unpack[Paging]) -> Request[Page[RejectedLine]]:
    """List the lines of an import that made nothing, and why."""
    return list_page(RejectedLine, "/imports/{id}/rejects", {**paging}, id=import_id)

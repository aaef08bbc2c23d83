"""Provenance: who did what to a record, when, and on what it rested."""

from typing import Any

from atesta_client.answers import Provenance, read_object
from atesta_client.requests.encoding import Hex
from atesta_client.requests.request import Request, build_path, get


def get_provenance(uid: Hex) -> Request[Provenance]:
    """Ask who did what to a record."""
    return get(Provenance, "/provenance/{uid}", uid=uid)


def get_prov_document(uid: Hex) -> Request[dict[str, Any]]:
    """Ask for the same as W3C PROV-JSON, which any PROV tool reads."""
    return Request(
        method="GET",
        path=build_path("/provenance/{uid}", {"uid": uid}),
        query={"format": "prov-json"},
        read=read_object,
    )

"""The node itself: its state, its writes, the member agencies, evidence against validators."""

from typing import Any, Unpack

from atesta_client.answers import (
    Agency,
    EvidenceItem,
    LedgerInfo,
    Operation,
    Page,
    Status,
    read_object,
)
from atesta_client.requests.encoding import AgencyName, Hex
from atesta_client.requests.request import Paging, Request, build_path, get, list_page


def get_status() -> Request[Status]:
    """Which ledger this is, how far it is, and whose node answers."""
    return get(Status, "/status")


def list_ledgers() -> Request[Page[LedgerInfo]]:
    """List the ledgers that the node's API serves, its own first."""
    return list_page(LedgerInfo, "/ledgers", {})


def list_agencies(**paging: Unpack[Paging]) -> Request[Page[Agency]]:
    """List the member agencies."""
    return list_page(Agency, "/agencies", {**paging})


def get_agency(agency: AgencyName) -> Request[Agency]:
    """Read one agency with its keys."""
    return get(Agency, "/agencies/{id}", id=agency)


def list_operations(
    *, state: str | None = None, uid: Hex | None = None, **paging: Unpack[Paging]
) -> Request[Page[Operation]]:
    """List this agency's writes.

    - ``state``: only operations in this state;
    - ``uid``: only operations on this record.
    """
    return list_page(Operation, "/operations", {"state": state, "uid": uid, **paging})


def get_operation(operation: str) -> Request[Operation]:
    """Follow one write; also by transaction hash."""
    return get(Operation, "/operations/{id}", id=operation)


def list_evidence(**paging: Unpack[Paging]) -> Request[Page[EvidenceItem]]:
    """List the misbehaviour of others that this node can prove."""
    return list_page(EvidenceItem, "/evidence", {**paging})


def get_evidence(evidence: str) -> Request[dict[str, Any]]:
    """Export one act as a file that proves itself to third parties."""
    return Request(
        method="GET", path=build_path("/evidence/{id}", {"id": evidence}), read=read_object
    )

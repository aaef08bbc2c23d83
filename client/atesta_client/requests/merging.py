"""Merging persons: one officer proposes, another one decides."""

from typing import Unpack

from atesta_client.answers import Merge, MergeEntry, Page
from atesta_client.requests.encoding import AgencyName, Hex
from atesta_client.requests.request import Paging, Request, get, list_page, send


def propose_merge(
    *, reference: str, counterparty: AgencyName, handle: Hex, reason: str
) -> Request[Merge]:
    """Propose that a handle shall mean a person, whatever it or the person was matched with.

    - ``reference``: this agency's own identifier of the person;
    - ``counterparty``: the other agency;
    - ``handle``: the other agency's handle;
    - ``reason``: why, in words; it stays in the vault.
    """
    body = {
        "reference": reference,
        "counterparty": counterparty,
        "handle": handle,
        "reason": reason,
    }
    return send(Merge, "POST", "/subjects/merges", body)


def list_merges(*, state: str | None = None, **paging: Unpack[Paging]) -> Request[Page[MergeEntry]]:
    """List the journal of merges, newest first, without what they say of persons.

    - ``state``: only merges in this state.
    """
    return list_page(MergeEntry, "/subjects/merges", {"state": state, **paging})


def get_merge(uid: Hex) -> Request[Merge]:
    """Read a merge with what it says of persons."""
    return get(Merge, "/subjects/merges/{uid}", uid=uid)


def decide_merge(uid: Hex, *, approve: bool) -> Request[Merge]:
    """Approve a merge, which carries it out, or refuse it; never by who proposed it."""
    return send(Merge, "POST", "/subjects/merges/{uid}/decision", {"approve": approve}, uid=uid)


def reverse_merge(uid: Hex, *, reason: str) -> Request[Merge]:
    """Propose to take back a merge; another officer decides."""
    return send(Merge, "POST", "/subjects/merges/{uid}/reversal", {"reason": reason}, uid=uid)

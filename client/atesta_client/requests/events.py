"""Events: all that happens on the ledger, and due times that come near."""

from collections.abc import Sequence
from typing import Unpack

from atesta_client.answers import AlertView, LawEvent, Page, read_answer
from atesta_client.requests.encoding import AgencyName, Hex, encode_query
from atesta_client.requests.request import Paging, Request, Subscription, list_page


def list_events(
    *,
    kinds: Sequence[str] = (),
    agency: AgencyName | None = None,
    uid: Hex | None = None,
    **paging: Unpack[Paging],
) -> Request[Page[LawEvent]]:
    """List all that happens on the ledger, oldest first.

    - ``kinds``: only these kinds, such as ``consent.withdrawn``, or all of ``consent``;
    - ``agency``: only what this agency is a party to; its label or id;
    - ``uid``: only events of this record.
    """
    return list_page(LawEvent, "/events", {"kinds": kinds, "agency": agency, "uid": uid, **paging})


def stream_events(
    *,
    kinds: Sequence[str] = (),
    agency: AgencyName | None = None,
    uid: Hex | None = None,
    cursor: str | None = None,
) -> Subscription[LawEvent]:
    """Be told of events as they are settled, for ``client.stream``.

    - ``cursor``: begin after the event that has it; without it, with what comes.

    The others are as for :func:`list_events`. Keep each event's ``cursor``: with the last one a
    later stream goes on where this one ended.
    """
    return Subscription(
        path="/events/stream",
        query=encode_query({"kinds": kinds, "agency": agency, "uid": uid}),
        last_id=cursor,
        read=lambda data: read_answer(LawEvent, data),
    )


def list_alerts(
    *, agency: AgencyName | None = None, **paging: Unpack[Paging]
) -> Request[Page[AlertView]]:
    """List due times at 80 and 100 percent, those due first.

    - ``agency``: only what this agency is a party to; its label or id.
    """
    return list_page(AlertView, "/alerts", {"agency": agency, **paging})

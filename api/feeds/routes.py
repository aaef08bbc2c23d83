"""The routes of events, streams, webhooks and alerts, and their handlers."""

from collections.abc import Awaitable, Callable
from typing import Final

from api.access.callers import Role
from api.feeds import alerts, events, webhooks
from api.feeds.kinds import KINDS, MAX_KINDS
from api.reading.events import LawEvent
from api.rest.call import Call, Reply, Stream
from api.rest.references import REFERENCE_PATTERN
from api.rest.route import PAGING, Parameter, Route, uid_parameter

_TAG: Final = "feeds"
_AGENCY: Final = Parameter(
    name="agency",
    description="Only what this agency is a party to; its label or id.",
    schema={"type": "string", "pattern": REFERENCE_PATTERN},
)
_KINDS: Final = Parameter(
    name="kinds",
    description="Only these kinds, with commas between: `consent.withdrawn`, or all of `consent`.",
    schema={
        "type": "array",
        "items": {"type": "string", "enum": list(KINDS)},
        "minItems": 1,
        "maxItems": MAX_KINDS,
    },
)
_FILTERS: Final = (_KINDS, _AGENCY, uid_parameter("uid", "Only events of this record."))

FEED_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="list_events",
        method="GET",
        path="/events",
        tag=_TAG,
        summary="List all that happens on the ledger, oldest first",
        role=Role.READER,
        response=events.EventPage,
        query=(*_FILTERS, *PAGING),
        problems=(422,),
    ),
    Route(
        name="stream_events",
        method="GET",
        path="/events/stream",
        tag=_TAG,
        summary="Be told of events as they become final (server-sent events)",
        role=Role.READER,
        response=LawEvent,
        media_type="text/event-stream",
        query=(*_FILTERS, PAGING[1]),
        problems=(422,),
    ),
    Route(
        name="list_webhooks",
        method="GET",
        path="/webhooks",
        tag=_TAG,
        summary="List the webhooks of this node",
        role=Role.ADMIN,
        response=webhooks.WebhookList,
    ),
    Route(
        name="create_webhook",
        method="POST",
        path="/webhooks",
        tag=_TAG,
        summary="Have a receiver told of events",
        role=Role.ADMIN,
        request=webhooks.WebhookCreate,
        response=webhooks.WebhookMade,
        status=201,
        problems=(422,),
    ),
    Route(
        name="get_webhook",
        method="GET",
        path="/webhooks/{id}",
        tag=_TAG,
        summary="See how a webhook is doing",
        role=Role.ADMIN,
        response=webhooks.WebhookView,
        problems=(404,),
    ),
    Route(
        name="resume_webhook",
        method="POST",
        path="/webhooks/{id}/resume",
        tag=_TAG,
        summary="Try a webhook again at once",
        role=Role.ADMIN,
        response=webhooks.WebhookView,
        problems=(404,),
    ),
    Route(
        name="delete_webhook",
        method="DELETE",
        path="/webhooks/{id}",
        tag=_TAG,
        summary="Remove a webhook",
        role=Role.ADMIN,
        response=webhooks.WebhookView,
        problems=(404,),
    ),
    Route(
        name="list_alerts",
        method="GET",
        path="/alerts",
        tag=_TAG,
        summary="List due times at 80 and 100 percent, those due first",
        role=Role.READER,
        response=alerts.AlertList,
        query=(_AGENCY, *PAGING),
        problems=(422,),
    ),
)
"""In the order of the documentation."""

FEED_HANDLERS: Final[dict[str, Callable[[Call], Awaitable[Reply | Stream]]]] = {
    "list_events": events.list_events,
    "stream_events": events.stream_events,
    "list_webhooks": webhooks.list_webhooks,
    "create_webhook": webhooks.create_webhook,
    "get_webhook": webhooks.get_webhook,
    "resume_webhook": webhooks.resume_webhook,
    "delete_webhook": webhooks.delete_webhook,
    "list_alerts": alerts.list_alerts,
}
"""By operation id."""

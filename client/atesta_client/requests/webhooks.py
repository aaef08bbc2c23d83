"""Webhooks: the node tells a receiver of events."""

from collections.abc import Sequence

from atesta_client.answers import Page, WebhookMade, WebhookView
from atesta_client.requests.encoding import AgencyName
from atesta_client.requests.request import Request, get, list_page, send


def list_webhooks() -> Request[Page[WebhookView]]:
    """List the webhooks of this node."""
    return list_page(WebhookView, "/webhooks", {})


def create_webhook(
    *, url: str, kinds: Sequence[str] = (), agency: AgencyName | None = None
) -> Request[WebhookMade]:
    """Ask this node to tell a receiver of events, each signed, until it has taken them.

    - ``url``: where to POST; https, or http on loopback;
    - ``kinds``: kinds of events or records; none for all;
    - ``agency``: only events of records that this agency is a party to.
    """
    return send(WebhookMade, "POST", "/webhooks", {"url": url, "kinds": kinds, "agency": agency})


def get_webhook(webhook: str) -> Request[WebhookView]:
    """See how a webhook is doing."""
    return get(WebhookView, "/webhooks/{id}", id=webhook)


def delete_webhook(webhook: str) -> Request[WebhookView]:
    """Remove a webhook."""
    return send(WebhookView, "DELETE", "/webhooks/{id}", None, id=webhook)


def resume_webhook(webhook: str) -> Request[WebhookView]:
    """Try a webhook again at once."""
    return send(WebhookView, "POST", "/webhooks/{id}/resume", None, id=webhook)

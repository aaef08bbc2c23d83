"""Webhooks over REST: made, listed, resumed and removed by the operator's programs."""

import ipaddress
import secrets
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from api.acts.parties import find_agency
from api.errors import InvalidField, LimitExceeded, NotFound
from api.feeds.events import find_end
from api.feeds.kinds import MAX_KINDS, EventKind
from api.feeds.signing import make_secret
from api.feeds.webhook_store import MAX_WEBHOOKS, Webhook
from api.reading.facts import view_party
from api.reading.models import EXAMPLE_PARTY, Party
from api.rest.call import Call, Reply
from api.rest.references import Reference
from api.rest.values import EXAMPLE_TIME, Model, Time, parse_time

_ID_PREFIX: Final = "wh_"

EXAMPLE_URL: Final = "https://hooks.example.org/atesta"
EXAMPLE_ID: Final = "wh_2f8a6c0d5e7b4139"


class WebhookCreate(Model):
    """Ask this node to tell a receiver of events, each signed, until it has taken them."""

    url: Annotated[str, StringConstraints(max_length=2_000)] = Field(
        description="Where to POST; https, or http on loopback.", examples=[EXAMPLE_URL]
    )
    kinds: Annotated[list[EventKind], Field(max_length=MAX_KINDS)] = Field(
        default_factory=list,
        description="Kinds of events or records; none for all.",
        examples=[["consent.withdrawn", "exchange"]],
    )
    agency: Reference | None = Field(
        default=None,
        description="Only events of records that this agency is a party to.",
        examples=[EXAMPLE_PARTY],
    )


class WebhookView(Model):
    """A webhook and how it is doing."""

    id: str = Field(description="Its name.", examples=[EXAMPLE_ID])
    url: str = Field(description="Where events go.", examples=[EXAMPLE_URL])
    kinds: list[str] = Field(description="Which; none for all.", examples=[["exchange"]])
    agency: Party | None = Field(description="Whose; null for all.", examples=[None])
    state: str = Field(
        description="`active`, `retrying`, or `given_up` after three days of failures.",
        examples=["active"],
    )
    delivered: int = Field(ge=0, description="Events taken.", examples=[12])
    failures: int = Field(ge=0, description="Failed tries in a row.", examples=[0])
    last_error: str | None = Field(description="Why the last try failed.", examples=[None])
    next_try: Time | None = Field(description="When it is tried again.", examples=[None])
    created: Time = Field(description="When it was made.", examples=[EXAMPLE_TIME])


class WebhookMade(WebhookView):
    """A new webhook with its secret, which is shown this once."""

    secret: str = Field(
        description="Key of the signatures (Standard Webhooks).",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )


class WebhookList(Model):
    """All webhooks of this node."""

    items: list[WebhookView] = Field(description="Oldest first.")


async def list_webhooks(call: Call) -> Reply:
    """List the webhooks."""
    found = await call.services.webhooks.list_all()
    return Reply(model=WebhookList(items=[view_webhook(webhook) for webhook in found]))


async def create_webhook(call: Call) -> Reply:
    """Make a webhook that tells what happens from now on."""
    body: WebhookCreate = call.body
    check_receiver(body.url)
    agency = None
    if body.agency is not None:
        agency = await find_agency(call.services.ledger, body.agency, field="agency")
    webhook = Webhook(
        id=_ID_PREFIX + secrets.token_hex(8),
        url=body.url,
        kinds=tuple(body.kinds),
        agency=agency,
        secret=make_secret(),
        position=await find_end(call.services),
        failures=0,
        next_try_s=0,
        last_error=None,
        delivered=0,
        created_s=int(call.services.now()),
        is_active=True,
    )
    if not await call.services.webhooks.add(webhook):
        raise LimitExceeded(f"a node has at most {MAX_WEBHOOKS} webhooks")
    made = WebhookMade(**view_webhook(webhook).model_dump(), secret=webhook.secret)
    return Reply(model=made, headers={"Location": f"/v1/webhooks/{webhook.id}"})


async def get_webhook(call: Call) -> Reply:
    """Read one webhook."""
    return Reply(model=view_webhook(await _find(call)))


async def resume_webhook(call: Call) -> Reply:
    """Try again at once what was given up or waits."""
    webhook = await _find(call)
    await call.services.webhooks.resume(webhook.id)
    return Reply(model=view_webhook(await _find(call)))


async def delete_webhook(call: Call) -> Reply:
    """Remove a webhook."""
    webhook = await _find(call)
    await call.services.webhooks.remove(webhook.id)
    return Reply(model=view_webhook(webhook))


def check_receiver(url: str) -> None:
    """Raise `InvalidField` for an address that secrets must not be sent to."""
    if not url.isprintable() or " " in url:
        raise InvalidField("url", "an address has no blanks and no control characters")
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise InvalidField("url", "an address with a password would be shown in lists")
    if not parts.hostname or parts.fragment:
        raise InvalidField("url", "this is not an address such as https://hooks.example.org/atesta")
    if parts.scheme == "https":
        return
    if parts.scheme != "http" or not _is_loopback(parts.hostname):
        raise InvalidField("url", "must begin with https://; http is for this machine only")


def view_webhook(webhook: Webhook) -> WebhookView:
    """Return a webhook without its secret."""
    waits = webhook.failures > 0
    state = "active"
    if waits:
        state = "retrying" if webhook.is_active else "given_up"
    return WebhookView(
        id=webhook.id,
        url=webhook.url,
        kinds=list(webhook.kinds),
        agency=view_party(webhook.agency),
        state=state,
        delivered=webhook.delivered,
        failures=webhook.failures,
        last_error=webhook.last_error,
        next_try=parse_time(webhook.next_try_s) if waits and webhook.is_active else None,
        created=parse_time(webhook.created_s),
    )


async def _find(call: Call) -> Webhook:
    found = await call.services.webhooks.find(call.path["id"])
    if found is None:
        raise NotFound("there is no such webhook", field="id", code="webhook_not_found")
    return found


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

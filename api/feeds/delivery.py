"""Telling webhooks: one event a request, in the order of the chain, again until it is taken.

A receiver answers 2xx within ten seconds. Otherwise the same event is sent again after 5, 10, 20 …
seconds, an hour at most; one that has failed for three days is given up until the operator resumes
it, and then goes on where it stopped. Redirections are not followed: they could lead anywhere.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

import aiohttp
import structlog

from api.background import run_beside
from api.errors import ApiError
from api.feeds.signing import sign
from api.feeds.webhook_store import Webhook, WebhookStore
from api.index import law_queries, queries
from api.index.index import Index
from api.index.law_queries import EventFilter
from api.reading.events import LawEvent, view_law_events

log = structlog.get_logger(__name__)

TIMEOUT_S: Final = 10.0
"""A receiver answers in this time."""

FIRST_PAUSE_S: Final = 5
LONGEST_PAUSE_S: Final = 3_600
GIVE_UP_AFTER_S: Final = 3 * 86_400
"""A receiver that failed for this long is given up."""

_POLL_S: Final = 0.5
_BATCH: Final = 100


class Deliverer:
    """Tells all webhooks of one node, each at its own pace."""

    def __init__(
        self,
        *,
        store: WebhookStore,
        index: Index,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._index = index
        self._now = now

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Keep telling for as long as the context lasts."""
        async with run_beside(self._loop(), "webhooks"):
            yield

    async def turn(self, session: aiohttp.ClientSession) -> int:
        """Tell every webhook that is due what it has not taken yet; returns how many were sent."""
        due = [
            webhook
            for webhook in await self._store.list_all()
            if webhook.is_active and webhook.next_try_s <= self._now()
        ]
        sent = await asyncio.gather(*(self._tell(session, webhook) for webhook in due))
        return sum(sent)

    async def _tell(self, session: aiohttp.ClientSession, webhook: Webhook) -> int:
        wanted = EventFilter(kinds=webhook.kinds, agency=webhook.agency)
        page = queries.Page(limit=_BATCH, after=webhook.position)
        rows = await self._index.read(lambda c: law_queries.list_events(c, page, wanted))
        events = await view_law_events(rows, registry=self._index.registry)
        for count, (row, event) in enumerate(zip(rows, events, strict=True), start=1):
            error = await self._send(session, webhook, event)
            if error is not None:
                await self._note_failure(webhook, error)
                return count - 1
            await self._store.note_success(
                webhook.id, position=row.position, delivered=webhook.delivered + count
            )
        return len(rows)

    async def _send(
        self, session: aiohttp.ClientSession, webhook: Webhook, event: LawEvent
    ) -> str | None:
        """Send one event; returns why it was not taken."""
        body = event.model_dump_json().encode()
        timestamp_s, message_id = int(self._now()), f"evt_{event.cursor}"
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": sign(
                webhook.secret, message_id=message_id, timestamp_s=timestamp_s, body=body
            ),
        }
        try:
            async with session.post(
                webhook.url, data=body, headers=headers, allow_redirects=False
            ) as response:
                if 200 <= response.status < 300:
                    return None
                return f"the receiver answered {response.status}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return f"the receiver cannot be reached: {type(error).__name__}"

    async def _note_failure(self, webhook: Webhook, error: str) -> None:
        failures = webhook.failures + 1
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(failures - 1, 20))
        is_active = _get_time_spent_s(failures) < GIVE_UP_AFTER_S
        log.warning("webhook failed", webhook=webhook.id, reason=error, failures=failures)
        await self._store.note_failure(
            webhook.id,
            failures=failures,
            next_try_s=int(self._now()) + pause_s,
            error=error,
            is_active=is_active,
        )

    async def _loop(self) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                sent = 0
                try:
                    sent = await self.turn(session)
                except ApiError as error:
                    log.warning("webhooks wait", reason=error.reason, code=error.code)
                except Exception:
                    log.exception("webhooks failed")
                if sent == 0:
                    await asyncio.sleep(_POLL_S)


def _get_time_spent_s(failures: int) -> int:
    """Return how long a receiver has been failing after so many tries in a row."""
    return sum(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(n, 20)) for n in range(failures))

"""The client of a node's REST interface: asynchronous, and blocking for scripts.

Both send the values of ``requests``::

    async with AsyncClient("http://127.0.0.1:8601", token=token) as client:
        accepted = await client.send(requests.attest_credential(uid))
        operation = await client.follow(accepted)

    with Client("http://127.0.0.1:8601", token=token) as client:
        print(client.send(requests.get_status()).block)

Where the node's API serves several ledgers, ``client.ledger("macao")`` is the same client for the
one of that name.

``complete`` sends a write and follows it. ``list_all`` reads a list to its end, ``stream`` follows
the ledger's events::

    async for event in client.stream(requests.stream_events(kinds=["exchange"])):
        ...

A request that cannot do anything twice (it reads, or carries an idempotency key) is sent again
after a lost connection, a time-out or a passing refusal, with growing pauses, until the client's
patience ends. Others are sent once, unless the node says that they came too often (429): then
nothing was done yet, and the client waits as long as it is asked to. ``follow`` waits until a
write is settled: final in a block with quorum seals or, where the node reads another network,
``reported`` in a block that this network names.
"""

import asyncio
import copy
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import aiohttp

from atesta_client import requests
from atesta_client.answers import Accepted, Operation, Page
from atesta_client.errors import (
    OperationFailed,
    RestProblem,
    RestUnreachable,
)
from atesta_client.kept_answers import KeptAnswers
from atesta_client.patience import Patience, may_try_again
from atesta_client.requests import Request, Subscription
from atesta_client.requests.encoding import encode_segment
from atesta_client.responses import MAX_ANSWER_SIZE, decode, read_response, refuse
from atesta_client.streaming import StreamedEvent, read_events

__all__ = ["AsyncClient", "Client", "Patience"]

T = TypeVar("T")

MAX_PROBLEM_SIZE: Final = 64 * 1024
"""Longest refusal of a stream that is read, in bytes."""

_OK: Final = 200
_UNCHANGED: Final = 304
PURPOSE_HEADER: Final = "Atesta-Purpose"
"""Says what personal data is opened for."""

SILENCE_S: Final = 60.0
"""A stream that says nothing for so long is taken for dead; a node speaks every 15 seconds."""


class AsyncClient:
    """Sends requests from asyncio; use it with ``async with``."""

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        patience: Patience | None = None,
        purpose: str | None = None,
        ssl: Any = True,
        kept: KeptAnswers | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Prepare a client of the node at ``address``, such as ``http://127.0.0.1:8601``.

        ``token`` is the bearer token; ``purpose`` says what personal data is opened for, where a
        request does not say it itself (a purpose's uid or a word, see ``Request``); ``ssl`` as
        aiohttp takes it (an ``SSLContext`` for an agency's own authority); with ``kept``, answers
        that have not changed are not sent again; ``chance`` gives numbers from 0 to 1 to spread the
        pauses.
        """
        self._kept = kept
        self._address = address.rstrip("/")
        self._headers = {"Accept": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        if purpose is not None:
            self._headers[PURPOSE_HEADER] = purpose
        self._patience = patience or Patience()
        self._ssl = ssl
        self._chance = chance
        self._session: aiohttp.ClientSession | None = None
        self._place = ""

    @property
    def address(self) -> str:
        """The node's address, without a slash at the end."""
        return self._address

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=self._patience.attempt_s),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def ledger(self, name: str) -> Self:
        """Return this client for another ledger of the same API, by the name that it has there.

        It shares the connection: use it while this one is open, and close this one only.
        """
        twin = copy.copy(self)
        twin._place = f"/ledgers/{encode_segment(name)}"  # noqa: SLF001 - its own
        return twin

    async def send(self, request: Request[T]) -> T:
        """Send a request, again if that is safe, and return its typed answer.

        Raises :class:`RestProblem` when the node refuses, :class:`RestUnreachable` when it does not
        answer, :class:`RestAnswerMalformed` when the answer is not understood.
        """
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._patience.total_s
        pause_s = self._patience.first_pause_s
        while True:
            try:
                return await self._send_once(request)
            except (RestProblem, RestUnreachable) as error:
                wait_s = pause_s * (0.5 + self._chance())
                if isinstance(error, RestProblem) and error.retry_after_s is not None:
                    wait_s += error.retry_after_s
                if not may_try_again(request, error) or loop.time() + wait_s > give_up:
                    raise
            await asyncio.sleep(wait_s)
            pause_s = min(pause_s * 2, self._patience.longest_pause_s)

    async def follow(
        self, accepted: Accepted, *, timeout_s: float = 60.0, interval_s: float = 0.2
    ) -> Operation:
        """Wait until a write is settled; return its operation.

        Its state is ``final`` on a ledger whose validators seal its blocks, and ``reported`` in
        front of another network, of which nobody here has checked why its block stays.

        Raises :class:`OperationFailed` when its block refused it, with code, rule, field, legal
        reference and next step, and :class:`RestUnreachable` when it is not settled in time (it
        may still be).
        """
        loop = asyncio.get_running_loop()
        give_up = loop.time() + timeout_s
        while True:
            operation = await self.send(requests.get_operation(accepted.operation))
            if operation.state == "failed":
                raise OperationFailed(
                    operation.id, operation.kind, operation.error, operation.refusal
                )
            if operation.is_settled:
                return operation
            if loop.time() > give_up:
                raise RestUnreachable(
                    f"{operation.kind} is still {operation.state} after {timeout_s:.0f} seconds"
                )
            await asyncio.sleep(interval_s)

    async def complete(self, request: Request[Accepted], *, timeout_s: float = 60.0) -> Accepted:
        """Send a write and wait until it is settled; return what was accepted.

        What an act hands back for the other side is its ``envelope``. Errors as for :meth:`send`
        and :meth:`follow`.
        """
        accepted = await self.send(request)
        await self.follow(accepted, timeout_s=timeout_s)
        return accepted

    async def list_all(self, request: Request[Page[T]]) -> AsyncIterator[T]:
        """Go through a list from the page asked for to its end; errors as for :meth:`send`.

        For the list of events, which has no end, use :meth:`stream`.
        """
        cursor: str | None = request.query.get("cursor")
        while True:
            query = dict(request.query) | ({} if cursor is None else {"cursor": cursor})
            page = await self.send(replace(request, query=query))
            for item in page.items:
                yield item
            if page.next is None or page.next == cursor or not page.items:
                return
            cursor = page.next

    async def stream(self, subscription: Subscription[T]) -> AsyncIterator[T]:
        """Follow a stream of events for as long as the caller iterates.

        After a lost connection it goes on behind the last event that was read, so that every event
        comes once and in order. Raises :class:`RestProblem` when the node refuses and
        :class:`RestUnreachable` when it stays away for the client's patience.
        """
        loop = asyncio.get_running_loop()
        last_id = subscription.last_id
        give_up, pause_s = None, self._patience.first_pause_s
        while True:
            try:
                async for event in self._stream_once(subscription, last_id):
                    give_up = None
                    last_id = event.id or last_id
                    if event.data:
                        pause_s = self._patience.first_pause_s
                        yield subscription.read(decode(event.data.encode()))
                lost: RestProblem | RestUnreachable = RestUnreachable("the stream ended")
            except RestUnreachable as error:
                lost = error
            except RestProblem as error:
                if not error.is_passing:
                    raise
                lost = error
            give_up = give_up or loop.time() + self._patience.total_s
            if loop.time() > give_up:
                raise lost
            await asyncio.sleep(pause_s * (0.5 + self._chance()))
            pause_s = min(pause_s * 2, self._patience.longest_pause_s)

    async def _stream_once(
        self, subscription: Subscription[T], last_id: str | None
    ) -> AsyncIterator[StreamedEvent]:
        assert self._session is not None, "use the client with `async with`"
        headers = {"Accept": "text/event-stream"}
        if last_id is not None:
            headers["Last-Event-ID"] = last_id
        try:
            async with self._session.get(
                f"{self._address}/v1{self._place}{subscription.path}",
                params=subscription.query,
                headers=headers,
                ssl=self._ssl,
                timeout=aiohttp.ClientTimeout(
                    total=None, connect=self._patience.attempt_s, sock_read=SILENCE_S
                ),
            ) as response:
                if response.status >= 400:
                    refuse(
                        response.status,
                        await response.content.read(MAX_PROBLEM_SIZE),
                        response.headers.get("Retry-After"),
                    )
                yield StreamedEvent(id=None, kind="open", data="")
                async for event in read_events(response.content.iter_any()):
                    yield event
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._name_silence(error) from error

    def _name_silence(self, error: Exception) -> RestUnreachable:
        what = str(error) or type(error).__name__
        return RestUnreachable(f"{self._address} does not answer: {what}")

    async def _send_once(self, request: Request[T]) -> T:
        assert self._session is not None, "use the client with `async with`"
        request = replace(request, path=self._place + request.path)
        headers = {}
        if request.idempotency_key is not None:
            headers["Idempotency-Key"] = request.idempotency_key
        if request.purpose is not None:
            headers[PURPOSE_HEADER] = request.purpose
        if request.upload is not None:
            headers["Content-Type"] = request.upload.content_type
        known = None if self._kept is None else self._kept.find(request)
        if known is not None:
            headers["If-None-Match"] = known.etag
        try:
            async with self._session.request(
                request.method,
                f"{self._address}/v1{request.path}",
                params=dict(request.query),
                json=request.body,
                data=None if request.upload is None else request.upload.data,
                headers=headers,
                ssl=self._ssl,
            ) as response:
                data = await response.content.read(MAX_ANSWER_SIZE + 1)
                while not response.content.at_eof() and len(data) <= MAX_ANSWER_SIZE:
                    data += await response.content.read(MAX_ANSWER_SIZE + 1 - len(data))
                status, etag = response.status, response.headers.get("ETag")
                pause = response.headers.get("Retry-After")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._name_silence(error) from error
        if known is not None and status == _UNCHANGED:
            return read_response(request, _OK, known.data, None)
        answer = read_response(request, status, data, pause)
        if self._kept is not None and status == _OK:
            self._kept.put(request, etag, data)
        return answer


class Client:
    """Sends requests from blocking code; use it with ``with``, outside any event loop."""

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        patience: Patience | None = None,
        purpose: str | None = None,
        ssl: Any = True,
        kept: KeptAnswers | None = None,
    ) -> None:
        """Prepare a client of the node at ``address``; the arguments are as for AsyncClient."""
        self._client = AsyncClient(
            address, token=token, patience=patience, purpose=purpose, ssl=ssl, kept=kept
        )
        self._runner: asyncio.Runner | None = None

    def open(self) -> Self:
        """Begin, where ``with`` does not fit; then :meth:`close` ends it."""
        if self._runner is None:
            self._runner = asyncio.Runner()
            self._run(self._client.__aenter__())
        return self

    def close(self) -> None:
        """End; a client that is closed may be opened again."""
        if self._runner is not None:
            self._run(self._client.__aexit__(None, None, None))
            self._runner.close()
            self._runner = None

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def ledger(self, name: str) -> Self:
        """Return this client for another ledger of the same API, as :meth:`AsyncClient.ledger`."""
        twin = copy.copy(self)
        twin._client = self._client.ledger(name)  # noqa: SLF001 - its own
        return twin

    def send(self, request: Request[T]) -> T:
        """Send a request and return its typed answer; errors as for :meth:`AsyncClient.send`."""
        return self._run(self._client.send(request))

    def follow(self, accepted: Accepted, *, timeout_s: float = 60.0) -> Operation:
        """Wait until a write is settled; errors as for :meth:`AsyncClient.follow`."""
        return self._run(self._client.follow(accepted, timeout_s=timeout_s))

    def complete(self, request: Request[Accepted], *, timeout_s: float = 60.0) -> Accepted:
        """Send a write and wait until it is settled, as :meth:`AsyncClient.complete`."""
        return self._run(self._client.complete(request, timeout_s=timeout_s))

    def list_all(self, request: Request[Page[T]]) -> Iterator[T]:
        """Go through a list to its end, as :meth:`AsyncClient.list_all`."""
        return self._iterate(self._client.list_all(request))

    def stream(self, subscription: Subscription[T]) -> Iterator[T]:
        """Follow a stream of events, as :meth:`AsyncClient.stream`; each step waits for one."""
        return self._iterate(self._client.stream(subscription))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._runner is not None, "use the client with `with`, or open it"
        return self._runner.run(work)

    def _iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
        """Step an asynchronous iterator; it is closed when the caller stops."""
        assert isinstance(items, AsyncGenerator), "both sources are generators"
        try:
            while True:
                try:
                    item = self._run(_step(items))
                except StopAsyncIteration:
                    return
                yield item
        finally:
            self._run(items.aclose())


async def _step(items: AsyncIterator[T]) -> T:
    return await anext(items)

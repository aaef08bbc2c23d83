"""Where connections come from: a listener and a dialler.

Both end in an admitted connection that is handed on, or in one log line that tells the operator why
not. Connections that are not admitted yet are bounded, in all and for each remote host, and in
time, because anybody can open one. A peer that cannot be reached is called again after a wait that
doubles with each failure, with jitter, so that a restarted node is not met by everyone at once.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Final

import structlog
from eth_typing import Hash32

from node.errors import NodeError, OperationalFault, PeerFault
from node.network.aborting import abort_connection
from node.network.address_book import AddressBook
from node.network.admission import (
    Admitted,
    LocalSide,
    admit_inbound,
    admit_outbound,
    get_remote_address,
)
from node.network.handshake import NotAdmitted
from node.network.metrics import NetworkMetrics
from node.network.peer import close_writer
from node.network.ports import PeerAddress
from node.network.score import TokenBucket
from node.network.settings import NetworkSettings

_DIAL_POLL_S: Final = 0.25
_MAX_DIALS: Final = 16
_LOGS_PER_S: Final = 1.0
_LOGS_AT_ONCE: Final = 60.0

log = structlog.get_logger("node.network")


class Connector:
    """Accepts and makes connections for one node."""

    def __init__(
        self,
        *,
        local: LocalSide,
        settings: NetworkSettings,
        book: AddressBook,
        metrics: NetworkMetrics,
        clock: Callable[[], float],
        get_wanted: Callable[[], Iterable[Hash32]],
        serve: Callable[[Admitted], Awaitable[None]],
        spawn: Callable[[Coroutine[Any, Any, None], str], None],
    ) -> None:
        """Take what it works with.

        `get_wanted` yields the pins to call now; `serve` runs an admitted connection to its end;
        `spawn` runs a task that the node's stop will wait for.
        """
        self._local = local
        self._settings = settings
        self._book = book
        self._metrics = metrics
        self._clock = clock
        self._get_wanted = get_wanted
        self._serve = serve
        self._spawn = spawn
        self._server: asyncio.Server | None = None
        self._address: PeerAddress | None = None
        self._pending: Counter[str] = Counter()
        self._unadmitted: set[asyncio.StreamWriter] = set()
        self._is_closed = False
        self._dialling: set[Hash32] = set()
        self._wake = asyncio.Event()
        self._log_rate = TokenBucket(rate=_LOGS_PER_S, burst=_LOGS_AT_ONCE, now_s=clock())

    async def listen(self) -> None:
        """Open the port. Raises OperationalFault if that fails."""
        host, port = self._settings.host, self._settings.port
        if host == "localhost":
            host = "127.0.0.1"  # one socket and one port, not one for each address family
        try:
            self._server = await asyncio.start_server(self._on_connection, host, port)
        except OSError as error:
            raise OperationalFault(
                f"cannot listen on {host}:{port}: {error.strerror}",
                field="network.port",
                next_step="Stop the program that uses the port, or choose another one",
            ) from error
        # Kept, because a closed server forgets its sockets while the last calls still end.
        bound = self._server.sockets[0].getsockname()
        self._address = PeerAddress(host=str(bound[0]), port=int(bound[1]))

    @property
    def address(self) -> PeerAddress:
        """Return the address listened on, with the port that was chosen."""
        assert self._address is not None, "listen() comes first"
        return self._address

    def close(self) -> None:
        """Accept no more connections and end those that are not admitted yet."""
        self._is_closed = True
        if self._server is not None:
            self._server.close()
        for writer in self._unadmitted:
            abort_connection(writer)

    def wake(self) -> None:
        """Look at once whom to call."""
        self._wake.set()

    async def dial_forever(self) -> None:
        """Call whoever is wanted and due, until cancelled."""
        while True:
            now_s = self._clock()
            for pin in self._get_wanted():
                if pin in self._dialling or len(self._dialling) >= _MAX_DIALS:
                    continue
                address = self._book.take_due(pin, now_s)
                if address is not None:
                    self._dialling.add(pin)
                    self._spawn(self._dial(pin, address), "peer outbound")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DIAL_POLL_S):
                    await self._wake.wait()
            self._wake.clear()

    async def _on_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        host = get_remote_address(writer).host
        if self._is_closed:  # accepted just before the listener was closed
            abort_connection(writer)
            return
        if (
            self._pending[host] >= self._settings.max_pending_per_host
            or self._pending.total() >= self._settings.max_pending
        ):
            self._metrics.count("refused_pending")
            abort_connection(writer)
            return
        self._pending[host] += 1
        self._unadmitted.add(writer)  # a task that is cancelled before it begins closes nothing
        # A task of the node's, so that its stop ends it.
        self._spawn(self._receive(reader, writer, host), "peer inbound")

    async def _receive(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str
    ) -> None:
        address = get_remote_address(writer)
        admitted: Admitted | None = None
        try:
            async with asyncio.timeout(self._settings.admission_timeout_s):
                admitted = await admit_inbound(self._local, reader, writer)
        except TimeoutError:
            self._log_refusal(PeerFault("it did not finish the handshake in time"), address)
        except NodeError as error:
            self._log_refusal(error, address)
        except OSError as error:
            self._log_refusal(OperationalFault(f"the connection failed: {error}"), address)
        except Exception as error:  # noqa: BLE001 - see there
            self._log_bug(address, error)
        finally:
            self._pending[host] -= 1
            if not self._pending[host]:
                del self._pending[host]
            if admitted is None:
                await close_writer(writer)
            self._unadmitted.discard(writer)
        if admitted is not None:
            await self._serve(admitted)

    async def _dial(self, pin: Hash32, address: PeerAddress) -> None:
        self._metrics.count("dials")
        admitted: Admitted | None = None
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(self._settings.dial_timeout_s):
                reader, writer = await asyncio.open_connection(address.host, address.port)
            async with asyncio.timeout(self._settings.admission_timeout_s):
                admitted = await admit_outbound(self._local, reader, writer)
        except TimeoutError:
            self._log_failure(pin, address, OperationalFault("it does not answer"))
        except NodeError as error:
            self._log_failure(pin, address, error)
        except OSError as error:
            reason = OperationalFault(f"no connection: {error.strerror or error}")
            self._log_failure(pin, address, reason)
        except Exception as error:  # noqa: BLE001 - see there
            self._book.note_failure(pin, self._clock())
            self._log_bug(address, error)
        finally:
            self._dialling.discard(pin)
            if admitted is None and writer is not None:
                await close_writer(writer)
        if admitted is None:
            return
        if admitted.trusted.pin != pin:
            # Another trusted node lives there now: that node is welcome, this address is not.
            self._book.note_failure(pin, self._clock())
        self._book.learn(admitted.trusted.pin, address, proven=True)
        await self._serve(admitted)

    def _log_refusal(self, error: NodeError, address: PeerAddress) -> None:
        self._metrics.count(f"refused_{type(error).__name__}")
        if not self._log_rate.take(1, self._clock()):
            self._metrics.count("refusals_not_logged")  # strangers do not fill our disk
            return
        log.warning("connection refused", address=str(address), reason=str(error))

    def _log_bug(self, address: PeerAddress, error: Exception) -> None:
        # Who is not admitted must not be able to stop this node, whatever it makes us trip over.
        self._metrics.count("admission_failures")
        if self._log_rate.take(1, self._clock()):
            log.error("admission failed", address=str(address), exc_info=error)

    def _log_failure(self, pin: Hash32, address: PeerAddress, error: NodeError) -> None:
        wait_s = self._book.note_failure(pin, self._clock())
        self._metrics.count("dial_failures")
        # Somebody who is simply not there is everyday; a refusal needs an operator.
        level = log.warning if isinstance(error, NotAdmitted | PeerFault) else log.info
        level(
            "call failed",
            address=str(address),
            pin=pin.hex(),
            reason=str(error),
            retry_s=round(wait_s, 2),
        )

"""Reaching a ledger by its node's JSON-RPC: ours, or any network with a deployment file.

A network of a deployment file is compared with that file before anything is read. One that is away
when the API starts is no error: it is asked again with every question, and its ledger answers once
it is back. No ledger answers before it was told from all others (`api.networks.distinct`).
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from api.errors import InvalidField, UpstreamFault
from api.networks.distinct import DistinctRpc, WrongLedger
from api.networks.foreign import ForeignNetwork
from api.networks.guard import GuardedRpc, WrongNetwork
from api.networks.network import OURS, Network
from api.outbox.account import Account
from api.web3_provider import LedgerConnection, RawRpc, connect_http

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherLedger:
    """A ledger that an API serves beside its own."""

    name: str
    rpc_url: str
    """JSON-RPC of a node that holds it, http or https."""
    rpc_token: str | None = field(default=None, repr=False)
    foreign: ForeignNetwork | None = None
    """Set where the node is not one of ours."""
    accounts: Sequence[Account] = ()
    """The agency's accounts on it."""
    index: Path | str
    outbox: Path | str
    genesis_hash: bytes | None = None
    """Hash of its block 0, 32 bytes; None takes any that is no other ledger's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachedLedger:
    """A ledger of an API, with its connection."""

    ledger: FurtherLedger
    connection: LedgerConnection
    network: Network


def check_rpc_url(url: str, *, place: str) -> None:
    """Raise `InvalidField` for what is no address of a node."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidField(place, "expected an http or https address")


async def reach(
    rpc_url: str, token: str | None, foreign: ForeignNetwork | None
) -> tuple[LedgerConnection, Network]:
    """Connect to a node; raises `WrongNetwork` if another network answers. Close it afterwards."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    connection = connect_http(rpc_url, headers=headers)
    if foreign is None:
        return connection, OURS
    guarded = GuardedRpc(connection.raw, foreign.deployment)
    try:
        await guarded.check()
    except WrongNetwork:
        await connection.close()
        raise
    except UpstreamFault as error:
        log.warning("network away", reason=error.reason)
    return replace(connection, raw=guarded), foreign.describe()


@asynccontextmanager
async def reach_all(
    further: Sequence[FurtherLedger], own: RawRpc
) -> AsyncIterator[tuple[ReachedLedger, ...]]:
    """Connect to every ledger beside the own one, for as long as the context lasts.

    Raises `InvalidField` that names the setting if one is another than the settings say, or the
    same as another or the own one.
    """
    async with AsyncExitStack() as stack:
        reached = []
        guards = []
        for ledger in further:
            connection, network = await reach(ledger.rpc_url, ledger.rpc_token, ledger.foreign)
            stack.push_async_callback(connection.close)
            guard = DistinctRpc(connection.raw, own, name=ledger.name, expected=ledger.genesis_hash)
            guards.append(guard)
            connection = replace(connection, raw=guard)
            reached.append(ReachedLedger(ledger=ledger, connection=connection, network=network))
        for guard in guards:
            guard.others = [other for other in guards if other is not guard]
        for guard in guards:
            await _check(guard)
        yield tuple(reached)


async def _check(guard: DistinctRpc) -> None:
    try:
        await guard.check()
    except WrongLedger as wrong:
        raise InvalidField(f"api.ledgers.{wrong.setting}", wrong.reason) from wrong
    except UpstreamFault as error:
        log.warning("network away", reason=error.reason)

"""Where an officer's command finds the ledger: behind a node of ours, or on another network.

The settings decide. Without `foreign.contracts_file` it is the JSON-RPC of the agency's own node:
the contracts are where genesis put them, a transaction costs nothing, and what the node returns is
final. With it, it is the network of that deployment file, which is compared with the file before
anything is asked. There a transaction is paid for, and counts once its block is not after the one
that the network's node names by the tag of `foreign.finality`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from api.networks.fees import NO_FEES, Fees, check_funds, quote_fees
from api.networks.guard import check_network
from api.networks.network import OURS, Network
from api.web3_provider import RawRpc, connect_http
from node.cli.devnet.rpc import NodeRpc
from node.daemon.foreign_files import Behind, find_behind
from node.errors import OperationalFault, UserFault
from node.settings import Settings

T = TypeVar("T")

FINAL_WITHIN_S: Final = 60.0
"""A node of ours gets a transaction into a final block far sooner, if there is a quorum."""

REPORTED_WITHIN_S: Final = 1_800.0
"""Some networks name a block `finalized` only after a quarter of an hour."""

_POLL_S: Final = 0.2
_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerAccess:
    """One ledger, as commands read it and write to it."""

    rpc: NodeRpc
    network: Network = OURS
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What goes with every request to the node."""
    tell: Callable[[str], None] = lambda _line: None
    """Is told, once, what is being waited for."""

    def quote_fees(self, account: bytes, *, gas: int) -> Fees:
        """Return what to offer for a transaction now; raises UpstreamFault if it is too dear."""
        if self.network.fees is None:
            return NO_FEES
        policy = self.network.fees

        async def quote(raw: RawRpc) -> Fees:
            fees = await quote_fees(raw, policy)
            await check_funds(raw, account, gas=gas, fees=fees)
            return fees

        return _ask(self.rpc.url, self.headers, quote)

    def await_receipt(self, transaction: str) -> Mapping[str, Any]:
        """Wait until a transaction is final, or reported as what counts as such.

        Raises OperationalFault if that takes too long; the transaction stays sent.
        """
        is_final = self.network.finality.is_final
        end = time.monotonic() + (FINAL_WITHIN_S if is_final else REPORTED_WITHIN_S)
        is_told = is_final
        while True:
            receipt: Mapping[str, Any] | None = self.rpc.call(
                "eth_getTransactionReceipt", transaction
            )
            if receipt is not None:
                block = int(receipt["blockNumber"], 16)
                if is_final or block <= self._read_reported_height():
                    return receipt
                if not is_told:
                    tag = self.network.finality.tag
                    self.tell(f"in block {block}; waiting until the network names it {tag}")
                    is_told = True
            if time.monotonic() > end:
                raise self._give_up(transaction)
            time.sleep(_POLL_S)

    def _read_reported_height(self) -> int:
        block = self.rpc.call("eth_getBlockByNumber", self.network.finality.tag, False)
        return -1 if block is None else int(block["number"], 16)

    def _give_up(self, transaction: str) -> OperationalFault:
        if self.network.finality.is_final:
            return OperationalFault(
                f"{transaction} is not final after {FINAL_WITHIN_S:.0f} s",
                next_step="It stays queued; look at `atesta status`, is there a quorum?",
            )
        tag = self.network.finality.tag
        return OperationalFault(
            f"{transaction} is not in a block that the network names {tag} after"
            f" {REPORTED_WITHIN_S:.0f} s",
            next_step="It stays sent; look at that network's node, then at `governance show`",
        )


def open_access(
    settings: Settings,
    *,
    url: str | None = None,
    token_file: Path | None = None,
    tell: Callable[[str], None] = lambda _line: None,
) -> LedgerAccess:
    """Return the ledger of a settings file.

    `url` and `token_file` are for the agency's own node: where it is reached, if not at the address
    at which it listens, and by which token.

    Raises UserFault for files that cannot be used, WrongNetwork for another network than that of
    the deployment file, and UpstreamFault for one that is out of reach.
    """
    behind = find_behind(settings)
    if behind.foreign is None:
        return LedgerAccess(rpc=_open_own(settings, url, token_file))
    return _open_foreign(behind, settings, tell)


def _open_own(settings: Settings, url: str | None, token_file: Path | None) -> NodeRpc:
    api = settings.api
    if url is None:
        scheme = "http" if api.tls_certificate is None else "https"
        url = f"{scheme}://{api.host}:{api.port}"
    return NodeRpc(url.rstrip("/"), token_file=token_file, timeout_s=_TIMEOUT_S)


def _open_foreign(behind: Behind, settings: Settings, tell: Callable[[str], None]) -> LedgerAccess:
    if behind.rpc_url is None or behind.foreign is None:
        raise UserFault(
            "is needed beside foreign.contracts_file",
            field="foreign.rpc_url",
            next_step="Set the address of a node of that network",
        )
    deployment = behind.foreign.deployment
    _ask(behind.rpc_url, behind.headers, lambda raw: check_network(raw, deployment))
    return LedgerAccess(
        rpc=NodeRpc(
            behind.rpc_url.rstrip("/"),
            token_file=settings.foreign.rpc_token_file,
            timeout_s=_TIMEOUT_S,
        ),
        network=behind.foreign.describe(),
        headers=behind.headers,
        tell=tell,
    )


def _ask(url: str, headers: Mapping[str, str], work: Callable[[RawRpc], Awaitable[T]]) -> T:
    async def run() -> T:
        connection = connect_http(url, headers=headers)
        try:
            return await work(connection.raw)
        finally:
            await connection.close()

    return asyncio.run(run())

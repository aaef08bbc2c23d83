"""A ledger on anvil, deployed by an account of its own, and APIs in this process in front of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from atesta_client.answers import Accepted, Operation
from atesta_client.requests import Request
from atesta_client.rest import AsyncClient, Patience

from api.finality import Tag, report
from api.networks.deploying import Deployer, begin
from api.networks.fees import FeePolicy
from api.networks.foreign import ForeignNetwork
from api.outbox.account import Account, build_account
from api.process import ProcessSettings, serve_process
from api.rest.opening import RestSettings
from api.settings import ApiSettings
from api.verification.policies import VerificationSettings
from api.web3_provider import connect_http
from contracts.deployment import Deployment
from contracts.development import build_development_spec
from contracts.genesis_spec import GenesisSpec
from contracts.testkeys import get_private_key
from scripts.demos.anvil import Anvil

Answer = TypeVar("Answer")

SPEC: GenesisSpec = build_development_spec(3)
LABORATORY, BUREAU, COMMISSION = 1, 2, 3
DEPLOYER = build_account(b"\x5a" * 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A running API with a client of it."""

    url: str
    client: AsyncClient

    async def send(self, request: Request[Answer]) -> Answer:
        return await self.client.send(request)

    async def settle(self, accepted: Accepted) -> Operation:
        """Follow a write until nothing about it will change."""
        return await self.client.follow(accepted, timeout_s=120.0, interval_s=0.02)

    async def do(self, request: Request[Accepted]) -> Operation:
        return await self.settle(await self.send(request))

    async def ask(self, path: str) -> tuple[int, Any, Mapping[str, str]]:
        """Return status, JSON and headers of a path."""
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as answer:
            return answer.status, await answer.json(content_type=None), dict(answer.headers)


def get_account(agency: int) -> Account:
    """Return the account of an agency, by its number."""
    return build_account(get_private_key(agency, "account"))


def fund(anvil: Anvil) -> None:
    """Give the deployer and the agencies coins."""
    anvil.fund(DEPLOYER.address, *(get_account(agency).address for agency in (1, 2, 3)))


def mine_now(anvil: Anvil) -> None:
    """Make a block of this second, and leave the price of gas as it was.

    What anvil reverts to is also its time from then on; an act of now would be one of the future.
    """
    head = anvil.call("eth_getBlockByNumber", "latest", False)
    then = max(int(time.time()), int(head["timestamp"], 16) + 1)
    anvil.call("evm_setNextBlockTimestamp", hex(then))
    anvil.call("anvil_setNextBlockBaseFeePerGas", head["baseFeePerGas"])
    anvil.mine()
    anvil.call("anvil_setNextBlockBaseFeePerGas", head["baseFeePerGas"])


async def deploy(anvil: Anvil, spec: GenesisSpec = SPEC) -> Deployment:
    """Deploy and found the ledger of three agencies."""
    fund(anvil)
    # Each block is a second younger than the one before unless told otherwise, so that many blocks
    # in a second would end in the future.
    anvil.call("anvil_setBlockTimestampInterval", 0)
    connection = connect_http(anvil.url)
    try:
        plan, begun = await begin(connection.raw, spec, DEPLOYER, FeePolicy())
        deployer = Deployer(
            raw=connection.raw,
            account=DEPLOYER,
            policy=FeePolicy(),
            save=lambda _: None,
            poll_s=0.01,
        )
        return await deployer.carry_out(plan, begun)
    finally:
        await connection.close()
        anvil.call("anvil_removeBlockTimestampInterval")


def make_settings(
    anvil: Anvil,
    folder: Path,
    deployment: Deployment,
    *,
    tag: Tag = "latest",
    fees: FeePolicy | None = None,
    max_lag_s: int = 600,
) -> ProcessSettings:
    """Return the settings of an API in front of anvil, with its databases in a folder."""
    return ProcessSettings(
        rpc_url=anvil.url,
        server=ApiSettings(port=0),
        rest=RestSettings(
            index=folder / "index.sqlite",
            outbox=folder / "outbox.sqlite",
            vault=folder / "vault.sqlite",
            vault_key_file=folder / "secrets" / "vault.key",
            verification=VerificationSettings(max_lag_s=max_lag_s),
        ),
        foreign=ForeignNetwork(
            deployment=deployment, finality=report(tag), fees=fees or FeePolicy(), poll_s=0.05
        ),
    )


@asynccontextmanager
async def run_api(
    settings: ProcessSettings, accounts: Sequence[Account] = ()
) -> AsyncIterator[Api]:
    """Serve until the block is left; raises what the API raises at its start."""
    stop = asyncio.Event()
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    process = asyncio.create_task(
        serve_process(settings, accounts, stop=stop, on_ready=ready.set_result)
    )
    try:
        while not process.done() and not ready.done():
            await asyncio.sleep(0.01)
        if process.done():
            ready.cancel()
            process.result()
        patience = Patience(attempt_s=20.0, total_s=0.0)
        async with AsyncClient(await ready, patience=patience) as client:
            yield Api(url=await ready, client=client)
    finally:
        stop.set()
        if not process.done():
            await process

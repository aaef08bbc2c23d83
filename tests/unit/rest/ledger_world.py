"""A ledger in memory for the tests of REST, and the services of agencies that share it.

The contracts are the real ones, in a scratch EVM; blocks, mempool and JSON-RPC are as simple as
they can be. Calls about older blocks answer from the present state, which the tests know.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from eth_account import Account as EthAccount
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_hash.auto import keccak
from eth_typing import Address
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes

from api.app import Services, build_app
from api.databases import CommitWatch
from api.errors import UpstreamFault
from api.networks.network import OURS, Network
from api.openapi.surface import build_documentation_surface
from api.outbox.account import Account, build_account
from api.rest.app import build_ledger_surfaces, build_rest_surface
from api.rest.ledgers import OWN_NAME
from api.rest.opening import LedgerPlace, RestSettings, open_services
from api.rest.services import RestServices
from api.settings import ApiSettings
from api.vault.materials import Materials
from api.vault.witness import UNWITNESSED
from api.verification.policies import VerificationSettings
from api.web3_provider import RawCall, RpcRefusal
from contracts.codec import encode_call
from contracts.development import CHAIN_ID, build_development_spec
from contracts.genesis import build_genesis
from contracts.scratch import Outcome, ScratchState
from contracts.testkeys import get_address, get_private_key
from tests.engines import NewDatabase, place_database
from tests.unit.rest.database_templates import copy_template

START_S = 1_790_000_000
"""The time of genesis."""

REVERTED = 3


@cache
def build_alloc() -> dict[str, dict[str, Any]]:
    """Return the accounts of a development genesis of four agencies."""
    alloc: dict[str, dict[str, Any]] = build_genesis(build_development_spec(4))["alloc"]
    return alloc


@dataclass(slots=True)
class Block:
    number: int
    hash: bytes
    parent_hash: bytes
    time_s: int
    logs: list[dict[str, Any]] = field(default_factory=list)


class FakeLedger:
    """One chain behind any number of nodes; `mine` makes a block of what waits."""

    def __init__(
        self,
        alloc: dict[str, dict[str, Any]] | None = None,
        *,
        chain_id: int = CHAIN_ID,
        genesis: bytes = b"genesis",
    ) -> None:
        self.chain_id = chain_id
        self.state = ScratchState(chain_id=chain_id, timestamp=START_S)
        for address, account in (alloc or build_alloc()).items():
            self.state.put(
                Address(bytes.fromhex(address.removeprefix("0x"))),
                code=bytes.fromhex(account.get("code", "0x")[2:]),
                nonce=int(account.get("nonce", "0x0"), 16),
                storage={
                    int(slot, 16): int(value, 16)
                    for slot, value in account.get("storage", {}).items()
                },
            )
        # A call before the first block costs what it costs later: zero is stored for less.
        self.state.block_number = 1
        self.now_s = START_S
        self.waiting: dict[tuple[Address, int], bytes] = {}
        self.receipts: dict[bytes, dict[str, Any]] = {}
        self.senders: dict[bytes, Address] = {}
        self.nonces: dict[Address, int] = {}
        self.blocks = [Block(0, keccak(genesis), bytes(32), START_S)]
        self.is_down = False
        self.refusal: str | None = None
        self.calls = 0
        self.sent = 0

    async def call(self, method: str, *arguments: Any) -> Any:
        self.calls += 1
        if self.is_down:
            raise UpstreamFault("the ledger node does not answer", code="node_unreachable")
        return getattr(self, f"_{method}")(*arguments)

    async def batch(self, calls: Sequence[RawCall]) -> list[Any]:
        return [await self.call(method, *arguments) for method, arguments in calls]

    def mine(self, count: int = 1, *, period_s: int = 1) -> None:
        """Make blocks; the first holds every waiting transaction whose turn it is."""
        for _ in range(count):
            self.now_s += period_s
            parent = self.blocks[-1]
            number = parent.number + 1
            block = Block(number, keccak(parent.hash + b"%d" % number), parent.hash, self.now_s)
            self.state.block_number = number
            self.state.timestamp = self.now_s
            for sender in {sender for sender, _ in self.waiting}:
                while (raw := self.waiting.pop((sender, self.get_nonce(sender)), None)) is not None:
                    self._include(block, sender, raw)
            self.blocks.append(block)

    def get_nonce(self, sender: Address) -> int:
        return self.nonces.get(sender, 0)

    def act(self, agency: int, contract: Address, name: str, function: str, *args: Any) -> Outcome:
        """Act as an agency without any API, in a block of its own."""
        sender = get_address(agency, "account")
        raw = build_account(get_private_key(agency, "account")).sign(
            {
                "type": 2,
                "chainId": self.chain_id,
                "nonce": self.get_nonce(sender),
                "to": to_checksum_address(contract),
                "value": 0,
                "data": "0x" + encode_call(name, function, args).hex(),
                "gas": 3_000_000,
                "maxFeePerGas": 0,
                "maxPriorityFeePerGas": 0,
            }
        )
        self.waiting[(sender, self.get_nonce(sender))] = raw
        before = len(self.receipts)
        self.mine()
        assert len(self.receipts) == before + 1
        return self.last_outcome

    def _include(self, block: Block, sender: Address, raw: bytes) -> None:
        transaction = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        target, data = Address(bytes(transaction["to"])), bytes(transaction["data"])
        outcome = self.state.send(target, data, sender=sender)
        assert outcome.gas_used * 64 // 63 <= transaction["gas"], "its dry run should have told"
        self.last_outcome = outcome
        self.nonces[sender] = self.get_nonce(sender) + 1
        transaction_hash = keccak(raw)
        for address, topics, payload in outcome.logs if outcome.succeeded else ():
            block.logs.append(
                {
                    "address": "0x" + address.hex(),
                    "topics": ["0x" + topic.hex() for topic in topics],
                    "data": "0x" + payload.hex(),
                    "blockNumber": hex(block.number),
                    "transactionHash": "0x" + transaction_hash.hex(),
                    "logIndex": hex(len(block.logs)),
                }
            )
        self.senders[transaction_hash] = sender
        self.receipts[transaction_hash] = {
            "blockNumber": hex(block.number),
            "blockHash": "0x" + block.hash.hex(),
            "status": hex(int(outcome.succeeded)),
        }

    def _eth_chainId(self) -> str:  # noqa: N802 - the method's name
        return hex(self.chain_id)

    def _eth_getBlockByNumber(self, tag: str, _full: bool) -> dict[str, Any] | None:  # noqa: N802
        number = len(self.blocks) - 1 if tag == "latest" else int(tag, 16)
        if number >= len(self.blocks):
            return None
        block = self.blocks[number]
        return {
            "number": hex(block.number),
            "hash": "0x" + block.hash.hex(),
            "parentHash": "0x" + block.parent_hash.hex(),
            "timestamp": hex(block.time_s),
        }

    def _eth_getLogs(self, query: dict[str, Any]) -> list[dict[str, Any]]:  # noqa: N802
        first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
        return [
            log
            for block in self.blocks[first : last + 1]
            for log in block.logs
            if log["address"] in query["address"]
        ]

    def _eth_call(self, request: dict[str, str], tag: str) -> str:
        final_s = self.state.timestamp
        if tag == "pending":
            self.state.timestamp = max(final_s, self.now_s)
        try:
            return self._run_call(request)
        finally:
            self.state.timestamp = final_s

    def _run_call(self, request: dict[str, str]) -> str:
        sender = Address(bytes.fromhex(request.get("from", "0x" + "00" * 20)[2:]))
        target, data = Address(bytes.fromhex(request["to"][2:])), request["data"][2:]
        outcome = self.state.read(target, bytes.fromhex(data), sender=sender)
        if "gas" in request and outcome.gas_used * 64 // 63 > int(request["gas"], 16):
            # As a node answers when a call runs out of gas behind a proxy.
            raise RpcRefusal({"code": REVERTED, "message": "execution reverted"})
        if not outcome.succeeded:
            raise RpcRefusal(
                {
                    "code": REVERTED,
                    "message": f"execution reverted: {outcome.reason}",
                    "data": "0x" + outcome.output.hex(),
                }
            )
        return "0x" + outcome.output.hex()

    def _eth_getTransactionCount(self, address: str, tag: str) -> str:  # noqa: N802
        sender = Address(bytes.fromhex(address[2:]))
        nonce = self.get_nonce(sender)
        while tag == "pending" and (sender, nonce) in self.waiting:
            nonce += 1
        return hex(nonce)

    def _eth_sendRawTransaction(self, text: str) -> str:  # noqa: N802
        self.sent += 1
        if self.refusal is not None:
            raise RpcRefusal({"code": -32003, "message": self.refusal})
        raw = bytes.fromhex(text[2:])
        sender = Address(bytes.fromhex(EthAccount.recover_transaction(HexBytes(raw))[2:]))
        nonce = int(TypedTransaction.from_bytes(HexBytes(raw)).as_dict()["nonce"])
        known = self.waiting.get((sender, nonce))
        if known == raw or keccak(raw) in self.receipts:
            raise RpcRefusal({"code": -32000, "message": "already known"})
        if nonce < self.get_nonce(sender) or known is not None:
            raise RpcRefusal({"code": -32003, "message": "nonce was used already"})
        self.waiting[(sender, nonce)] = raw
        return "0x" + keccak(raw).hex()

    def _eth_getTransactionByHash(self, text: str) -> dict[str, Any] | None:  # noqa: N802
        sender = self.senders.get(bytes.fromhex(text[2:]))
        return None if sender is None else {"hash": text, "from": "0x" + sender.hex()}

    def _eth_getTransactionReceipt(self, text: str) -> dict[str, Any] | None:  # noqa: N802
        return self.receipts.get(bytes.fromhex(text[2:]))


class Agency:
    """One agency's API over the fake ledger, without background loops: `settle` steps them."""

    def __init__(
        self,
        ledger: FakeLedger,
        folder: Path,
        number: int,
        *,
        verification: VerificationSettings | None = None,
        urls: NewDatabase | None = None,
        replica: str | None = None,
        further: Sequence[LedgerPlace] = (),
        ledger_name: str = OWN_NAME,
        watch: CommitWatch | None = None,
        network: Network = OURS,
    ) -> None:
        def place(name: str) -> Path | str:
            found = place_database(folder, name) if urls is None else urls(name)
            if isinstance(found, Path):
                copy_template(found, name)
            return found

        self.ledger = ledger
        self.account: Account = build_account(get_private_key(number, "account"))
        self.services: RestServices = open_services(
            RestSettings(
                index=place("index"),
                index_replica=replica,
                outbox=place("outbox"),
                vault=place("vault"),
                vault_key_file=folder / "vault.key",
                verification=verification or VerificationSettings(),
                ledger_name=ledger_name,
            ),
            raw=ledger,
            network=network,
            accounts=[self.account],
            further=further,
            now=lambda: float(ledger.now_s),
            watch=watch,
        )

    @property
    def unrecorded(self) -> RestServices:
        """The services for tests that look into the vault past the record of reads."""
        services = self.services
        return replace(
            services,
            maybe_vault=services.vault.under(UNWITNESSED),
            maybe_materials=services.materials.under(UNWITNESSED),
        )

    @property
    def materials(self) -> Materials:
        """What the vault holds, past the record of reads."""
        return self.unrecorded.materials

    async def settle(self) -> None:
        """Send what is promised, make a block, and read it."""
        await self.services.outbox.turn()
        self.ledger.mine()
        await self.services.outbox.turn()
        await self.services.index.catch_up()

    async def get_id(self) -> str:
        return "0x" + (await self.services.identity.get_agency()).hex()

    def build_app(self, settings: ApiSettings | None = None) -> web.Application:
        """Return the root application with REST and its documentation."""
        surfaces = (
            *build_ledger_surfaces(self.services),
            build_rest_surface(self.services),
            build_documentation_surface(),
        )
        return build_app(Services(surfaces=surfaces), settings or ApiSettings())


class Caller:
    """Speaks HTTP to one agency's REST."""

    def __init__(self, agency: Agency, client: TestClient[Any, Any]) -> None:
        self.agency = agency
        self._client = client
        self._keys = 0

    async def get(self, path: str, *, status: int = 200, **headers: str) -> Any:
        async with self._client.get(
            "/v1" + path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        ) as response:
            data = await response.json() if response.status != 304 else None
            assert response.status == status, data
            return data

    async def post(self, path: str, body: Any, *, status: int = 202, key: str | None = None) -> Any:
        """POST with a fresh idempotency key unless one is given."""
        self._keys += 1
        headers = {"Idempotency-Key": key or f"test-{self._keys}"}
        async with self._client.post("/v1" + path, json=body, headers=headers) as response:
            data = await response.json()
            assert response.status == status, data
            return data

    async def put(self, path: str, body: Any, *, status: int = 200) -> Any:
        async with self._client.put("/v1" + path, json=body) as response:
            data = await response.json()
            assert response.status == status, data
            return data

    @property
    def client(self) -> TestClient[Any, Any]:
        return self._client


async def open_caller(agency: Agency, settings: ApiSettings | None = None) -> Caller:
    """Serve an agency's REST on a free port."""
    client = TestClient(TestServer(agency.build_app(settings)), headers={"Atesta-Purpose": "test"})
    await client.start_server()
    return Caller(agency, client)

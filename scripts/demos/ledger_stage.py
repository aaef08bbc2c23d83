"""Three ledgers side by side: Macao's own, Guangdong's own, and the one that both share.

Each ledger is a network of its own, with its own genesis, chain id and members. An agency on two of
them runs two nodes, each a process with its own folder, keys and ports. The Identification Bureau
has one API over both (`[[api.ledgers]]`): that of its node of Macao's own ledger, with the one
vault and the accounts; its node of the shared ledger only answers JSON-RPC. The Education
Department has an API for each. Both work with their ledgers through one object of the client
library (`atesta_client.ledgers`). Nothing else connects them.
"""

import asyncio
import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from atesta_client import requests
from atesta_client.answers import Accepted, Verification
from atesta_client.credentials import Credential, LedgerReference, decode_credential
from atesta_client.errors import RestProblem
from atesta_client.holder_keys import HolderKey
from atesta_client.ledgers import Ledger, Ledgers
from atesta_client.presentations import Occasion, format_presentation, present
from atesta_client.requests import Request
from atesta_client.rest import AsyncClient, Patience

from contracts.development import DevelopmentAgency
from contracts.labels import encode_label
from node.chain.genesis import load_genesis
from node.cli.devnet import (
    Devnet,
    DevnetNode,
    DevnetOptions,
    make_devnet,
    start_node,
    stop_nodes,
    wait_final,
)
from node.cli.devnet.plan import GENESIS_FILE
from node.cli.founding import ACCOUNT_FILE, PASSPHRASE_FILE
from scripts.demos.databases import ENGINES, DemoDatabases, set_in_api_table
from scripts.demos.law_stage import QUICK, get_now, make_party
from scripts.demos.narrator import Narrator
from scripts.demos.stage import StoryFailed, require

IDENTIFICATION: Final = make_party("mo-identification-bureau", "MO", "Identification Bureau, Macao")
HOUSING: Final = make_party("mo-housing-institute", "MO", "Housing Institute, Macao")
EDUCATION: Final = make_party("gd-education-department", "CN-GD", "Education Department, Guangdong")

MACAO: Final = "macao"
GUANGDONG: Final = "guangdong"
SHARED: Final = "shared"

CHECKING: Final = "school-place"
"""The purpose for which Guangdong checks certificates."""
TITLE: Final = "Certificate of residence"
POINTERS: Final = ("/name", "/born", "/district", "/since", "/cnf")
"""The fields of the certificate on the shared ledger."""
OWN_POINTERS: Final = {
    MACAO: ("/name", "/born", "/district", "/since", "/household", "/cnf"),
    GUANGDONG: ("/name", "/born", "/district", "/since", "/register", "/cnf"),
    SHARED: POINTERS,
}
"""Each ledger's own form: equal ones would have the same hash on every ledger."""
SHOWN: Final = ("/district", "/since")
"""What a school needs to see: where and since when, not who; the holder's key answers that."""

_RECOGNITION_FILE: Final = "recognition.toml"
_PATIENCE: Final = Patience(attempt_s=60.0, total_s=120.0)
_START_S: Final = 180.0
_SETTLE_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPlan:
    """One of the three ledgers."""

    name: str
    """As the story and the clients call it."""
    chain_id: int
    """Its own."""
    first_key: int
    """Number of its first agency's published keys; no two ledgers share a key."""
    parties: tuple[DevelopmentAgency, ...]
    """Its members, each with one node."""

    @property
    def jurisdictions(self) -> tuple[str, ...]:
        """The jurisdictions of its members, each once."""
        return tuple(sorted({party.jurisdiction for party in self.parties}))


PLANS: Final = (
    LedgerPlan(name=MACAO, chain_id=20_261, first_key=1, parties=(IDENTIFICATION, HOUSING)),
    LedgerPlan(name=GUANGDONG, chain_id=20_262, first_key=3, parties=(EDUCATION,)),
    LedgerPlan(name=SHARED, chain_id=20_263, first_key=4, parties=(IDENTIFICATION, EDUCATION)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A resident with a certificate."""

    name: str
    """A person who does not exist."""
    document: Mapping[str, Any]
    """What the certificate says."""
    key: HolderKey
    """The key on the resident's device; it never leaves it."""
    credential: Credential
    """The file that the issuer handed over."""

    @property
    def uid(self) -> str:
        """The record's uid in hex."""
        return "0x" + self.credential.record.uid.hex()


class LedgerStage:
    """The three networks and their clients; use it with ``async with``, which stops them all."""

    def __init__(self, narrator: Narrator, engine: str = ENGINES[0]) -> None:
        """Plan them; nothing is made before ``async with``."""
        self.narrator = narrator
        self.databases = {
            jurisdiction: DemoDatabases(engine)
            for jurisdiction in sorted({one for plan in PLANS for one in plan.jurisdictions})
        }
        """A server for each side of the border: the log of a server tells of all its databases."""
        self.folder = Path()
        """Where everything is kept."""
        self.is_finished = False
        """Set when the story came to its end."""
        self._devnets: dict[str, Devnet] = {}
        self._ledgers: dict[str, Ledgers[AsyncClient]] = {}
        self._stack = AsyncExitStack()
        self._servers = contextlib.ExitStack()

    async def __aenter__(self) -> Self:
        with contextlib.ExitStack() as started:
            for databases in self.databases.values():
                started.enter_context(databases)
            self._servers = started.pop_all()
        self.folder = Path(tempfile.mkdtemp(prefix="atesta-demo-"))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        # Synchronous on purpose: an interrupt that ends the loop must not end the clean-up.
        stop_nodes(self.nodes)
        self._servers.close()
        if self.is_finished or isinstance(error, asyncio.CancelledError):
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def nodes(self) -> tuple[DevnetNode, ...]:
        """The nodes of all ledgers."""
        return tuple(node for devnet in self._devnets.values() for node in devnet.nodes)

    def get_node(self, ledger: str, agency: DevelopmentAgency) -> DevnetNode:
        """Return an agency's node on a ledger."""
        return next(node for node in self._devnets[ledger].nodes if node.name == agency.label)

    def get_api(self, ledger: str, agency: DevelopmentAgency) -> DevnetNode:
        """Return the node whose API an agency asks about a ledger."""
        return self.get_node(MACAO if agency == IDENTIFICATION else ledger, agency)

    def get_nodes_of(self, agency: DevelopmentAgency) -> tuple[DevnetNode, ...]:
        """Return all nodes of an agency, one for each of its ledgers."""
        return tuple(node for node in self.nodes if node.name == agency.label)

    def get_ledgers(self, agency: DevelopmentAgency) -> Ledgers[AsyncClient]:
        """Return the ledgers as an agency's own programs see them."""
        return self._ledgers[agency.label]

    def get_client(self, ledger: str, agency: DevelopmentAgency) -> AsyncClient:
        """Return an agency's client on a ledger."""
        return self._ledgers[agency.label][ledger].client

    # ------------------------------------------------------------------ beginning

    async def open(self, recognised: str) -> None:
        """Make and start all nodes; Guangdong recognises certificates of this schema (hex)."""
        for plan in PLANS:
            options = DevnetOptions(
                parties=plan.parties,
                qbft=QUICK,
                is_tapped=True,
                chain_id=plan.chain_id,
                first_key=plan.first_key,
            )
            folder = self.folder / plan.name
            self._devnets[plan.name] = await asyncio.to_thread(make_devnet, folder, options)
        school = self.get_node(SHARED, EDUCATION)
        (school.folder / _RECOGNITION_FILE).write_text(
            _format_recognition(recognised), encoding="utf-8"
        )
        set_in_api_table(school, f'recognition_file = "{_RECOGNITION_FILE}"')
        serve_both(
            self.get_node(MACAO, IDENTIFICATION),
            self.get_node(SHARED, IDENTIFICATION),
            database_url=self._get_databases(IDENTIFICATION).make(f"{SHARED}-of-{MACAO}"),
        )
        for plan in PLANS:
            for agency in plan.parties:
                node = self.get_node(plan.name, agency)
                self._get_databases(agency).give(node, f"{plan.name}-{node.name}")
        await self.start(self.nodes)
        for agency in (IDENTIFICATION, HOUSING, EDUCATION):
            self._ledgers[agency.label] = await self._connect(agency)

    async def start(self, nodes: Sequence[DevnetNode]) -> None:
        """Start nodes and wait until each has a block and answers."""
        for node in nodes:
            start_node(node)
        await asyncio.to_thread(wait_final, nodes, height=1, timeout_s=_START_S)

    async def stop(self, nodes: Sequence[DevnetNode]) -> None:
        """Stop nodes and wait for their ends."""
        await asyncio.to_thread(stop_nodes, nodes)

    async def bring_back(self, agency: DevelopmentAgency) -> None:
        """Write all that an agency's stopped nodes keep elsewhere into their folders."""
        for node in self.get_nodes_of(agency):
            await asyncio.to_thread(self._get_databases(agency).bring_back, node)

    def _get_databases(self, agency: DevelopmentAgency) -> DemoDatabases:
        return self.databases[agency.jurisdiction]

    async def _connect(self, agency: DevelopmentAgency) -> Ledgers[AsyncClient]:
        ledgers = []
        connected: dict[str, AsyncClient] = {}
        for plan in PLANS:
            if agency not in plan.parties:
                continue
            url = self.get_api(plan.name, agency).url
            if url not in connected:
                client = AsyncClient(url, patience=_PATIENCE, purpose="test")
                connected[url] = await self._stack.enter_async_context(client)
            client = connected[url]
            if agency == IDENTIFICATION:
                client = client.ledger(plan.name)
            status = await client.send(requests.get_status())
            reference = LedgerReference(
                chain_id=status.chain_id, genesis_hash=bytes.fromhex(status.genesis_hash[2:])
            )
            ledgers.append(
                Ledger(
                    name=plan.name,
                    jurisdictions=plan.jurisdictions,
                    client=client,
                    reference=reference,
                )
            )
        return Ledgers(ledgers)

    # ------------------------------------------------------------------ common acts

    async def do(self, client: AsyncClient, request: Request[Accepted]) -> Accepted:
        """Send a write and wait until it is final."""
        return await client.complete(request, timeout_s=_SETTLE_S)

    async def retry_unknown(self, client: AsyncClient, request: Request[Any]) -> Any:
        """Send a request until the node has what it names: nodes are a moment apart."""
        give_up = time.monotonic() + _SETTLE_S
        while True:
            try:
                return await client.send(request)
            except RestProblem as problem:
                if problem.status != 404:
                    raise
                if time.monotonic() > give_up:
                    raise StoryFailed("a final record did not reach another node") from problem
            await asyncio.sleep(0.1)

    async def wait_erased(self, client: AsyncClient, uid: str) -> None:
        """Wait until a vault has erased a credential, which comes after its tombstone."""
        give_up = time.monotonic() + _SETTLE_S
        erasure = None
        while time.monotonic() < give_up:
            with contextlib.suppress(RestProblem):
                erasure = await client.send(requests.get_erasure(uid))
                if erasure.state == "erased":
                    return
            await asyncio.sleep(0.1)
        raise StoryFailed(f"a certificate is not erased in time: {erasure}")

    async def wait_state(self, client: AsyncClient, uid: str, state: str) -> None:
        """Wait until a node has a record in this state."""
        give_up = time.monotonic() + _SETTLE_S
        while (await client.send(requests.get_attestation(uid))).state != state:
            if time.monotonic() > give_up:
                raise StoryFailed(f"a record is not {state} on another node in time")
            await asyncio.sleep(0.1)

    async def make(
        self, client: AsyncClient, schema: str, document: Mapping[str, Any], key: HolderKey
    ) -> Holder:
        """Have the issuer make a credential of a document for the holder of a key."""
        made = await client.send(
            requests.create_credential(
                schema_uid=schema, document=dict(document), holder_key=key.public_key
            )
        )
        credential = decode_credential(made.credential or {})
        credential.commit()
        return Holder(name=document["name"], document=document, key=key, credential=credential)

    async def show(self, client: AsyncClient, holder: Holder, purpose: str) -> Verification:
        """Show what a school needs, signed for the challenge of an agency's node."""
        challenge = await client.send(requests.create_challenge(purpose))
        occasion = Occasion(
            verifier=challenge.verifier, purpose=challenge.purpose, nonce=challenge.nonce
        )
        shown = present(
            holder.credential, SHOWN, occasion=occasion, now_s=int(time.time()), key=holder.key
        )
        return await client.send(requests.verify_presentation(format_presentation(shown)))


def serve_both(own: DevnetNode, shared: DevnetNode, *, database_url: str | None = None) -> None:
    """Let the API of an agency's own ledger serve the shared one too, pinned by its block 0.

    What it keeps of the shared one is in files, or in a database. The node of the shared ledger
    then has neither vault nor accounts: nothing is kept there and nothing sent by it. The keystore
    stays in its folder, because it was made for that ledger.
    """
    genesis = load_genesis(shared.folder / GENESIS_FILE).genesis_hash
    set_in_api_table(own, f'ledger_name = "{MACAO}"')
    with own.settings_file.open("a", encoding="utf-8") as file:
        file.write(
            f"\n[[api.ledgers]]\nname = {json.dumps(SHARED)}\nrpc_url = {json.dumps(shared.url)}\n"
            f"genesis_hash = {json.dumps('0x' + genesis.hex())}\n"
            f"account_key_files = [{json.dumps(str(shared.folder / ACCOUNT_FILE))}]\n"
            f"account_passphrase_file = {json.dumps(str(shared.folder / PASSPHRASE_FILE))}\n"
        )
        if database_url is not None:
            file.write(f"database_url = {json.dumps(database_url)}\n")
    taken = ("account_key_files", "account_passphrase_file", "vault_key_file")
    lines = shared.settings_file.read_text(encoding="utf-8").split("\n")
    kept = [line for line in lines if not line.startswith(taken)]
    shared.settings_file.write_text("\n".join(kept), encoding="utf-8")


def write_document(name: str, number: int) -> dict[str, Any]:
    """Write the certificate of somebody who does not exist."""
    return {
        "name": name,
        "born": f"{1961 + number}-03-{10 + number}",
        "district": "Coloane",
        "since": f"{get_now().year - 3}-09-01",
    }


def get_id(agency: DevelopmentAgency) -> str:
    """Return an agency's id in hex."""
    return "0x" + encode_label(agency.label).hex()


def require_valid(answer: Verification, what: str) -> None:
    """Raise StoryFailed unless a certificate is valid and its holder proved."""
    reasons = "; ".join(reason.text for reason in answer.reasons)
    require(
        answer.result == "valid" and answer.holder_checked,
        f"{what} is {answer.result}: {reasons}",
    )


def _format_recognition(schema: str) -> str:
    return (
        f"[[policy]]\npurpose = {json.dumps(CHECKING)}\nrequired = {json.dumps(SHOWN)}\n"
        f"schemas = {json.dumps([schema])}\nneeds_holder = true\n"
        f'[[agency]]\nid = "{get_id(IDENTIFICATION)}"\nname = "{IDENTIFICATION.name}"\n'
    )

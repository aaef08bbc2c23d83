"""What the steps of a demonstration share: the network, who holds what, and the common acts.

Every act goes through the client library to a node's REST interface, as an agency's own programs
would do it; nothing here reaches into a node.
"""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from atesta_client import requests
from atesta_client.answers import Accepted, Operation, Verification
from atesta_client.credentials import decode_credential
from atesta_client.errors import RestProblem
from atesta_client.requests import Request
from atesta_client.rest import AsyncClient
from atesta_client.schemas import Schema

from api.firewall.search.needles import Needle
from scripts.demos.documents import POINTERS, Document, iterate_needles
from scripts.demos.narrator import Narrator
from scripts.demos.network import DemoNetwork
from scripts.demos.residents import Resident, make_key

VALIDITY: Final = timedelta(days=180)
"""How long the laboratory says that a certificate holds."""


class StoryFailed(Exception):
    """Something came out otherwise than it must; the message says what."""


def require(condition: bool, otherwise: str) -> None:
    """Fail the demonstration with this reason unless the condition holds."""
    if not condition:
        raise StoryFailed(otherwise)


class Stage:
    """What the steps of the demonstration share."""

    def __init__(
        self,
        network: DemoNetwork,
        narrator: Narrator,
        documents: Sequence[Document],
        own_documents: Sequence[Document],
    ) -> None:
        """Set the stage; ``own_documents`` lend their people to the refused cases."""
        self.network = network
        self.narrator = narrator
        self.documents = documents
        self.own_documents = own_documents
        self.schema = Schema(uid=secrets.token_bytes(32), pointers=POINTERS)
        """The schema of the certificates."""
        self.converted_uid = "0x" + secrets.token_hex(32)
        """Uid in hex of the schema of Guangdong's converted health codes."""
        self.residents: list[Resident] = []
        """Who carries an attested certificate."""
        self.revoked_uid = ""
        """Uid of the record that the laboratory revoked."""
        self.control_uid = secrets.token_bytes(32)
        """Uid of the record that the privacy search must find everywhere."""

    @property
    def schema_uid(self) -> str:
        """The schema's uid in hex."""
        return "0x" + self.schema.uid.hex()

    def list_needles(self) -> tuple[Needle, ...]:
        """List every personal value that came up."""
        return tuple(iterate_needles((*self.documents, *self.own_documents)))

    async def get_issuer(self) -> AsyncClient:
        """Return the laboratory's client."""
        return await self.network.get_client(self.network.laboratory)

    async def get_verifier(self) -> AsyncClient:
        """Return the commission's client."""
        return await self.network.get_client(self.network.commission)

    async def settle(self, client: AsyncClient, request: Request[Accepted]) -> Operation:
        """Send a write and wait until it is final."""
        return await client.follow(await client.send(request))

    async def issue(
        self,
        document: Document,
        *,
        uid: bytes | None = None,
        previous: str | None = None,
        valid_until: datetime | None = None,
    ) -> Resident:
        """Have the laboratory make a credential for a resident with a fresh key."""
        key = make_key(document.number)
        issuer = await self.get_issuer()
        made = await issuer.send(
            requests.create_credential(
                schema_uid=self.schema_uid,
                document=document.certificate,
                holder_key=key.public_key,
                uid=None if uid is None else "0x" + uid.hex(),
                valid_until=valid_until or datetime.now(UTC) + VALIDITY,
                previous=previous,
            )
        )
        require(made.credential is not None, "the issuer returned no credential file")
        assert made.credential is not None
        credential = decode_credential(made.credential)
        credential.commit()
        return Resident(document=document, key=key, credential=credential)

    async def carry(self, resident: Resident, *, event_time: datetime | None = None) -> None:
        """Have the laboratory attest a credential, and wait until that is final."""
        issuer = await self.get_issuer()
        request = requests.attest_credential(resident.uid, event_time=event_time)
        await self.settle(issuer, request)

    async def wait_seen(self, client: AsyncClient, uid: str) -> None:
        """Wait until a node has a record that is final elsewhere: nodes are a moment apart."""
        for _ in range(200):
            try:
                await client.send(requests.get_attestation(uid))
            except RestProblem as problem:
                if problem.status != 404:
                    raise
            else:
                return
            await asyncio.sleep(0.1)
        raise StoryFailed("a final record did not reach another node within 20 seconds")

    async def hand_over_schema(
        self,
        client: AsyncClient,
        uid: str,
        *,
        title: str,
        pointers: Sequence[str],
        reference: Sequence[str] = (),
    ) -> None:
        """Give a node the list of fields of a schema that another agency registered."""
        request = requests.put_schema_text(uid, title=title, pointers=pointers, reference=reference)
        for _ in range(200):
            try:
                await client.send(request)
            except RestProblem as problem:
                if problem.status != 404:
                    raise
                await asyncio.sleep(0.1)
            else:
                return
        raise StoryFailed("a schema did not reach another node within 20 seconds")

    async def wait_caught_up(self, client: AsyncClient) -> None:
        """Wait until a node's head is recent."""
        for _ in range(300):
            status = await client.send(requests.get_status())
            if status.behind_s <= 10 and status.indexed_block == status.block:
                return
            await asyncio.sleep(0.2)
        raise StoryFailed("a node did not catch up within a minute")

    def require_valid(self, answer: Verification, resident: Resident) -> None:
        """Fail unless a check came out valid, with the needed fields and no more."""
        reasons = "; ".join(reason.text for reason in answer.reasons)
        require(
            answer.result == "valid" and answer.holder_checked,
            f"document {resident.document.number} is {answer.result}: {reasons}",
        )
        require(
            answer.policy == resident.purpose,
            f"document {resident.document.number} was judged by no policy of the border",
        )
        allowed = {*resident.needed, "/cnf"}
        require(
            set(answer.disclosed) <= allowed,
            f"document {resident.document.number} showed more than the policy needs",
        )

"""Clerks who attest all the time, at nodes that die under their hands.

Each issuing agency has one clerk who signs transactions and gives them to any node by JSON-RPC, and
clerks who give documents to the agency's own node by REST. What is not acknowledged is tried again,
at any node or at the same one, until it is; then comes the next. Some of what was acknowledged is
sent once more, and must be answered as before.
"""

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from atesta_client import requests
from atesta_client.answers import Accepted
from atesta_client.errors import RestError
from atesta_client.requests import Request
from atesta_client.rest import AsyncClient
from eth_utils.crypto import keccak

from contracts.addresses import ATTESTATIONS, ATTESTATIONS_NAME
from contracts.codec import encode_call
from tests.integration.ledger_net import NO_UID, LedgerNet
from tests.soak.asking import Asker, NodeRefused, NodeSilent
from tests.soak.findings import Finding, Kind
from tests.soak.records import Record, RecordBook

REST_CLERKS = 2
"""REST clerks of one issuing agency."""
AGAIN_SHARE = 0.05
"""Share of acknowledged records that are sent a second time."""
RETRY_S = 0.3
SHA256 = 1
VALID_FOR_EVER = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the clerks work with."""

    net: LedgerNet
    askers: Mapping[int, Asker]
    clients: Mapping[int, AsyncClient]
    """REST clients that try once; by node."""
    schema_uid: str
    issuers: Sequence[int]
    """Agencies accredited under the schema."""


class Load:
    """All clerks together."""

    def __init__(
        self,
        desk: Desk,
        book: RecordBook,
        findings: list[Finding],
        *,
        seed: int,
        rate_per_s: float,
    ) -> None:
        """`rate_per_s` is what all clerks reach together while every node answers at once."""
        self._desk = desk
        self._book = book
        self._findings = findings
        self._seed = seed
        self._pause_s = len(desk.issuers) * (1 + REST_CLERKS) / rate_per_s
        self._is_over = asyncio.Event()

    async def run(self) -> None:
        """Work until `finish`; each clerk ends with a record that is acknowledged."""
        async with asyncio.TaskGroup() as group:
            for issuer in self._desk.issuers:
                group.create_task(self._work_by_rpc(issuer))
                for number in range(REST_CLERKS):
                    group.create_task(self._work_by_rest(issuer, number))

    def finish(self) -> None:
        """Let every clerk finish the record in hand and go home."""
        self._is_over.set()

    async def _work_by_rpc(self, issuer: int) -> None:
        rng = Random(f"{self._seed} rpc {issuer}")
        nonce = 0  # the clerk's key has signed nothing before
        while not self._is_over.is_set():
            uid = rng.randbytes(32)
            raw = self._sign_attestation(issuer, nonce, uid)
            key = f"rpc-{issuer}-{nonce}"
            self._book.begin(key)
            node, transaction = await self._send_until_taken(key, raw, rng)
            record = Record(
                key=key, door="rpc", node=node, uid="0x" + uid.hex(), transaction=transaction
            )
            self._book.acknowledge(record)
            if rng.random() < AGAIN_SHARE:
                await self._send_until_taken(key, raw, rng, is_again=True)
            nonce += 1
            await self._pause(rng)

    async def _send_until_taken(
        self, key: str, raw: str, rng: Random, *, is_again: bool = False
    ) -> tuple[int, str]:
        expected = "0x" + keccak(hexstr=raw).hex()
        while True:
            node = rng.choice(list(self._desk.askers))
            try:
                answer = await self._desk.askers[node].call("eth_sendRawTransaction", raw)
            except (NodeSilent, NodeRefused) as error:
                # A refusal may pass: the transaction before it is still with a node that is dead.
                if not is_again:
                    self._book.note_trouble(key, str(error))
                await asyncio.sleep(RETRY_S)
            else:
                if answer != expected:
                    self._report(f"{key}: node {node} answered {answer} instead of {expected}")
                return node, expected

    async def _work_by_rest(self, issuer: int, number: int) -> None:
        rng = Random(f"{self._seed} rest {issuer} {number}")
        count = 0
        while not self._is_over.is_set():
            key = f"rest-{issuer}-{number}-{count}-{self._seed}"
            request = requests.attest_document(
                schema_uid=self._desk.schema_uid,
                document=_make_document(rng, count),
                idempotency_key=key,
            )
            self._book.begin(key)
            accepted = await self._post_until_taken(key, request, issuer)
            self._book.acknowledge(
                Record(
                    key=key,
                    door="rest",
                    node=issuer,
                    uid=accepted.uid,
                    transaction=accepted.transaction,
                    operation=accepted.operation,
                )
            )
            if rng.random() < AGAIN_SHARE:
                again = await self._post_until_taken(key, request, issuer, is_again=True)
                if (again.operation, again.uid) != (accepted.operation, accepted.uid):
                    self._report(
                        f"{key}: node {issuer} promised {accepted.uid} in {accepted.operation} and "
                        f"then {again.uid} in {again.operation}"
                    )
            count += 1
            await self._pause(rng)

    async def _post_until_taken(
        self, key: str, request: Request[Accepted], issuer: int, *, is_again: bool = False
    ) -> Accepted:
        while True:
            try:
                return await self._desk.clients[issuer].send(request)
            except RestError as error:
                if not is_again:
                    self._book.note_trouble(key, f"node {issuer}: {error}")
                await asyncio.sleep(RETRY_S)

    def _sign_attestation(self, issuer: int, nonce: int, uid: bytes) -> str:
        schema = bytes.fromhex(self._desk.schema_uid.removeprefix("0x"))
        commitment = hashlib.sha256(uid).digest()
        event_time = int(time.time()) - 1
        arguments = [uid, schema, commitment, SHA256, VALID_FOR_EVER, event_time, NO_UID]
        data = encode_call(ATTESTATIONS_NAME, "attest", arguments)
        return self._desk.net.sign(issuer, ATTESTATIONS, data, purpose="clerk", nonce=nonce)

    async def _pause(self, rng: Random) -> None:
        try:
            async with asyncio.timeout(self._pause_s * rng.uniform(0.5, 1.5)):
                await self._is_over.wait()
        except TimeoutError:
            return

    def _report(self, text: str) -> None:
        self._findings.append(Finding(kind=Kind.LOST, text=text))


def _make_document(rng: Random, count: int) -> dict[str, dict[str, str] | str]:
    return {
        "holder": {"name": f"Test Person {count}"},
        "result": rng.choice(("detected", "not detected")),
        "taken": f"2026-11-{1 + count % 28:02d}",
    }

"""Real node processes for tests: a devnet with the hands of a clumsy operator and honest clerks."""

import hashlib
import itertools
import json
import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account

from contracts.addresses import (
    AGENCY_REGISTRY_NAME,
    ATTESTATIONS,
    ATTESTATIONS_NAME,
    REGISTRY,
    SCHEMAS,
    SCHEMAS_NAME,
)
from contracts.codec import decode_output, encode_call
from contracts.decisions import DecisionKind, encode_payload
from contracts.development import CHAIN_ID, list_development_agencies
from contracts.labels import encode_label
from contracts.testkeys import Purpose, get_address, get_private_key
from node.cli.devnet import (
    Devnet,
    DevnetNode,
    DevnetOptions,
    NodeRpc,
    RpcError,
    make_devnet,
    stop_node,
    stop_nodes,
    wait_final,
)
from node.cli.devnet.processes import find_pid, read_last_words
from node.cli.devnet.rpc import NodeUnreachable
from tests.integration.warm_node import open_warm_nodes

SCHEMA = hashlib.sha256(b"integration schema").digest()
NO_UID = bytes(32)
ISSUER = 1
OWNER = 2
ATTEST_GAS = 600_000
WAIT_S = 120.0
COMPARED_BLOCKS = 20


@dataclass
class LedgerNet:
    """A devnet of real processes."""

    devnet: Devnet
    nonces: dict[tuple[int, Purpose], int] = field(default_factory=dict)
    numbers: Any = field(default_factory=itertools.count)

    @classmethod
    def make(cls, folder: Path, options: DevnetOptions | None = None) -> "LedgerNet":
        return cls(devnet=make_devnet(folder, options))

    def node(self, number: int) -> DevnetNode:
        return self.devnet.get_node(number)

    def rpc(self, number: int = 1) -> NodeRpc:
        return NodeRpc(self.node(number).url, timeout_s=60)

    # Processes

    def start(self, *numbers: int, height: int = 1) -> None:
        self.launch(*numbers)
        wait_final([self.node(number) for number in numbers], height=height, timeout_s=WAIT_S)

    def launch(self, *numbers: int) -> None:
        """Start without waiting for anything."""
        for number in numbers:
            open_warm_nodes().start(self.node(number))

    def kill(self, *numbers: int) -> None:
        for number in numbers:
            assert stop_node(self.node(number), kill=True), f"node {number} did not run"

    def pause(self, number: int) -> None:
        pid = find_pid(self.node(number))
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)

    def wake(self, number: int) -> None:
        pid = find_pid(self.node(number))
        assert pid is not None
        os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        for node in self.devnet.nodes:
            pid = find_pid(node)
            if pid is not None:
                os.kill(pid, signal.SIGCONT)
        stop_nodes(self.devnet.nodes)

    def get_running(self) -> list[int]:
        return [node.number for node in self.devnet.nodes if find_pid(node) is not None]

    # Chain

    def height(self, number: int = 1) -> int:
        return self.rpc(number).get_height()

    def wait_height(self, height: int, numbers: Iterable[int], timeout_s: float = WAIT_S) -> None:
        wait_final([self.node(n) for n in numbers], height=height, timeout_s=timeout_s)

    def wait_blocks(self, count: int, number: int = 1, timeout_s: float = WAIT_S) -> int:
        """Wait for more blocks at a node, giving it something to put into each."""
        target = self.height(number) + count
        while self.height(number) < target:
            _, raw = self.make_attestation(ISSUER)
            self.receipt(self.send(raw, number), number, timeout_s)
        return self.height(number)

    def assert_one_chain(self) -> int:
        """Compare the final blocks of all running nodes; return the common height.

        A block's hash speaks for all blocks before it, so the last ones are enough.
        """
        running = self.get_running()
        common = min(self.height(number) for number in running)
        for height in range(max(0, common - COMPARED_BLOCKS), common + 1):
            hashes = {
                self.rpc(number).call("eth_getBlockByNumber", hex(height), False)["hash"]
                for number in running
            }
            assert len(hashes) == 1, f"fork at height {height}: {hashes}"
        return common

    # Transactions

    def address(self, number: int, purpose: Purpose = "account") -> str:
        return "0x" + get_address(number, purpose).hex()

    def _ask_nonce(self, number: int, purpose: Purpose) -> int:
        """Return an account's next nonce, also after what only one of the nodes has yet."""
        asked = (self.address(number, purpose), "pending")
        told = []
        for node in self.get_running():
            with suppress(NodeUnreachable):
                answer = self.rpc(node).call("eth_getTransactionCount", *asked)
                told.append(int(answer, 16))
        return max(told)

    def sign(
        self,
        number: int,
        to: bytes | None,
        data: bytes = b"",
        *,
        purpose: Purpose = "account",
        gas: int = ATTEST_GAS,
        nonce: int | None = None,
        chain_id: int = CHAIN_ID,
    ) -> str:
        if nonce is None:
            key = (number, purpose)
            if key not in self.nonces:
                self.nonces[key] = self._ask_nonce(*key)
            nonce = self.nonces[key]
            self.nonces[key] = nonce + 1
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": chain_id,
            "nonce": nonce,
            "gas": gas,
            "maxFeePerGas": 0,
            "maxPriorityFeePerGas": 0,
            "value": 0,
            "data": data,
        }
        if to is not None:
            fields["to"] = to
        signed = Account.sign_transaction(fields, get_private_key(number, purpose))
        return "0x" + bytes(signed.raw_transaction).hex()

    def send(self, raw: str, number: int = 1) -> str:
        return str(self.rpc(number).call("eth_sendRawTransaction", raw))

    def receipt(
        self, transaction_hash: str, number: int = 1, timeout_s: float = WAIT_S
    ) -> dict[str, Any]:
        """Wait until a transaction is final and return its receipt."""
        found: list[dict[str, Any]] = []

        def is_final() -> bool:
            with suppress(NodeUnreachable):
                receipt = self.rpc(number).call("eth_getTransactionReceipt", transaction_hash)
                found.extend([receipt] if receipt else [])
            return bool(found)

        wait_until(is_final, f"{transaction_hash} is final at node {number}", timeout_s)
        return found[0]

    def act(self, number: int, to: bytes, data: bytes, *, at: int | None = None) -> dict[str, Any]:
        """Send an agency's call to its own node (or another) and wait for success."""
        at = number if at is None else at
        receipt = self.receipt(self.send(self.sign(number, to, data, gas=2_000_000), at), at)
        assert receipt["status"] == "0x1", receipt
        return receipt

    def call(self, to: bytes, contract: str, function: str, args: list[Any], *, at: int = 1) -> Any:
        request = {
            "to": "0x" + to.hex(),
            "data": "0x" + encode_call(contract, function, args).hex(),
        }
        output = self.rpc(at).call("eth_call", request, "latest")
        return decode_output(contract, function, bytes.fromhex(output[2:]))

    # Records

    def prepare_schema(self, *issuers: int) -> None:
        """Register the schema and accredit issuers, unless that was done."""
        if self.call(SCHEMAS, SCHEMAS_NAME, "schema", [SCHEMA])["state"]:
            return
        now = int(time.time()) - 5
        register = [SCHEMA, hashlib.sha256(b"p").digest(), bytes(32), 8, now, NO_UID]
        self.act(OWNER, SCHEMAS, encode_call(SCHEMAS_NAME, "register", register))
        for issuer in issuers or (ISSUER,):
            agency = encode_label(list_development_agencies(4)[issuer - 1].label)
            data = encode_call(SCHEMAS_NAME, "accredit", [SCHEMA, agency, now])
            self.act(OWNER, SCHEMAS, data)

    def make_attestation(
        self, issuer: int = ISSUER, *, purpose: Purpose = "account", uid: bytes | None = None
    ) -> tuple[bytes, str]:
        """Return the uid and the signed transaction of a new attestation."""
        uid = uid or hashlib.sha256(f"uid {next(self.numbers)} {os.getpid()}".encode()).digest()
        now = int(time.time()) - 5
        data = encode_call(
            ATTESTATIONS_NAME,
            "attest",
            [uid, SCHEMA, hashlib.sha256(uid).digest(), 1, 0, now, NO_UID],
        )
        return uid, self.sign(issuer, ATTESTATIONS, data, purpose=purpose)

    def get_attestation(self, uid: bytes, at: int = 1) -> dict[str, Any]:
        answer = self.call(ATTESTATIONS, ATTESTATIONS_NAME, "attestation", [uid], at=at)
        assert isinstance(answer, dict)
        return answer

    # Votes

    def decide(
        self, kind: DecisionKind, args: list[Any], voters: Iterable[int], *, at: int = 1
    ) -> None:
        """Propose as the first voter and let all voters approve."""
        voters = list(voters)
        payload = encode_payload(kind, args)
        expires = int(time.time()) + 3_600
        propose = [int(kind), payload, bytes(32), expires]
        data = encode_call(AGENCY_REGISTRY_NAME, "propose", propose)
        self.act(voters[0], REGISTRY, data, at=at)
        number = self.call(REGISTRY, AGENCY_REGISTRY_NAME, "proposal_count", [], at=at)
        vote = encode_call(AGENCY_REGISTRY_NAME, "vote", [number, True])
        sent = [self.send(self.sign(voter, REGISTRY, vote, gas=2_000_000), at) for voter in voters]
        for transaction_hash in sent:
            assert self.receipt(transaction_hash, at)["status"] == "0x1"
        proposal = self.call(REGISTRY, AGENCY_REGISTRY_NAME, "proposal", [number], at=at)
        assert proposal["status"] == 2, f"{kind.name} was not carried out: {proposal}"

    def validators(self, at: int = 1) -> list[str]:
        answer = self.rpc(at).call("qbft_getValidatorsByBlockNumber", "latest")
        return [str(address) for address in answer]

    def explain(self) -> str:
        """Return the last words and log lines of every node, for a failing test."""
        parts = []
        for node in self.devnet.nodes:
            log = node.folder / "log.jsonl"
            lines = log.read_text(encoding="utf-8").splitlines()[-8:] if log.exists() else []
            parts.append("\n".join([f"== {node.name}: {read_last_words(node)}", *lines]))
        return "\n".join(parts)


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = WAIT_S) -> None:
    """Poll until a condition holds; fail naming it otherwise."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(0.1)


def read_log(node: DevnetNode, event: str) -> list[dict[str, Any]]:
    """Return the log lines of an event; one that is being written does not count yet."""
    text = (node.folder / "log.jsonl").read_text(encoding="utf-8")
    lines = text[: text.rfind("\n") + 1].splitlines()
    return [item for item in map(json.loads, lines) if item["event"] == event]


__all__ = ["SCHEMA", "LedgerNet", "RpcError", "read_log", "wait_until"]

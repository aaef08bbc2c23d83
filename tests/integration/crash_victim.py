"""A node that dies at a numbered durable write, the clerks who write to it, and what must hold.

The victim is one of the nodes of a network. Each of its lives may end at a planned write
(`node.storage.crashpoints`). Before it lives again, its two sign-state files and all it ever sent
are compared; once it lives again, its chain, its receipts, its index and everything that it
acknowledged in earlier lives are compared with a node that never died.
"""

import hashlib
import itertools
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from atesta_client import requests
from atesta_client.answers import Accepted
from atesta_client.errors import RestError
from atesta_client.rest import Client, Patience

from consensus.messages import decode_message, get_author, get_height, get_round
from consensus.payloads import MessageCode
from consensus.sign_state import STEP_OF_CODE, SignRecord
from contracts.testkeys import get_address
from node.cli.devnet.processes import find_pid, read_last_words
from node.cli.devnet.rpc import NodeUnreachable, RpcError
from node.network.frames import Consensus, decode_frame
from node.network.tap import SENT, read_tap
from node.validator.sign_files import SignFiles
from node.validator.sign_store import FOLDER_NAME
from tests.integration.ledger_net import LedgerNet, wait_until
from tests.integration.warm_node import open_warm_nodes

RETRY_S = 0.3
ONE_TRY = Patience(attempt_s=10, total_s=0.01)
COMPARED_BLOCKS = 60
HEADER_FIELDS = ("hash", "stateRoot", "receiptsRoot", "transactionsRoot", "logsBloom", "gasUsed")

Place = tuple[int, int, int]


@dataclass
class Clerks:
    """Two clerks at the victim: one by JSON-RPC, one by REST; they repeat until acknowledged."""

    net: LedgerNet
    victim: int
    schema_uid: str
    pause_s: float = 0.5
    sent: dict[bytes, str] = field(default_factory=dict)
    """uid to transaction hash, of what JSON-RPC acknowledged."""
    accepted: list[Accepted] = field(default_factory=list)
    """What REST acknowledged."""
    _failures: list[BaseException] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)

    @contextmanager
    def working(self) -> Iterator["Clerks"]:
        """Write until the block is left; raises what a clerk could not explain."""
        stop = threading.Event()
        threads = [
            threading.Thread(target=self._work, args=(work, stop), daemon=True)
            for work in (self._write_rpc, self._write_rest)
        ]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            stop.set()
            for thread in threads:
                thread.join(timeout=60)
        assert not self._failures, self._failures

    def assert_all_final(self, witness: int) -> None:
        """Check at a node that never died all that was acknowledged until now, then forget it."""
        for uid, transaction_hash in tuple(self.sent.items()):
            assert self.net.receipt(transaction_hash, witness)["status"] == "0x1"
            assert self.net.get_attestation(uid, witness)["state"] == 1
            del self.sent[uid]
        with Client(self.net.node(self.victim).url, patience=ONE_TRY) as client:
            for accepted in tuple(self.accepted):
                assert client.follow(accepted, timeout_s=60).state == "final"
                uid = bytes.fromhex(accepted.uid[2:])
                wait_until(
                    lambda uid=uid: self.net.get_attestation(uid, witness)["state"] == 1,  # type: ignore[misc]
                    f"the witness has {accepted.uid}",
                )
                self.accepted.remove(accepted)

    def _work(self, write: Callable[[threading.Event], None], stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                write(stop)
                stop.wait(self.pause_s)
        except BaseException as error:  # noqa: BLE001 - told to the test
            self._failures.append(error)

    def _write_rpc(self, stop: threading.Event) -> None:
        uid, raw = self.net.make_attestation(self.victim, purpose="clerk")
        while True:
            try:
                self.sent[uid] = self.net.send(raw, self.victim)
            except NodeUnreachable:
                if stop.wait(RETRY_S):  # never acknowledged: its nonce is free again
                    self.net.nonces.pop((self.victim, "clerk"), None)
                    return
            else:
                return

    def _write_rest(self, stop: threading.Event) -> None:
        number = next(self._numbers)
        request = requests.attest_document(
            schema_uid=self.schema_uid,
            document={"holder": {"name": f"Test Person {number}"}, "result": "not detected"},
            idempotency_key=f"crash-{os.getpid()}-{id(self)}-{number}",
        )
        while True:
            try:
                with Client(self.net.node(self.victim).url, patience=ONE_TRY) as client:
                    self.accepted.append(client.send(request))
            except RestError:
                if stop.wait(RETRY_S):
                    return
            else:
                return


@dataclass
class Victim:
    """The node that dies, and what it has said in all its lives."""

    net: LedgerNet
    number: int
    witness: int
    said: dict[Place, bytes] = field(default_factory=dict)
    """Place to the signed bytes; one place must never have two."""

    def live(self, plan: str = "") -> None:
        """Start the node, to die at the planned write; its tap begins anew."""
        self._tap.unlink(missing_ok=True)
        open_warm_nodes().start(self._node, plan)

    def is_alive(self) -> bool:
        return find_pid(self._node) is not None

    def wait_death(self, blocks: int, timeout_s: float) -> str | None:
        """Return the node's last words; None if it lived through `blocks` blocks of the network.

        Those are counted from where the others stood when it first served.
        """
        end = time.monotonic() + timeout_s
        target: int | None = None
        while self.is_alive():
            assert time.monotonic() < end, f"neither dead nor {blocks} blocks on: {self.number}"
            height = self._get_height()
            if height is not None:
                target = self.net.height(self.witness) + blocks if target is None else target
                if height >= target:
                    return None
            time.sleep(0.05)
        words = read_last_words(self._node)
        assert words.startswith("dies "), f"it died of something else: {words}"
        return words

    def wait_caught_up(self) -> None:
        """Wait until it lives and stands where the witness stood."""
        height = self.net.height(self.witness)
        self.net.wait_height(height, [self.number])

    def assert_word_kept(self) -> None:
        """Compare, while it is dead, what it sent with its sign state and all it said before."""
        own = get_address(self.number, "validator")
        highest: Place = (0, 0, 0)
        for code, payload in self._read_sent():
            message = decode_message(code, payload)
            if get_author(message) != own:
                continue  # passed on for another validator
            place = (
                int(get_height(message)),
                int(get_round(message)),
                int(STEP_OF_CODE[MessageCode(code)]),
            )
            signed = message.signed.payload_rlp
            assert self.said.setdefault(place, signed) == signed, f"signed twice at {place}"
            highest = max(highest, place)
        first, second = self.read_sign_state()
        assert first.number - second.number in (0, 1)
        assert min(first.place, second.place) >= highest, "sent before it was on disk"

    def read_sign_state(self) -> tuple[SignRecord, SignRecord]:
        return SignFiles(self._node.data_dir / FOLDER_NAME).read()

    def assert_same_as_witness(self) -> int:
        """Compare chain, receipts and index with the witness; return the common height."""
        net = self.net
        common = min(net.height(self.number), net.height(self.witness))
        for height in range(max(0, common - COMPARED_BLOCKS), common + 1):
            mine, theirs = (
                [
                    {name: block[name] for name in HEADER_FIELDS},
                    block["transactions"],
                    net.rpc(node).call("eth_getBlockReceipts", hex(height)),
                ]
                for node in (self.number, self.witness)
                for block in [net.rpc(node).call("eth_getBlockByNumber", hex(height), False)]
            )
            assert mine == theirs, f"another block {height}"
        self._assert_same_index()
        own = "0x" + get_address(self.number, "validator").hex()
        evidence = net.rpc(self.witness).call("atesta_evidence")
        assert [act for act in evidence if act["offender"] == own] == []
        return common

    def _assert_same_index(self) -> None:
        pairs: list[tuple[Index, Index]] = []

        def is_level() -> bool:
            assert self.is_alive()
            mine, theirs = (self._read_index(node) for node in (self.number, self.witness))
            pairs.append((mine, theirs))
            return mine["cursor"] == theirs["cursor"]

        wait_until(is_level, "both indexes stand on one block")
        mine, theirs = pairs[-1]
        assert mine == theirs, "the index differs"

    def _read_index(self, number: int) -> "Index":
        path = self.net.node(number).data_dir / "index.sqlite"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            connection.execute("BEGIN")
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return {
                name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
                for (name,) in names.fetchall()
            }

    def _read_sent(self) -> Iterator[tuple[int, bytes]]:
        seen: set[bytes] = set()
        if not self._tap.exists():
            return
        for record in read_tap(self._tap):
            if record.direction != SENT or len(record.body) < 2:
                continue
            frame = decode_frame(record.body)
            if not isinstance(frame, Consensus):
                continue
            mark = hashlib.sha256(frame.payload).digest()
            if mark not in seen:
                seen.add(mark)
                yield frame.code, frame.payload

    def _get_height(self) -> int | None:
        try:
            return self.net.height(self.number)
        except (NodeUnreachable, RpcError):
            return None

    @property
    def _node(self) -> Any:
        return self.net.node(self.number)

    @property
    def _tap(self) -> Any:
        return self._node.folder / "traffic.bin"


Index = dict[str, list[Any]]

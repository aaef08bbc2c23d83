"""Raw transactions pass the firewall; code that is not the ledger's own needs a vote."""

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak
from eth_typing import Address, Hash32

from contracts.addresses import ATTESTATIONS, IMPLEMENTATIONS, REGISTRY, SCHEMAS
from contracts.codec import encode_call
from node.chain.code_votes import (
    compute_closing_subject,
    compute_creation_subject,
    compute_opening_subject,
    is_development_genesis,
)
from node.chain.genesis import load_genesis
from node.daemon.chain_view import HeadView
from node.daemon.evidence_desk import EvidenceDesk
from node.daemon.intruders import IntruderWatch, Intrusion
from node.evidence.document import UNVOTED_CODE, parse_document
from node.evidence.errors import EvidenceUnavailable
from node.evidence.exporter import EvidenceExporter
from node.evidence.verifier import verify_evidence
from node.evidence.wording import describe_finding
from node.mempool import Mempool, MempoolLimits, MempoolRefusal
from tests.unit.daemon.voted_ledger import CREATION_CODE, ECHO, VotedLedger
from tests.unit.evidence.evidence_ledger import CONTRACT_MODE, HEADER_VOTES, EvidenceLedger

ECHO_HASH = Hash32(keccak(ECHO))
NAME = "陳大文 1234567(8)".encode().ljust(32, b"\0")


def attest(commitment: bytes | None = None, uid: bytes | None = None) -> bytes:
    return encode_call(
        "attestations",
        "attest",
        (
            uid or secrets.token_bytes(32),
            secrets.token_bytes(32),
            commitment or secrets.token_bytes(32),
            1,
            0,
            1_790_000_000,
            bytes(32),
        ),
    )


def assert_refused(ledger: VotedLedger, field: str, code: str, **transaction: Any) -> None:
    with pytest.raises(MempoolRefusal) as refused:
        ledger.gate.check(ledger.peek(**transaction))
    assert (refused.value.field, refused.value.code) == (field, code)


def test_development_genesis_is_told_by_its_published_keys() -> None:
    assert is_development_genesis(load_genesis(CONTRACT_MODE))
    assert is_development_genesis(load_genesis(HEADER_VOTES))
    assert not is_development_genesis(VotedLedger().genesis)


def test_contract_is_created_only_from_code_that_was_voted_for() -> None:
    ledger = VotedLedger()
    assert_refused(ledger, "input", "creation_not_voted", data=CREATION_CODE)
    ledger.resolve(compute_creation_subject(CREATION_CODE))
    waiting = ledger.peek(data=CREATION_CODE)
    ledger.gate.check(waiting)
    assert ledger.gate.may_go(waiting)
    assert_refused(ledger, "input", "creation_not_voted", data=CREATION_CODE + b"\x00")


def test_contract_is_called_only_once_it_was_opened_and_until_it_is_closed() -> None:
    ledger = VotedLedger()
    address = ledger.create()
    call = b"\x01\x02\x03\x04" + secrets.token_bytes(32)
    assert_refused(ledger, "to", "contract_not_open", to=address, data=call)
    ledger.resolve(compute_opening_subject(address, ECHO_HASH))
    ledger.gate.check(ledger.peek(to=address, data=call))
    assert_refused(ledger, "input.word.0", "field_refused", to=address, data=call[:4] + NAME)
    ledger.resolve(compute_closing_subject(address, ECHO_HASH))
    assert_refused(ledger, "to", "contract_not_open", to=address, data=call)
    assert not ledger.gate.may_go(ledger.peek(to=address, data=call))


def test_resolution_on_other_code_opens_nothing() -> None:
    ledger = VotedLedger()
    address = ledger.create()
    ledger.resolve(compute_opening_subject(address, Hash32(keccak(b"other code"))))
    assert_refused(ledger, "to", "contract_not_open", to=address, data=b"")
    nobody = Address(secrets.token_bytes(20))
    ledger.resolve(compute_opening_subject(nobody, Hash32(keccak(b""))))
    assert_refused(ledger, "to", "contract_not_open", to=nobody, data=b"")


def test_raw_transaction_carries_acts_of_typed_values_and_nothing_else() -> None:
    ledger = VotedLedger()
    ledger.gate.check(ledger.peek(to=ATTESTATIONS, data=attest()))
    cases: dict[str, dict[str, Any]] = {
        "input.commitment": {"data": attest(commitment=NAME)},
        "input.uid": {"data": attest(uid=NAME)},
        "input": {"data": attest() + NAME},
        "value": {"data": attest(), "value": 19_850_131},
        "accessList": {
            "data": attest(),
            "accessList": [{"address": "0x" + "11" * 20, "storageKeys": ["0x" + NAME.hex()]}],
        },
    }
    for field, fields in cases.items():
        assert_refused(ledger, field, "field_refused", to=ATTESTATIONS, **fields)
    question = encode_call("agency_registry", "may_send", (bytes(20),))
    assert_refused(ledger, "input", "field_refused", to=REGISTRY, data=question)
    # The implementation behind a proxy is not for calls.
    assert_refused(
        ledger, "to", "contract_not_open", to=IMPLEMENTATIONS[ATTESTATIONS], data=attest()
    )


def test_agency_that_nobody_admitted_is_refused_before_it_is_written_anywhere() -> None:
    ledger = VotedLedger()
    for agency, is_known in ((b"mo-one-bureau", True), (b"id-1234567-8", False)):
        name = agency.ljust(32, b"\0")
        data = encode_call("schemas", "accredit", (secrets.token_bytes(32), name, 1_790_000_000))
        if is_known:
            ledger.gate.check(ledger.peek(to=SCHEMAS, data=data))
        else:
            assert_refused(
                ledger,
                "input.agency_id",
                "field_refused",
                to=SCHEMAS,
                data=data,
            )


@pytest.fixture
async def mempool(tmp_path: Path) -> AsyncIterator[tuple[VotedLedger, Mempool]]:
    ledger = VotedLedger()
    mempool = Mempool(
        path=tmp_path / "journal",
        limits=MempoolLimits(),
        chain=HeadView(ledger.chain),
        admission=ledger.registry,
        gate=ledger.gate,
    )
    await mempool.open()
    yield ledger, mempool
    await mempool.close()


async def test_mempool_takes_no_disguise_from_callers_or_peers_and_blames_nobody(
    mempool: tuple[VotedLedger, Mempool], tmp_path: Path
) -> None:
    ledger, pool = mempool
    raw = ledger.send(to=ATTESTATIONS, data=attest(commitment=NAME))
    with pytest.raises(MempoolRefusal) as refused:
        await pool.add(raw)
    assert refused.value.field == "input.commitment"
    assert pool.add_from_peer([raw]) == 0, "a peer may be of another version: no fault"
    assert (pool.get_status().pending, list(pool.candidates())) == (0, [])
    assert NAME[:9] not in (tmp_path / "journal").read_bytes()


async def test_what_waits_is_not_proposed_once_its_vote_is_withdrawn(
    mempool: tuple[VotedLedger, Mempool],
) -> None:
    ledger, pool = mempool
    address = ledger.create()
    ledger.resolve(compute_opening_subject(address, ECHO_HASH))
    raw = ledger.peek(to=address, data=b"").raw
    await pool.add(raw)
    assert pool.has_candidates()
    assert len(pool.candidates()) == 1
    closing = compute_closing_subject(address, ECHO_HASH)
    ledger.resolve(closing)
    assert not pool.has_candidates()
    assert len(pool.candidates()) == 0


def test_block_with_unvoted_code_stays_valid_and_convicts_its_proposer() -> None:
    ledger = VotedLedger()
    desk = EvidenceDesk(ledger.store, ledger.chain)
    found: list[Intrusion] = []
    watch = IntruderWatch(
        ledger.chain, ledger.registry, desk.intruders, on_found=found.extend, gate=ledger.gate
    )
    ledger.chain.subscribe(watch.inspect)
    address = ledger.create()
    ledger.mine([ledger.send(to=address, data=b"\x01\x02\x03\x04")])
    ledger.mine([ledger.send(to=ATTESTATIONS, data=attest())])
    assert [item.kind for item in found] == [UNVOTED_CODE] * 2
    assert len(desk.get_newest(10)) == 2
    for listed in desk.get_newest(10):
        content = desk.export(listed.id)
        assert content is not None
        finding = verify_evidence(parse_document(json.dumps(content)), ledger.genesis)
        assert (finding.kind, finding.offender) == (UNVOTED_CODE, listed.offender)
        assert "had not let in by vote" in " ".join(describe_finding(finding))


def test_code_that_was_voted_for_convicts_nobody() -> None:
    ledger = VotedLedger()
    exporter = EvidenceExporter(ledger.chain)
    ledger.resolve(compute_creation_subject(CREATION_CODE))
    created = ledger.mine([ledger.send(data=CREATION_CODE)])
    address = created.receipts[0].contract_address
    assert address is not None
    ledger.resolve(compute_opening_subject(address, ECHO_HASH))
    called = ledger.mine([ledger.send(to=address, data=b"")])
    act = ledger.mine([ledger.send(to=ATTESTATIONS, data=attest())])
    for block in (created, called, act):
        with pytest.raises(EvidenceUnavailable, match="needed no vote, or had it"):
            exporter.export_intrusion(block.block_hash, block.transactions[0].hash, UNVOTED_CODE)
    ledger.resolve(compute_closing_subject(address, ECHO_HASH))
    late = ledger.mine([ledger.send(to=address, data=b"")])
    document = exporter.export_intrusion(late.block_hash, late.transactions[0].hash, UNVOTED_CODE)
    assert verify_evidence(document, ledger.genesis).kind == UNVOTED_CODE


def test_code_needs_no_vote_on_a_development_ledger() -> None:
    ledger = EvidenceLedger()
    block = ledger.mine([ledger.intrude()])
    with pytest.raises(EvidenceUnavailable, match="development"):
        EvidenceExporter(ledger.chain).export_intrusion(
            block.block_hash, block.transactions[0].hash, UNVOTED_CODE
        )

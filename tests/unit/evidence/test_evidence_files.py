"""An evidence file convinces whoever has genesis.json, and nobody once it was touched."""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from consensus.extra_data import decode_extra_data
from consensus.header import decode_header, encode_header, with_seals
from contracts.decisions import DecisionKind
from contracts.labels import encode_label
from contracts.testkeys import get_address, get_private_key
from node.chain.errors import StateMissing
from node.chain.genesis import Genesis
from node.chain.trie import compute_ordered_proof
from node.evidence.document import parse_document, write_document
from node.evidence.errors import EvidenceRefused, EvidenceUnavailable
from node.evidence.exporter import EvidenceExporter
from node.evidence.naming import compute_contradiction_id, compute_intrusion_id
from node.evidence.verifier import Finding, verify_evidence
from node.evidence.wording import describe_finding
from tests.unit.evidence.evidence_ledger import (
    CONTRACT_MODE,
    HEADER_VOTES,
    NEWCOMER,
    STRANGER,
    TRAITOR,
    EvidenceLedger,
    contradict,
    load,
)

BUREAU = encode_label("mo-health-bureau")
Case = tuple[str, Path]
CASES: list[Case] = [
    (kind, path)
    for path in (CONTRACT_MODE, HEADER_VOTES)
    for kind in ("contradiction", "intrusion")
]


def verify(content: object, path: Path = CONTRACT_MODE) -> Finding:
    return verify_evidence(parse_document(json.dumps(content)), load(path))


@cache
def make_file(kind: str, path: Path) -> str:
    """Return a file about an act after the fifth validator came in."""
    ledger = EvidenceLedger(path)
    ledger.mine()
    if path == CONTRACT_MODE:
        ledger.decide(DecisionKind.ADD_VALIDATOR, BUREAU, NEWCOMER.address)
    else:
        ledger.vote_in(NEWCOMER.address)
    ledger.mine()
    exporter = EvidenceExporter(ledger.chain)
    if kind == "intrusion":
        permitted = ledger.act(1, "is_active", BUREAU)
        block = ledger.mine([permitted, ledger.intrude(), ledger.intrude()])
        ledger.mine()
        document = exporter.export_intrusion(block.block_hash, block.transactions[1].hash)
    else:
        ledger.mine()
        document = exporter.export_contradiction(contradict(ledger.head, key=NEWCOMER))
    return json.dumps(write_document(document))


@pytest.mark.parametrize(("kind", "path"), CASES)
def test_evidence_file_convinces_a_third_party(kind: str, path: Path) -> None:
    finding = verify(json.loads(make_file(kind, path)), path)
    assert len(finding.validators) == len(load_first_validators(path)) + 1
    assert NEWCOMER.address in finding.validators
    text = " ".join(describe_finding(finding))
    assert f"0x{finding.offender.hex()}" in text
    if kind == "contradiction":
        assert finding.offender == NEWCOMER.address
        assert finding.kind == "conflicting_prepares"
        assert "0x" + "0a" * 32 in text
        assert "0x" + "0b" * 32 in text
        assert ("of agency mo-health-bureau" in text) == (path == CONTRACT_MODE)
    else:
        assert finding.transaction is not None
        assert "0x" + finding.transaction.sender.hex() == STRANGER.address.lower()
        assert STRANGER.address.lower() in text


def load_first_validators(path: Path) -> tuple[bytes, ...]:
    chain = EvidenceLedger(path).chain
    return chain.get_validators(chain.head)


def iterate_places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from iterate_places(item, (*place, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from iterate_places(item, (*place, number))
    else:
        yield place


def change(content: Any, place: tuple[Any, ...], position: int, digit: str) -> Any:
    """Return the content with one character of one value changed."""
    changed = copy.deepcopy(content)
    holder = changed
    for step in place[:-1]:
        holder = holder[step]
    value = holder[place[-1]]
    if value is None:
        holder[place[-1]] = 0
    elif isinstance(value, int):
        holder[place[-1]] = value + 1 + position % 7
    else:
        at = position % len(value)
        holder[place[-1]] = value[:at] + digit + value[at + 1 :]
    return changed


@pytest.mark.parametrize(("kind", "path"), CASES)
@given(data=st.data())
@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
def test_evidence_file_with_any_changed_value_is_refused(
    kind: str, path: Path, data: st.DataObject
) -> None:
    content = json.loads(make_file(kind, path))
    member = data.draw(st.sampled_from(sorted(content)), label="member")
    places = [place for place in iterate_places(content) if place[0] == member]
    assume(places)
    place = data.draw(st.sampled_from(places), label="place")
    position = data.draw(st.integers(0, 2**20), label="position")
    digit = data.draw(st.sampled_from("0123456789abcdefF"), label="digit")
    changed = change(content, place, position, digit)
    if changed == content:
        return
    with pytest.raises(EvidenceRefused) as refusal:
        verify(changed, path)
    assert refusal.value.field


@pytest.mark.parametrize(("kind", "path"), CASES)
def test_evidence_file_without_any_member_is_refused(kind: str, path: Path) -> None:
    content = json.loads(make_file(kind, path))
    for name in content:
        shorter = {key: value for key, value in content.items() if key != name}
        with pytest.raises(EvidenceRefused) as refusal:
            verify(shorter, path)
        # Without the block before, a contradiction needs the one of its height.
        wanted = "block" if (kind, name) == ("contradiction", "parent") else name
        assert refusal.value.field == wanted


@pytest.mark.parametrize(("kind", "path"), CASES)
def test_evidence_file_with_a_shorter_list_is_refused(kind: str, path: Path) -> None:
    content = json.loads(make_file(kind, path))
    lists = {place[:-1] for place in iterate_places(content) if isinstance(place[-1], int)}
    if path == CONTRACT_MODE:  # elsewhere a header may be believed without those before it
        lists.add(("trail",))
    for place in lists:
        changed = copy.deepcopy(content)
        target = changed
        for step in place:
            target = target[step]
        target.pop()
        with pytest.raises(EvidenceRefused):
            verify(changed, path)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "file"),
        ("[]", "file"),
        ("nonsense", "file"),
        ('{"format": "atesta-evidence", "format": "atesta-evidence"}', "format"),
        ("[" * 5_000 + "]" * 5_000, "file"),
    ],
)
def test_text_that_is_no_evidence_is_refused(text: str, field: str) -> None:
    with pytest.raises(EvidenceRefused) as refusal:
        parse_document(text)
    assert refusal.value.field == field


def test_unknown_member_is_refused() -> None:
    content = json.loads(make_file("contradiction", CONTRACT_MODE))
    with pytest.raises(EvidenceRefused) as refusal:
        verify({**content, "comment": "believe me"})
    assert refusal.value.field == "comment"


def test_foreign_code_is_refused() -> None:
    content = json.loads(make_file("contradiction", CONTRACT_MODE))
    content["codes"].append("0x00")
    with pytest.raises(EvidenceRefused) as refusal:
        verify(content)
    assert str(refusal.value.field).startswith("codes.")


def test_evidence_of_another_network_is_refused() -> None:
    with pytest.raises(EvidenceRefused) as refusal:
        verify(json.loads(make_file("contradiction", HEADER_VOTES)), CONTRACT_MODE)
    assert refusal.value.field in {"chain_id", "genesis_hash"}


def test_permitted_sender_cannot_be_accused() -> None:
    ledger = EvidenceLedger()
    block = ledger.mine([ledger.act(1, "is_active", BUREAU)])
    exporter = EvidenceExporter(ledger.chain)
    with pytest.raises(EvidenceUnavailable, match="was permitted to send"):
        exporter.export_intrusion(block.block_hash, block.transactions[0].hash)


def test_sender_whose_key_was_ended_is_judged_by_the_state_before_the_block() -> None:
    ledger = EvidenceLedger()
    clerk = get_address(1, "clerk")
    ledger.mine([ledger.act(1, "revoke_own_key", clerk)])
    raw = ledger.sign(get_private_key(1, "clerk"), to=clerk)
    block = ledger.mine([raw])
    document = EvidenceExporter(ledger.chain).export_intrusion(
        block.block_hash, block.transactions[0].hash
    )
    finding = verify(write_document(document))
    assert finding.transaction is not None
    assert finding.transaction.sender == clerk


def test_acts_at_the_first_block_are_proved_by_genesis_itself() -> None:
    ledger = EvidenceLedger()
    block = ledger.mine([ledger.intrude()])
    exporter = EvidenceExporter(ledger.chain)
    intrusion = exporter.export_intrusion(block.block_hash, block.transactions[0].hash)
    contradiction = exporter.export_contradiction(contradict(1, "commits"))
    assert intrusion.trail == ()
    assert verify(write_document(intrusion)).height == 1
    found = verify(write_document(contradiction))
    assert (found.kind, found.offender) == ("conflicting_commits", TRAITOR.address)


def test_contradiction_at_the_height_that_is_on_is_proved_in_contract_mode() -> None:
    ledger = EvidenceLedger()
    ledger.mine()
    document = EvidenceExporter(ledger.chain).export_contradiction(contradict(2, round_number=3))
    finding = verify(write_document(document))
    assert (finding.height, finding.round) == (2, 3)


def test_contradiction_is_proved_where_the_state_of_its_height_is_dropped() -> None:
    ledger = EvidenceLedger(retain_blocks=2)
    ledger.decide(DecisionKind.ADD_VALIDATOR, BUREAU, NEWCOMER.address)
    block = ledger.mine([ledger.intrude()])
    for _ in range(6):
        ledger.mine()
    exporter = EvidenceExporter(ledger.chain)
    document = exporter.export_contradiction(contradict(block.block.header.number, key=NEWCOMER))
    assert document.parent is None
    assert len(document.trail) == 1
    finding = verify(write_document(document))
    assert finding.offender == NEWCOMER.address
    assert finding.agency == bytes(32), "the agency is not shown without the state"
    with pytest.raises(StateMissing):
        exporter.export_intrusion(block.block_hash, block.transactions[0].hash)


def test_contradiction_at_the_height_that_is_on_must_wait_with_header_votes() -> None:
    ledger = EvidenceLedger(HEADER_VOTES)
    ledger.mine()
    exporter = EvidenceExporter(ledger.chain)
    with pytest.raises(EvidenceUnavailable, match="block 2 is not final here"):
        exporter.export_contradiction(contradict(2))
    ledger.mine()
    document = exporter.export_contradiction(contradict(2))
    assert verify(write_document(document), HEADER_VOTES).height == 2


def test_stranger_to_the_height_cannot_be_accused() -> None:
    ledger = EvidenceLedger()
    ledger.mine()
    with pytest.raises(EvidenceUnavailable, match="was no validator of this height"):
        EvidenceExporter(ledger.chain).export_contradiction(contradict(1, key=NEWCOMER))


def test_forged_chain_without_the_validators_keys_is_refused() -> None:
    """Sealed by one real validator only, a made-up header proves nothing."""
    content = json.loads(make_file("intrusion", CONTRACT_MODE))
    header = decode_header(bytes.fromhex(content["block"][2:]))
    seals = decode_extra_data(header.extra_data).seals[:1]
    content["block"] = "0x" + encode_header(with_seals(header, seals)).hex()
    with pytest.raises(EvidenceRefused, match="seals") as refusal:
        verify(content)
    assert refusal.value.field == "block"


def test_forger_cannot_accuse_another_validator_of_a_contradiction() -> None:
    """With header votes the file asks no contract about the accused, so only signatures speak."""
    content = json.loads(make_file("contradiction", HEADER_VOTES))
    content["offender"] = "0x" + TRAITOR.address.hex()
    evidence = contradict(content["height"], key=NEWCOMER)
    accusing = replace(evidence, author=TRAITOR.address)
    content["id"] = "0x" + compute_contradiction_id(accusing).hex()
    with pytest.raises(EvidenceRefused, match="not signed by the accused") as refusal:
        verify(content, HEADER_VOTES)
    assert refusal.value.field == "contradiction"


class Forger:
    """Changes a true file about a stranger's transaction as cleverly as one can without keys."""

    def __init__(self) -> None:
        self.ledger = EvidenceLedger(HEADER_VOTES)
        permitted = self.ledger.act(1, "is_active", BUREAU)
        raws = [permitted, self.ledger.intrude(), self.ledger.intrude()]
        self.block = self.ledger.mine(raws)
        self.raws = [transaction.raw for transaction in self.block.transactions]
        transaction_hash = self.block.transactions[1].hash
        exporter = EvidenceExporter(self.ledger.chain)
        document = exporter.export_intrusion(self.block.block_hash, transaction_hash)
        self.content = json.loads(json.dumps(write_document(document)))
        verify(self.content, HEADER_VOTES)

    def put(self, index: int, *, claimed: int) -> None:
        """Put in the transaction of one place as if it were that of another."""
        chosen = self.block.transactions[index]
        nodes = compute_ordered_proof(self.raws, claimed)
        self.content["intrusion"]["transaction"] = "0x" + chosen.raw.hex()
        self.content["intrusion"]["index"] = claimed
        self.content["intrusion"]["inclusion"] = ["0x" + node.hex() for node in nodes]
        evidence_id = compute_intrusion_id(self.block.block_hash, chosen.hash)
        self.content["id"] = "0x" + evidence_id.hex()

    def get_refused_field(self) -> str | None:
        with pytest.raises(EvidenceRefused) as refusal:
            verify(self.content, HEADER_VOTES)
        return refusal.value.field


def test_forger_cannot_accuse_another_validator_of_a_block() -> None:
    forger = Forger()
    validators = forger.ledger.chain.get_validators(forger.ledger.genesis.header)
    proposer = forger.block.block.header.coinbase
    other = next(validator for validator in validators if validator != proposer)
    forger.content["offender"] = "0x" + other.hex()
    assert forger.get_refused_field() == "offender"


def test_forger_cannot_name_a_permitted_transaction_a_strangers() -> None:
    forger = Forger()
    forger.put(0, claimed=0)
    assert forger.get_refused_field() == "intrusion.sender"


def test_forger_cannot_put_in_a_transaction_that_is_not_at_its_place() -> None:
    forger = Forger()
    forger.put(2, claimed=1)
    assert forger.get_refused_field() == "intrusion.transaction"
    forger.put(2, claimed=2)
    verify(forger.content, HEADER_VOTES)


def test_forger_cannot_hide_that_the_sender_was_permitted() -> None:
    forger = Forger()
    forger.put(0, claimed=0)
    sender = forger.block.transactions[0].sender
    forger.content["intrusion"]["sender"] = "0x" + sender.hex()
    assert forger.get_refused_field() == "parent.state", "whose slots were not asked for"


def test_genesis_files_of_the_tests_have_both_kinds_of_validators() -> None:
    def has_contract(genesis: Genesis) -> bool:
        return genesis.qbft.validator_contract is not None

    assert has_contract(load(CONTRACT_MODE))
    assert not has_contract(load(HEADER_VOTES))

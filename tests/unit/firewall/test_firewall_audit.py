"""The audit looks for what is in the vault, finds what was planted, and signs what it says."""

import hashlib
import itertools
import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from atesta_client.envelopes import seal_envelope
from coincurve import PrivateKey

from api.errors import InvalidField
from api.firewall.audit.chains import BLOCKS, RECEIPTS, CallRpc, iterate_chain
from api.firewall.audit.public import read_public_texts, read_reference_pointers
from api.firewall.audit.report import AUDIT_REPORT, read_report
from api.firewall.audit.running import AuditSources, run_audit
from api.firewall.audit.values import VaultValues, read_values
from api.firewall.search.needles import Needle
from api.vault.materials import Material
from contracts.testkeys import get_address, get_private_key
from tests.unit.rest.ledger_world import Caller

TODAY = date(2026, 11, 22)
PERSON = {
    "name": "陳大文 Chan Tai Man",
    "birth_date": "1963-05-17",
    "result": "negative",
}
NUMBER = "1234567(8)"
CERTIFICATE = "01MO7H4Q"
LEDGER = {"chain_id": 20260, "genesis_hash": "0x" + "00" * 32}


def tell(_what: str, _done: int, _total: int | None) -> None:
    pass


async def attest_person(laboratory: Caller, schema: str) -> None:
    certificate = {"number": CERTIFICATE, "holder": NUMBER, "issued": "2026-11-20"}
    document = PERSON | {"certificate": certificate}
    await laboratory.post("/attestations", {"schema_uid": schema, "document": document})
    await laboratory.agency.settle()


def read(caller: Caller, folder: Path) -> VaultValues:
    keyring = caller.agency.services.maybe_keyring
    assert keyring is not None
    public = read_public_texts(folder / "laboratory" / "outbox.sqlite")
    return read_values(keyring, today=TODAY, public=public)


def audit(values: VaultValues, **folders: Path) -> dict[str, Any]:
    return run_audit(
        values,
        AuditSources(folders=folders),
        tell=tell,
        today=date(1963, 12, 31),
        first_birth=date(1963, 1, 1),
        pattern_limit=0,
        sweep_limit=0,
    )


async def test_vault_is_read_for_what_tells_of_persons(
    laboratory: Caller, schema: str, tmp_path: Path
) -> None:
    await attest_person(laboratory, schema)
    values = read(laboratory, tmp_path)
    texts = {needle.value for needle in values.needles if isinstance(needle.value, str)}
    assert texts == {CERTIFICATE, *PERSON.values(), NUMBER}, "one person's word is no code yet"
    assert dict(values.left_out) == {"recent dates": 1}
    salts = [needle for needle in values.needles if isinstance(needle.value, bytes)]
    assert len(salts) == 5, "a salt for each field of the schema"
    assert values.numbers == {"12345678"}
    assert {"12345678", "+85312345678"} <= {guess.text for guess in values.guesses}
    labels = " ".join(needle.label for needle in values.needles)
    assert "records" in labels
    assert not any(text in labels for text in texts)


async def test_references_of_schemas_and_of_persons_are_looked_for_however_common(
    laboratory: Caller, schema: str, tmp_path: Path
) -> None:
    await attest_person(laboratory, schema)
    body = {"handle": "0x" + "ab" * 32, "counterparty": "0x" + "cd" * 32, "reference": "joana"}
    for number in range(6):
        envelope = seal_envelope("subject-match", body, secrets.token_bytes)
        material = Material(uid=bytes([number]) * 32, role="subject_match", envelope=envelope)
        await laboratory.agency.materials.put((material,), now_s=1)
    keyring = laboratory.agency.services.maybe_keyring
    assert keyring is not None
    references = read_reference_pointers(tmp_path / "laboratory" / "outbox.sqlite")
    assert references == {bytes.fromhex(schema[2:]): frozenset({"/certificate"})}
    public = frozenset({CERTIFICATE, "joana"})
    for named, is_found in (({}, False), (references, True)):
        values = read_values(keyring, today=TODAY, public=public, references=named)
        texts = [needle.value for needle in values.needles]
        assert "joana" in texts
        assert (CERTIFICATE in texts) is is_found
        assert values.left_out["recent dates"] == 1, "a recent date is in every log"


async def test_what_the_ledger_publishes_is_not_taken_for_personal_data(
    laboratory: Caller, tmp_path: Path
) -> None:
    salt, birth_s = "ab" * 32, -1_000_000_000
    body = {
        "uid": "cd" * 32,
        "eventTime": 1_793_000_000,
        "born": birth_s,
        "phone": "1793000001",
        "kept": [{"salt": salt, "commitment": "ef" * 32}],
    }
    envelope = seal_envelope("answer", body, secrets.token_bytes)
    material = Material(uid=b"u" * 32, role="answer", envelope=envelope)
    await laboratory.agency.materials.put((material,), now_s=1)
    values = read(laboratory, tmp_path)
    assert {n.value for n in values.needles if isinstance(n.value, str)} == {
        str(birth_s),
        "1793000001",
    }
    assert bytes.fromhex(salt) in {needle.value for needle in values.needles}
    assert values.left_out == {"public identifiers": 2, "recent dates": 1}


async def test_audit_of_honest_agencies_is_clean_and_signed(
    laboratory: Caller, commission: Caller, schema: str, tmp_path: Path
) -> None:
    await attest_person(laboratory, schema)
    await commission.agency.services.index.catch_up()
    values = read(laboratory, tmp_path)
    content = audit(values, own=tmp_path / "laboratory", commission=tmp_path / "commission")
    assert (content["hits"], content["missed"], content["is_clean"]) == ([], [], True)
    assert content["controls"]["planted"] > 300
    account = get_address(1, "account")
    key = PrivateKey(get_private_key(1, "account"))
    told = {"ledger": LEDGER, **content}
    report = AUDIT_REPORT.sign(told, account, lambda data: key.sign_recoverable(data)[:64])
    text = json.dumps(report, indent=1)
    assert read_report(text.encode()).account == account
    assert not any(str(value) in text for value in (PERSON["name"], NUMBER, "1963-05-17"))
    for changed in (
        text.replace('"is_clean": true', '"is_clean": false'),
        text.replace('"planted": ', '"planted": 1'),
        text.replace(account.hex(), get_address(2, "account").hex()),
        text.replace("atesta-privacy-audit", "another"),
        text[:-40],
    ):
        assert changed != text
        with pytest.raises(InvalidField):
            read_report(changed.encode())


LEAKS = {
    "utf-8 composed": NUMBER.encode(),
    "big5 composed": "陳大文 Chan Tai Man".encode("big5"),
    "utf-16-le upper case": "陳大文 CHAN TAI MAN".encode("utf-16-le"),
    "packed digits": bytes.fromhex("12345678").rjust(32, b"\0"),
    "SHA-256 once": hashlib.sha256(b"12345678").digest(),
    "MD5 once": hashlib.md5(b"+85312345678").hexdigest().encode(),
    "SHA-1 twice": hashlib.sha1(hashlib.sha1(b"17/05/1963").digest()).digest(),
}


async def test_audit_finds_what_leaked_to_another_agency(
    laboratory: Caller, schema: str, tmp_path: Path
) -> None:
    await attest_person(laboratory, schema)
    values = read(laboratory, tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    database = sqlite3.connect(other / "index.sqlite")
    database.execute("CREATE TABLE rows (a BLOB)")
    database.executemany("INSERT INTO rows VALUES (?)", [(leak,) for leak in LEAKS.values()])
    database.commit()
    database.close()
    content = audit(values, other=other)
    assert content["is_clean"] is False
    assert content["missed"] == []
    hits = [hit for hit in content["hits"] if hit["store"] == "other/index.sqlite: SQLite"]
    assert {hit["encoding"] for hit in hits} >= LEAKS.keys()
    assert NUMBER not in json.dumps(content, ensure_ascii=False)


async def test_audit_finds_a_salt_that_left_the_vault(
    laboratory: Caller, schema: str, tmp_path: Path
) -> None:
    await attest_person(laboratory, schema)
    values = read(laboratory, tmp_path)
    salt = next(needle.value for needle in values.needles if isinstance(needle.value, bytes))
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps({"event": "x", "salt": f"0x{salt.hex()}"}) + "\n")
    content = audit(values, log=log)
    assert {hit["store"] for hit in content["hits"]} >= {"log/log.jsonl: lines"}


HEIGHT = 100


def answer_as_a_node(method: str, *arguments: Any) -> Any:
    """Answer for a chain of a hundred blocks, every tenth with a transaction."""
    if method == "eth_blockNumber":
        return hex(HEIGHT)
    is_full = int(arguments[0], 16) % 10 == 0
    if method == "eth_getBlockReceipts":
        return [{"logs": [{"data": "0x" + b"\x03\x04".hex()}]}] if is_full else []
    return {"transactions": [{"input": "0x" + b"\x01\x02".hex()}] if is_full else []}


def audit_chain(values: VaultValues, call: CallRpc = answer_as_a_node) -> dict[str, Any]:
    return run_audit(
        values,
        AuditSources(chains={"theirs": call}),
        tell=tell,
        today=TODAY,
        first_birth=TODAY,
        pattern_limit=0,
        sweep_limit=0,
    )


def test_audit_reads_a_chain_through_json_rpc() -> None:
    content = audit_chain(VaultValues())
    assert (content["is_clean"], content["missed"]) == (True, [])
    assert content["controls"]["planted"] == 2 * len(content["controls"]["methods"])
    (store,) = content["stores"]
    assert store["store"] == "theirs/JSON-RPC: blocks and receipts"
    assert store["entries"] > HEIGHT + 1


@pytest.mark.parametrize("method", ["eth_getBlockByNumber", "eth_getBlockReceipts"])
def test_audit_finds_what_is_on_a_chain(method: str) -> None:
    leak = "0x" + NUMBER.encode().hex()

    def call(asked: str, *arguments: Any) -> Any:
        answer = answer_as_a_node(asked, *arguments)
        if asked != method or arguments[0] != hex(50):
            return answer
        return {**answer, "extraData": leak} if isinstance(answer, dict) else [*answer, leak]

    needle = Needle(label="number", value=NUMBER)
    content = audit_chain(VaultValues(needles=[needle]), call)
    assert {hit["label"] for hit in content["hits"]} == {"number"}
    assert content["missed"] == []


def test_audit_sweeps_the_spaces_of_the_city_and_says_how_far(tmp_path: Path) -> None:
    leak = hashlib.sha256(b"60000999").hexdigest()
    (tmp_path / "notes.txt").write_text(f"seen: {leak}\n")
    for limit, labels in ((3_000, {"a number of Macao mobile numbers"}), (0, set())):
        content = run_audit(
            VaultValues(),
            AuditSources(folders={"own": tmp_path}),
            tell=tell,
            today=TODAY,
            first_birth=TODAY,
            pattern_limit=0,
            sweep_limit=limit,
        )
        assert {hit["label"] for hit in content["hits"]} == labels
        tried = {space["name"]: space["tried"] for space in content["guesses"]["spaces"]}
        assert tried.get("Macao mobile numbers, SHA-256 once", 0) == limit


Answers = Iterator[tuple[int, str, bytes]]


def stop_early(answers: Answers) -> Answers:
    return itertools.islice(answers, HEIGHT)


def read_blocks_only(answers: Answers) -> Answers:
    return ((height, place, data) for height, place, data in answers if place == BLOCKS)


def read_receipts_only(answers: Answers) -> Answers:
    return ((height, place, data) for height, place, data in answers if place == RECEIPTS)


def leave_out_inputs(answers: Answers) -> Answers:
    return ((height, place, data.replace(b"0x", b"0")) for height, place, data in answers)


@pytest.mark.parametrize(
    "fault", [stop_early, read_blocks_only, read_receipts_only, leave_out_inputs]
)
def test_audit_that_is_blind_for_a_part_of_a_chain_fails(
    fault: Callable[[Answers], Answers], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_badly(call: CallRpc, head: int) -> Answers:
        return fault(iterate_chain(call, head))

    monkeypatch.setattr("api.firewall.audit.chains.iterate_chain", read_badly)
    content = audit_chain(VaultValues())
    assert content["is_clean"] is False
    assert content["missed"]


def test_audit_without_sources_is_refused() -> None:
    with pytest.raises(InvalidField):
        run_audit(VaultValues(), AuditSources(), tell=tell, today=TODAY)
    with pytest.raises(InvalidField):
        audit(VaultValues(), other=Path("/nowhere/at/all"))

"""The audit looks for what is in the vault, finds what was planted, and signs what it says."""

import hashlib
import json
import secrets
import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from atesta_client.envelopes import seal_envelope
from coincurve import PrivateKey

from api.errors import InvalidField
from api.firewall.audit.public import read_public_texts, read_reference_pointers
from api.firewall.audit.report import AUDIT_REPORT, read_report
from api.firewall.audit.running import AuditSources, run_audit
from api.firewall.audit.values import VaultValues, read_values
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


def test_audit_reads_a_chain_through_json_rpc() -> None:
    values = VaultValues()
    block = {"transactions": [{"input": "0x" + b"\x01\x02".hex()}]}

    def call(method: str, *_arguments: Any) -> Any:
        answers = {
            "eth_blockNumber": "0x2",
            "eth_getBlockReceipts": [],
        }
        return answers.get(method, block)

    content = run_audit(
        values,
        AuditSources(chains={"theirs": call}),
        tell=tell,
        today=TODAY,
        first_birth=TODAY,
        pattern_limit=0,
    )
    assert content["is_clean"]
    (store,) = content["stores"]
    assert (store["store"], store["entries"]) == ("theirs/JSON-RPC: blocks and receipts", 6)


def test_audit_without_sources_is_refused() -> None:
    with pytest.raises(InvalidField):
        run_audit(VaultValues(), AuditSources(), tell=tell, today=TODAY)
    with pytest.raises(InvalidField):
        audit(VaultValues(), other=Path("/nowhere/at/all"))

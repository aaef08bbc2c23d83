"""A signed report is read as it was signed, under its own format and version, or not at all."""

import dataclasses
import json
from typing import Any

import pytest
from coincurve import PrivateKey
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from api.errors import InvalidField
from api.firewall.audit.report import AUDIT_REPORT
from api.retention.report import RETENTION_REPORT
from api.signed_report import ReportFormat
from contracts.testkeys import get_address, get_private_key

ACCOUNT = get_address(1, "account")
KEY = PrivateKey(get_private_key(1, "account"))
PLAIN = ReportFormat(name="atesta-test", version=3, members=frozenset({"told", "uids"}))
CONTENT = {"told": "二 years", "uids": ["0x" + "11" * 32]}


def sign(data: bytes) -> bytes:
    return KEY.sign_recoverable(data)[:64]  # over SHA-256, the library's default


def make(kind: ReportFormat = PLAIN, **changes: Any) -> bytes:
    return json.dumps(kind.sign(CONTENT, ACCOUNT, sign) | changes).encode()


def refuse(data: bytes) -> InvalidField:
    with pytest.raises(InvalidField) as refused:
        PLAIN.read(data)
    return refused.value


@given(
    told=st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
    indent=st.sampled_from([None, 1]),
)
def test_report_is_read_as_it_was_signed_however_it_is_written(told: Any, indent: int) -> None:
    signed = PLAIN.sign({"told": told, "uids": []}, ACCOUNT, sign)
    read = PLAIN.read(json.dumps(signed, indent=indent).encode())
    assert read.account == ACCOUNT
    assert read.content == {name: signed[name] for name in signed if name != "signature"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"told": "other"}, "signature"),
        ({"account": "0x" + get_address(2, "account").hex()}, "signature"),
        ({"signature": "0x" + "00" * 64}, "signature"),
        ({"signature": "0x" + "ff" * 64}, "signature"),
        ({"signature": "0x" + "11" * 65}, "signature"),
        ({"signature": "0x" + "zz" * 64}, "signature"),
        ({"account": "0x" + "1 " * 20}, "account"),
        ({"account": 7}, "account"),
        ({"more": 1}, "report"),
        ({"format": "atesta-other"}, "format"),
        ({"version": "3"}, "version"),
        ({"version": True}, "version"),
        ({"version": None}, "version"),
    ],
)
def test_changed_report_is_refused(changes: dict[str, Any], field: str) -> None:
    assert PLAIN.read(make()).account == ACCOUNT
    assert refuse(make(**changes)).field == field


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b'{"told": 1, "told": 2}', make()[:-40]])
def test_what_is_no_report_is_refused(data: bytes) -> None:
    assert refuse(data).field in {"report", "format"}


@pytest.mark.parametrize("version", [1, 2, 4, 10**6])
def test_report_of_another_version_is_refused_by_its_number(version: int) -> None:
    refused = refuse(make(dataclasses.replace(PLAIN, version=version)))
    assert refused.field == "version"
    assert f"is {version}; this release reads reports of version 3" in refused.reason
    assert "the release that wrote it" in str(refused.next_step)


def test_signature_counts_under_its_own_format_and_version_alone() -> None:
    for other in (
        dataclasses.replace(PLAIN, version=2),
        dataclasses.replace(PLAIN, name="atesta-other"),
    ):
        signed = other.sign(CONTENT, ACCOUNT, sign)
        forged = signed | {"format": PLAIN.name, "version": PLAIN.version}
        assert refuse(json.dumps(forged).encode()).field == "signature"


def test_audit_of_version_2_is_refused_by_its_number() -> None:
    # As version 2 was signed: over keccak-256, with v.
    told = {"format": "atesta-privacy-audit", "version": 2, "account": "0x" + ACCOUNT.hex()}
    signature = KEY.sign_recoverable(keccak(json.dumps(told).encode()), hasher=None)
    data = json.dumps({**told, "signature": "0x" + signature.hex()}).encode()
    with pytest.raises(InvalidField, match="is 2; this release reads reports of version 3"):
        AUDIT_REPORT.read(data)


def test_account_of_a_large_pruning_can_be_read() -> None:
    uids = ["0x" + bytes([n // 256, n % 256] * 16).hex() for n in range(20_000)]
    content = dict.fromkeys(RETENTION_REPORT.members, 0) | {"records": uids}
    data = json.dumps(RETENTION_REPORT.sign(content, ACCOUNT, sign), indent=1).encode()
    assert len(data) > 1 << 20
    assert RETENTION_REPORT.read(data).content["records"] == uids

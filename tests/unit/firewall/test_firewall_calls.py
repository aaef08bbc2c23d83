"""Calls of the ledger's contracts consist of typed values, or are refused by their field."""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import InvalidField
from api.firewall.calls import read_call
from api.firewall.chance import find_disguise
from api.firewall.kinds import CALL, PAYLOAD, find_decision_kind, find_kind
from api.firewall.transactions import check_foreign_call, check_ledger_call
from api.firewall.values import AgencyName, Commitment, FieldMask, Language, NewName, Signature, Uid
from contracts.addresses import PROXIES, PROXY_NAME
from contracts.codec import encode_call
from contracts.decisions import PAYLOADS, DecisionKind, encode_payload
from contracts.labels import encode_label
from contracts.loader import load_artifact

NOW_S = 1_790_000_000


def chance() -> bytes:
    return secrets.token_bytes(32)


def attest(**changes: Any) -> bytes:
    fields = {
        "uid": chance(),
        "schema_uid": chance(),
        "commitment": chance(),
        "alg": 1,
        "valid_until": 0,
        "event_time": NOW_S,
        "previous": bytes(32),
    } | changes
    return encode_call("attestations", "attest", list(fields.values()))


def walk(contract: str, function: str, entry: Mapping[str, Any]) -> Iterator[str]:
    if entry["type"].startswith("tuple"):
        for part in entry["components"]:
            yield from walk(contract, function, part)
    elif entry["name"] not in {CALL, PAYLOAD} and (
        find_kind(contract, function, entry["name"]) is None
    ):
        yield f"{contract}.{function}: {entry['name']}"


def test_calls_every_argument_of_every_act_has_a_kind() -> None:
    missing = [
        name
        for contract in (*PROXIES.values(), PROXY_NAME)
        for entry in load_artifact(contract).abi
        if entry["type"] == "function" and entry["stateMutability"] not in {"view", "pure"}
        for argument in entry["inputs"]
        for name in walk(contract, entry["name"], argument)
    ]
    assert missing == []
    unnamed = [
        (kind.name, name)
        for kind, fields in PAYLOADS.items()
        for name, _ in fields
        if find_decision_kind(kind, name) is None
    ]
    assert unnamed == []


def test_calls_are_read_into_typed_values() -> None:
    uid, commitment = chance(), chance()
    call = read_call("attestations", attest(uid=uid, commitment=commitment))
    assert call.function == "attest"
    assert call.list_values(Commitment) == [("commitment", commitment)]
    assert ("uid", uid) in call.list_values(Uid)
    assert "previous" not in dict(call.list_values(Uid)), "zeros stand for nothing"


TEXTS = (
    "陳大文 1234567(8) 澳門新馬路".encode()[:32],
    "Maria do Rosário dos Santos Silva".encode()[:32],
    "陈大文住在澳门新马路一号二楼三座".encode("utf-16-le")[:32],
    b"1234567(8)".ljust(32, b"\0"),
    b"1985-01-31".ljust(32),
    bytes.fromhex("4401231985013112345678900000000044012319850131123456789000000000"),
    bytes.fromhex("19850131" * 8),
    secrets.token_bytes(10) + b"440123198501311234" + secrets.token_bytes(4),
)


@pytest.mark.parametrize("field", ["uid", "schema_uid", "commitment", "previous"])
@pytest.mark.parametrize("value", TEXTS, ids=range(len(TEXTS)))
def test_calls_with_data_in_disguise_are_refused_by_the_field(field: str, value: bytes) -> None:
    with pytest.raises(InvalidField) as refused:
        read_call("attestations", attest(**{field: value}))
    assert refused.value.field == field
    assert value.hex() not in str(refused.value)


def test_calls_inside_calls_are_opened() -> None:
    text = TEXTS[0]
    late = encode_call("attestations", "act_late", (attest(commitment=text), chance(), 1))
    relayed = encode_call(
        "attestations",
        "relay",
        (secrets.token_bytes(20), late, 7, NOW_S, secrets.token_bytes(65)),
    )
    for call in (late, relayed):
        with pytest.raises(InvalidField) as refused:
            read_call("attestations", call)
        assert refused.value.field == "commitment"
    deeper = encode_call("attestations", "act_late", (late, chance(), 1))
    with pytest.raises(InvalidField, match="nested too deep"):
        read_call("attestations", encode_call("attestations", "act_late", (deeper, chance(), 1)))


def test_calls_of_decisions_are_opened() -> None:
    def propose(label: bytes, profile: bytes) -> bytes:
        payload = encode_payload(
            DecisionKind.ADMIT_AGENCY,
            [label, encode_label("MO"), profile, 4, bytes(20), bytes(32)],
        )
        arguments = (int(DecisionKind.ADMIT_AGENCY), payload, chance(), NOW_S)
        return encode_call("agency_registry", "propose", arguments)

    assert read_call("agency_registry", propose(encode_label("mo-new-bureau"), chance())).fields
    with pytest.raises(InvalidField) as refused:
        read_call("agency_registry", propose(encode_label("mo-new-bureau"), TEXTS[0]))
    assert refused.value.field == "payload.profile_hash"
    with pytest.raises(InvalidField) as refused:
        read_call("agency_registry", propose("陳大文".encode().ljust(32, b"\0"), chance()))
    assert refused.value.field == "payload.agency"


@given(st.binary(min_size=1, max_size=64))
def test_calls_carry_nothing_behind_their_arguments(more: bytes) -> None:
    with pytest.raises(InvalidField) as refused:
        read_call("attestations", attest() + more)
    assert refused.value.field == "data"


def test_calls_with_a_gap_between_arguments_are_refused() -> None:
    call = encode_call("mandates", "end", (chance(), 1, NOW_S))
    assert read_call("mandates", call).function == "end"
    late = encode_call("mandates", "act_late", (call, chance(), 1))
    moved = late[:4] + (128).to_bytes(32, "big") + late[36:100] + TEXTS[0] + late[100:]
    with pytest.raises(InvalidField, match="canonical"):
        read_call("mandates", moved)


def test_calls_that_only_read_are_no_acts() -> None:
    question = encode_call("agency_registry", "may_send", (secrets.token_bytes(20),))
    for data in (question, b"", b"\x01\x02\x03", b"text that is no call at all"):
        with pytest.raises(InvalidField, match="no act"):
            read_call("agency_registry", data)


def test_calls_name_only_agencies_that_the_ledger_has() -> None:
    known = encode_label("mo-health-bureau")

    def accredit(agency: bytes) -> bytes:
        return encode_call("schemas", "accredit", (chance(), agency, NOW_S))

    def check(agency: bytes) -> None:
        check_ledger_call(
            "schemas",
            accredit(agency),
            is_agency=lambda name: name == known,
            is_jurisdiction=lambda _name: False,
        )

    check(known)
    # The contract would refuse it; the transaction would stay on the chain.
    with pytest.raises(InvalidField) as refused:
        check(encode_label("id-1234567-8"))
    assert refused.value.field == "agency_id"


@given(st.integers(0, 2**256 - 1))
def test_numbers_are_bounded(number: int) -> None:
    call = encode_call("mandates", "end", (chance(), 1, number))
    if number < 2**33:
        read_call("mandates", call)
    else:
        with pytest.raises(InvalidField) as refused:
            read_call("mandates", call)
        assert refused.value.field == "event_time"


def test_masks_languages_signatures_and_names_hold_no_text() -> None:
    for kind, good, bad in (
        (FieldMask, [0b1011, 2**256 - 1, 2**256 - 2**8], [int.from_bytes(b"1234567(8)", "big")]),
        (
            Language,
            [b"zh-Hant-MO", b"pt", b"en-GB", b"zh-Latn-pinyin", b"es-419"],
            [b"en-x-1234567", b"12345678", b"zh-chan-tai", b"zh-Chan-MO", b"zh-MO-siuming"],
        ),
        (AgencyName, [encode_label("mo-bank"), chance()], ["陳大文".encode()]),
        (
            NewName,
            [encode_label("mo-office-27"), chance()],
            [encode_label(text) for text in ("mo-12345678", "mo-66-12-34-56")],
        ),
        (Signature, [secrets.token_bytes(65)], [b"Maria do Rosario" * 4 + b"\x1b", b"1"]),
    ):
        for value in good:
            kind.of(value if isinstance(value, int) else _fill(kind, value), "field")
        for value in bad:
            with pytest.raises(InvalidField):
                kind.of(value if isinstance(value, int) else _fill(kind, value), "field")


def _fill(kind: type, value: bytes) -> bytes:
    return value if kind is Signature else value.ljust(32, b"\0")


def test_foreign_calls_hold_numbers_addresses_and_chance_only() -> None:
    words = [(5).to_bytes(32, "big"), secrets.token_bytes(20).rjust(32, b"\0"), chance(), bytes(32)]
    check_foreign_call(b"\x01\x02\x03\x04" + b"".join(words))
    for text in TEXTS:
        with pytest.raises(InvalidField) as refused:
            check_foreign_call(b"\x01\x02\x03\x04" + words[0] + text)
        assert refused.value.field == "word.1"
    for short in (b"12345", b"12345678", b"TaiMan7"):
        with pytest.raises(InvalidField):
            check_foreign_call(b"\x01\x02\x03\x04" + short.rjust(32, b"\0"))
    check_foreign_call(b"\x01\x02\x03\x04" + (1_763_856_000).to_bytes(32, "big"))
    for size in (1, 3, 5, 40, 4 + 32 * 65):
        with pytest.raises(InvalidField):
            check_foreign_call(b"\x01" * size)


def test_chance_passes_the_rule() -> None:
    # 1 in ten million may be refused, strictly one in fifty thousand.
    assert not any(find_disguise(secrets.token_bytes(32)) for _ in range(3_000))
    assert sum(bool(find_disguise(chance(), is_strict=True)) for _ in range(3_000)) <= 2
    assert not any(find_disguise(secrets.token_bytes(20)) for _ in range(3_000))


@given(st.from_regex(r"[A-Za-z0-9]{11,32}", fullmatch=True).filter(lambda text: len(set(text)) > 1))
def test_text_in_any_encoding_is_no_chance(text: str) -> None:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        for data in (text.encode(encoding), text.encode(encoding)[::-1]):
            assert find_disguise(data[:32].ljust(32, b"\0")) is not None
            assert find_disguise(data[:32].ljust(32)) is not None

"""Bad input: each kind has its own clear error, names the field, echoes nothing."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st

from api.access.callers import Role
from api.access.tokens import create_token, save_tokens
from api.errors import IdempotencyKeyReused, InvalidField
from api.firewall.chance import validate_bare_commitment
from api.openapi.codes import list_contract_codes, list_problem_codes
from api.rest.answers import Problem
from api.rest.cursors import decode_cursor, encode_cursor
from api.rest.refusals import translate_revert
from api.server import serve
from api.settings import ApiSettings
from contracts.refusals import load_refusals
from tests.unit.rest.ledger_world import Agency, Caller, FakeLedger, open_caller

CONTRACTS = Path(__file__).parents[3] / "contracts"
HEADERS = {"Idempotency-Key": "k", "Content-Type": "application/json"}
SECRET = "Chan Tai Man"


async def send(caller: Caller, path: str, body: bytes, **headers: str) -> tuple[int, Any]:
    sent = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    async with caller.client.post(f"/v1{path}", data=body, headers=sent) as response:
        assert response.content_type == "application/problem+json"
        assert SECRET not in await response.text()
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b'{"title": ', "malformed_body", None),
        (b"\xff\xfe", "malformed_body", None),
        (b'{"title": "a", "title": "b"}', "malformed_body", None),
        (b'{"title": NaN}', "malformed_body", None),
        (b"[" * 5000, "malformed_body", None),
        (b"[]", "invalid_field", "body"),
        (b"{}", "invalid_field", "title"),
        (b'{"title": 1, "pointers": ["/a"]}', "invalid_field", "title"),
        (b'{"title": "a", "pointers": "Chan Tai Man"}', "invalid_field", "pointers"),
        (b'{"title": "a", "pointers": ["Chan Tai Man"]}', "invalid_field", "pointers.0"),
        (b'{"title": "a", "pointers": ["/a"], "more": "Chan Tai Man"}', "invalid_field", "more"),
        (b'{"title": "a", "pointers": ["/a"], "uid": "Chan Tai Man"}', "invalid_field", "uid"),
        (b'{"title": "a", "pointers": ["/a"], "reference": ["/b"]}', "invalid_field", "reference"),
    ],
)
async def test_input_body_is_refused_with_its_field(
    bureau: Caller, body: bytes, code: str, field: str | None
) -> None:
    status, problem = await send(bureau, "/schemas", body)
    assert (status, problem["code"], problem.get("field")) == (400, code, field)
    assert (await bureau.get("/status"))["pending"] == 0


async def test_input_needs_json_and_an_idempotency_key(bureau: Caller) -> None:
    body = b'{"title": "a", "pointers": ["/a"]}'
    status, problem = await send(bureau, "/schemas", body, Content_Type="text/plain")
    assert (status, problem["code"]) == (415, "unsupported_media_type")
    status, problem = await send(bureau, "/schemas", body, Idempotency_Key="a b")
    assert (status, problem["field"]) == (400, "Idempotency-Key")
    async with bureau.client.post(
        "/v1/schemas", data=body, headers={"Content-Type": "application/json"}
    ) as response:
        assert (await response.json())["code"] == "idempotency_key_missing"


async def test_input_larger_than_the_limit_is_refused(ledger: FakeLedger, tmp_path: Path) -> None:
    agency = Agency(ledger, tmp_path, 2)
    caller = await open_caller(agency, ApiSettings(max_body_bytes=1_000))
    status, problem = await send(caller, "/schemas", b" " * 1_001)
    assert (status, problem["code"]) == (413, "limit_exceeded")
    await caller.client.close()
    agency.services.close()


async def test_input_key_is_bound_to_the_body(bureau: Caller) -> None:
    body = {"title": "a", "pointers": ["/a"]}
    first = await bureau.post("/schemas", body, key="one")
    assert await bureau.post("/schemas", dict(reversed(body.items())), key="one") == first
    problem = await bureau.post("/schemas", body | {"title": "b"}, key="one", status=409)
    assert problem["code"] == "idempotency_key_reused"
    other = await bureau.post(
        f"/schemas/{first['uid']}/accreditations", {"agency": first["uid"]}, key="one", status=409
    )
    assert other["code"] == IdempotencyKeyReused().code


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("cursor=!!", "cursor"),
        ("cursor=AAAA", "cursor"),
        ("issuer=0x12", "issuer"),
        ("state=unknown", "state"),
        ("from=yesterday", "from"),
        ("from=2026-01-01T00:00:00", "from"),
        ("name=x", "name"),
        ("limit=1&limit=2", "limit"),
    ],
)
async def test_input_query_is_refused_with_its_name(bureau: Caller, query: str, field: str) -> None:
    problem = await bureau.get(f"/attestations?{query}", status=400)
    assert (problem["code"], problem["field"]) == ("invalid_field", field)


async def test_input_path_is_refused_with_its_name(bureau: Caller) -> None:
    assert (await bureau.get("/attestations/0x12", status=400))["field"] == "uid"
    uid = "0x" + "00" * 32
    assert (await bureau.get(f"/batches/{uid}/leaves/-1", status=400))["field"] == "index"
    assert (await bureau.get("/nothing", status=404))["code"] == "path_not_found"


async def test_input_without_ledger_node_is_said_so(bureau: Caller, ledger: FakeLedger) -> None:
    ledger.is_down = True
    problem = await bureau.get("/status", status=503)
    assert problem["code"] == "node_unreachable"


async def test_input_bare_commitment_needs_its_role(ledger: FakeLedger, tmp_path: Path) -> None:
    token, record = create_token("issuer", [Role.ISSUER])
    save_tokens(tmp_path / "tokens.json", [record])
    agency = Agency(ledger, tmp_path, 2)
    caller = await open_caller(agency, ApiSettings(token_file=tmp_path / "tokens.json"))
    body = {"schema_uid": "0x" + "00" * 32, "commitment": "0x" + os.urandom(32).hex()}
    async with caller.client.post(
        "/v1/attestations",
        json=body,
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "k"},
    ) as response:
        assert response.status == 403
        assert (await response.json())["needed_roles"] == ["unopened"]
    await caller.client.close()
    agency.services.close()


@pytest.mark.parametrize("rule", load_refusals())
def test_input_refusals_tell_every_rule_of_the_contracts(rule: str) -> None:
    refusal = translate_revert(rule)
    assert re.fullmatch(r"[a-z0-9_]{3,80}", refusal.code)
    assert refusal.status in {400, 403, 404, 409, 422}
    assert refusal.extra["rule"] == rule
    assert refusal.next_step
    assert refusal.code in list_problem_codes() | list_contract_codes()


def test_input_refusals_have_codes_of_their_own() -> None:
    told = {
        "attestation: not yours": ("foreign_record", 403),
        "basis: not for these fields": ("basis_not_for_these_fields", 422),
        "basis: unknown": ("basis_not_found", 404),
        "consent: uid already used": ("uid_exists", 409),
        "dataset: not yours": ("dataset_not_yours", 403),
        "exchange: own request": ("exchange_own_request", 403),
        "key: role missing": ("account_role_missing", 403),
        "signature: nonce already used": ("signature_nonce_already_used", 409),
    }
    for rule, answer in told.items():
        refusal = translate_revert(rule)
        assert (refusal.code, refusal.status) == answer
    unknown = translate_revert("schema: something new")
    assert (unknown.code, unknown.status) == ("refused_by_ledger", 422)


@pytest.mark.parametrize(
    "value",
    [
        b"Chan Tai Man".ljust(32, b"\0"),
        b"Chan Tai Man".rjust(32, b" "),
        b"Chan Tai Man, born in Macao, 1990",
        "陳大文一九九零年一月一日澳門市區".encode("big5"),
        "陈大文一九九零年一月一日广东省珠".encode("gb2312"),
        "Chan Tai Man 199".encode("utf-16-le"),
        "陳大文生於澳門一九九〇年一月一日".encode("utf-16-be"),
        bytes.fromhex("1990010119910202199203031993040419940505199506061996070719970808"),
        bytes.fromhex("0123456789") * 6 + b"\x01\x23",
        b"".join(number.to_bytes(4, "big") for number in range(19900101, 19900109)),
        b"".join(number.to_bytes(8, "little") for number in range(1700000000, 1700000004)),
        bytes(range(8)) * 4,
        (19900101).to_bytes(32, "big"),
    ],
)
def test_input_commitment_that_is_data_is_refused(value: bytes) -> None:
    with pytest.raises(InvalidField) as refused:
        validate_bare_commitment(value[:32])
    assert refused.value.field == "commitment"


def test_input_commitment_that_is_chance_is_taken() -> None:
    for _ in range(2000):
        validate_bare_commitment(os.urandom(32))


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_input_cursor_round_trips(position: int) -> None:
    text = encode_cursor(position)
    assert text is not None
    assert decode_cursor(text) == position


async def test_refused_method_names_the_methods_there_are(laboratory: Caller) -> None:
    async with laboratory.client.delete("/v1/schemas") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET, POST")
        assert (await response.json())["allowed_methods"] == ["GET", "POST"]


async def test_address_that_is_too_long_is_refused_as_everything_else(
    laboratory: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ApiSettings(port=0)
    async with (
        serve(laboratory.agency.build_app(), settings) as url,
        ClientSession() as session,
        session.get(f"{url}/v1/cases/{'private' * 2000}") as response,
    ):
        assert (response.status, response.content_type) == (400, "application/problem+json")
        text = await response.text()
        problem = Problem.model_validate_json(text)
        assert problem.code == "http_error"
        assert response.headers["X-Request-Id"] in str(problem.instance)
    assert "private" not in text + "".join(capsys.readouterr())

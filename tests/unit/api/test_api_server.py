"""The root application on a real socket: errors, limits, tokens, health, metrics and web3.py."""

import asyncio
import io
import ssl
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from structlog.testing import capture_logs
from web3 import AsyncHTTPProvider, AsyncWeb3, Web3
from web3.exceptions import ContractLogicError, Web3RPCError
from web3.middleware import ExtraDataToPOAMiddleware

from api.access.callers import Role
from api.access.tokens import TokenStore, create_token, load_tokens, save_tokens
from api.app import Readiness, Services, build_app
from api.errors import InvalidField, UpstreamFault
from api.jsonrpc.dispatcher import Dispatcher
from api.jsonrpc.http import build_rpc_surface
from api.jsonrpc.state import REVERT_SELECTOR
from api.ports import CallResult
from api.server import serve
from api.settings import ApiSettings
from tests.unit.jsonrpc.fake_ledger import REGISTRY, SENDER, FakeLedger, sign

LOOPBACK = ApiSettings(port=0)
BLOCK_NUMBER = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}


def build_services(ledger: FakeLedger, **fields: Any) -> Services:
    return Services(
        surfaces=(build_rpc_surface(Dispatcher(ledger)),),
        metrics=(ledger.get_metrics,),
        **fields,
    )


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
async def url(ledger: FakeLedger) -> AsyncIterator[str]:
    async with serve(build_app(build_services(ledger), LOOPBACK), LOOPBACK) as base:
        yield base


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_web3_reads_and_sends_from_outside(ledger: FakeLedger, url: str) -> None:
    web3: AsyncWeb3[Any] = AsyncWeb3(AsyncHTTPProvider(url))
    web3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    ledger.add_block()
    assert await web3.is_connected()
    assert await web3.eth.chain_id == 20_200_510
    block = await web3.eth.get_block("finalized")
    assert block["number"] == 1
    sent = await web3.eth.send_raw_transaction(sign(0))
    assert (await web3.eth.get_transaction(sent))["from"] == SENDER.address
    assert await web3.eth.get_transaction_count(SENDER.address, "pending") == 1
    ledger.add_block([sign(0)])
    receipt = await web3.eth.wait_for_transaction_receipt(sent)
    assert (receipt["status"], receipt["blockNumber"]) == (1, 2)
    pending = await web3.eth.get_block("pending")
    assert pending.get("hash") is None
    history = await web3.eth.fee_history(2, "latest", [50])
    assert history["baseFeePerGas"] == [0, 0, 0]
    assert await web3.eth.get_logs({"fromBlock": 0, "toBlock": "latest"}) == []
    provider = web3.provider
    assert isinstance(provider, AsyncHTTPProvider)
    await provider.disconnect()


async def test_blocking_web3_sees_reverts_and_refusals(ledger: FakeLedger, url: str) -> None:
    reason = REVERT_SELECTOR + bytes(31) + b"\x20" + bytes(31) + b"\x04no!!".ljust(33, b"\0")
    ledger.answer_call = lambda _: CallResult(
        output=reason, gas_used=1, error="reverted", is_revert=True
    )

    def use_web3() -> None:
        web3 = Web3(Web3.HTTPProvider(url))
        web3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
        assert web3.eth.get_block("latest", full_transactions=True)["number"] == 0
        with pytest.raises(ContractLogicError, match="no!!"):
            web3.eth.call({"to": Web3.to_checksum_address(REGISTRY)})
        with pytest.raises(Web3RPCError, match="never signs"):
            web3.eth.send_transaction({"from": SENDER.address, "to": SENDER.address, "gas": 21_000})
        with pytest.raises(Web3RPCError, match="not a transaction"):
            web3.eth.send_raw_transaction(b"\x7f\x01")
        assert list(web3.eth.accounts) == []
        eth: Any = web3.eth  # its types miss that methods are bound
        proof = eth.get_proof(Web3.to_checksum_address(REGISTRY), [3], "latest")
        assert proof["storageProof"][0]["key"] == (3).to_bytes(32, "big")

    await asyncio.to_thread(use_web3)


@pytest.mark.parametrize(
    "case",
    [
        (b"{", "application/json", 400, -32700),
        (orjson.dumps(BLOCK_NUMBER), "text/plain", 415, -32602),
        (b"x" * (9 * 1024 * 1024), "application/json", 413, -32005),
    ],
)
async def test_unusable_body_is_a_json_rpc_error_with_its_status(
    url: str,
    http: aiohttp.ClientSession,
    case: tuple[bytes, str, int, int],
) -> None:
    body, content_type, status, code = case
    headers = {"Content-Type": content_type}
    async with http.post(url, data=io.BytesIO(body), headers=headers) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]["code"] == code


async def test_unknown_paths_and_methods_are_problem_documents(
    url: str, http: aiohttp.ClientSession
) -> None:
    async with http.get(url + "/nowhere") as answer:
        assert answer.status == 404
        assert answer.content_type == "application/problem+json"
        problem = await answer.json(content_type=None)
        assert problem["code"] == "path_not_found"
        assert problem["instance"].endswith(answer.headers["X-Request-Id"])
    async with http.delete(url + "/health") as answer:
        assert answer.status == 405
        assert "GET" in (await answer.json(content_type=None))["allowed_methods"]


async def test_metrics_speak_prometheus_and_count_requests(
    url: str, http: aiohttp.ClientSession
) -> None:
    await http.post(url, json=BLOCK_NUMBER)
    async with http.get(url + "/metrics") as answer:
        text = await answer.text()
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE atesta_head gauge\natesta_head 0\n" in text
    assert 'atesta_http_requests_total{surface="json-rpc",status="2xx"} 1' in text


async def test_readiness_names_what_is_missing(
    ledger: FakeLedger, http: aiohttp.ClientSession
) -> None:
    behind: list[str | None] = ["the index is 40 blocks behind"]

    async def check_index() -> str | None:
        return behind[0]

    async def check_node() -> str | None:
        if behind[0]:
            raise UpstreamFault("the node is away", code="node_unreachable")
        return None

    services = build_services(
        ledger,
        readiness=(
            Readiness(name="index", check=check_index),
            Readiness(name="node", check=check_node),
        ),
    )
    async with serve(build_app(services, LOOPBACK), LOOPBACK) as url:
        async with http.get(url + "/ready") as answer:
            assert answer.status == 503
            assert (await answer.json())["problems"] == {
                "index": "the index is 40 blocks behind",
                "node": "the node is away",
            }
        behind[0] = None
        async with http.get(url + "/ready") as answer:
            assert answer.status == 200
        async with http.get(url + "/health") as answer:
            assert await answer.json() == {"status": "ok"}


async def test_log_line_holds_the_route_but_nothing_the_caller_sent(
    url: str, http: aiohttp.ClientSession
) -> None:
    with capture_logs() as lines:
        await http.post(url + "/?name=Chan+Tai+Man", json={**BLOCK_NUMBER, "method": "CHAN"})
        await http.get(url + "/Chan-Tai-Man")
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["route"], line["status"]) for line in requests] == [("/", 200), (None, 404)]
    assert "chan" not in repr(requests).lower()


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example:8545"}],
)
async def test_local_server_without_tokens_refuses_foreign_pages(
    url: str, http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    async with http.post(url, json=BLOCK_NUMBER, headers=headers) as answer:
        assert answer.status == 403
    async with http.post(url, json=BLOCK_NUMBER, headers={"Origin": url}) as answer:
        assert answer.status == 200


async def test_tokens_open_what_their_roles_say(
    ledger: FakeLedger, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    path = tmp_path / "tokens.json"
    reader, reader_record = create_token("reader", [Role.READER])
    writer, writer_record = create_token("writer", [Role.WRITER])
    save_tokens(path, [reader_record, writer_record])
    settings = replace(LOOPBACK, token_file=path)
    send = {**BLOCK_NUMBER, "method": "eth_sendRawTransaction", "params": ["0x" + sign(0).hex()]}

    url = ""

    async def post(call: Any, token: str | None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with http.post(url, json=call, headers=headers) as answer:
            return answer.status, await answer.json()

    async with serve(build_app(build_services(ledger), settings), settings) as base:
        url = base
        status, answer = await post(BLOCK_NUMBER, None)
        assert (status, answer["error"]["data"]["code"]) == (200, "unauthorized")
        assert (await post(BLOCK_NUMBER, "atesta_wrong"))[0] == 401
        assert (await post(BLOCK_NUMBER, reader))[1]["result"] == "0x0"
        assert (await post(BLOCK_NUMBER, writer))[1]["result"] == "0x0"
        assert (await post(send, reader))[1]["error"]["data"]["needed_roles"] == ["writer"]
        assert ledger.pending == {}
        assert "result" in (await post(send, writer))[1]
        async with http.get(url + "/metrics") as plain:
            assert plain.status == 401
            assert plain.headers["WWW-Authenticate"].startswith("Bearer")
        async with http.get(url + "/health") as plain:
            assert plain.status == 200
        # A person's browser sends the token as a Basic password.
        basic = aiohttp.encode_basic_auth("anybody", reader)
        async with http.get(url + "/metrics", headers={"Authorization": basic}) as plain:
            assert plain.status == 200
        # Revoking is an edit of the file.
        save_tokens(path, [writer_record])
        assert (await post(BLOCK_NUMBER, reader))[0] == 401
        # A damaged file lets nobody in.
        path.write_text("{")
        assert (await post(BLOCK_NUMBER, writer))[0] == 503


def test_token_file_keeps_no_token_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    token, record = create_token("lab", [Role.ISSUER, Role.VERIFIER])
    save_tokens(path, [record])
    assert token not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_tokens(path) == (record,)


def test_expired_token_names_nobody(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    end = datetime(2026, 1, 1, tzinfo=UTC)
    token, record = create_token("guest", [Role.READER], expires_at=end)
    save_tokens(path, [record])
    assert TokenStore(path, now=lambda: end - timedelta(seconds=1)).find(token) is not None
    assert TokenStore(path, now=lambda: end).find(token) is None


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ("[]", "api.token_file"),
        ("{", "api.token_file"),
        ('{"tokens": [{"name": "x"}]}', "tokens[0]"),
        ('{"tokens": [{"name": "x", "sha256": "00", "roles": []}]}', "tokens[0].sha256"),
        ('{"tokens": [{"name": "x", "sha256": "%s", "roles": ["king"]}]}', "tokens[0]"),
    ],
)
def test_bad_token_file_names_the_entry(tmp_path: Path, content: str, field: str) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(content.replace("%s", "00" * 32))
    with pytest.raises(InvalidField) as caught:
        load_tokens(path)
    assert caught.value.field == field


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.org", "::"])
def test_other_address_needs_tls_and_tokens(host: str) -> None:
    with pytest.raises(InvalidField, match="TLS"):
        ApiSettings(host=host)
    with pytest.raises(InvalidField, match="bearer tokens"):
        ApiSettings(host=host, tls_certificate=Path("c.pem"), tls_key=Path("k.pem"))
    for local in ("127.0.0.1", "localhost", "::1", "127.9.9.9"):
        ApiSettings(host=local)


async def test_occupied_port_is_named(ledger: FakeLedger, url: str) -> None:
    port = int(url.rsplit(":", 1)[1])
    settings = ApiSettings(port=port)
    with pytest.raises(InvalidField, match=f"port {port} .* occupied"):
        async with serve(build_app(build_services(ledger), settings), settings):
            pass


async def test_server_speaks_tls_when_told(
    ledger: FakeLedger, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    certificate, key = make_certificate(tmp_path)
    settings = ApiSettings(port=0, tls_certificate=certificate, tls_key=key)
    async with serve(build_app(build_services(ledger), settings), settings) as url:
        assert url.startswith("https://")
        context = ssl.create_default_context(cafile=str(certificate))
        context.check_hostname = False
        async with http.post(url, json=BLOCK_NUMBER, ssl=context) as answer:
            assert (await answer.json())["result"] == "0x0"
    other = tmp_path / "other"
    other.mkdir()
    wrong = replace(settings, tls_key=make_certificate(other)[1])
    with pytest.raises(InvalidField, match="cannot be used together"):
        async with serve(build_app(build_services(ledger), wrong), wrong):
            pass


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate for 127.0.0.1 with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "api")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "api.pem", folder / "api.key"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_path, key_path

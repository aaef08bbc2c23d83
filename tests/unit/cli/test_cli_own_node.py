"""How an officer's command reaches the own node: address, token, and a certificate's authority."""

import ssl
import threading
import urllib.error
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.cli.app import app
from node.cli.devnet import NodeRpc
from node.cli.devnet.rpc import NodeUnreachable

ASKED: list[str | None] = []


class _Node(BaseHTTPRequestHandler):
    """Answers every call with an error, after noting the token."""

    def do_POST(self) -> None:
        ASKED.append(self.headers.get("Authorization"))
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"asked"}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_given: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    ASKED.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Node) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("words", [("governance", "rules"), ("house", "show", "--agency", "mo-x")])
def test_officer_reaches_a_node_that_asks_for_tokens(
    tmp_path: Path, url: str, words: tuple[str, ...]
) -> None:
    config, token = tmp_path / "node.toml", tmp_path / "token"
    config.write_text('[node]\nname = "x"\n[api]\nport = 1\n')
    token.write_text("secret\n")
    group, *rest = words
    given = [group, "--url", url, "--token-file", str(token), *rest, "--config", str(config)]
    assert str(CliRunner().invoke(app, given).exception) == "asked"
    assert ASKED == ["Bearer secret"]
    # What one command was told is not kept for the next.
    again = CliRunner().invoke(app, [group, *rest, "--config", str(config)])
    assert isinstance(again.exception, NodeUnreachable)
    assert "127.0.0.1:1" in str(again.exception)


def test_certificate_that_is_not_trusted_is_told_from_a_node_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_given: object, **_named: object) -> None:
        raise urllib.error.URLError(ssl.SSLCertVerificationError(1, "self-signed certificate"))

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(NodeUnreachable, match="is not trusted") as caught:
        NodeRpc("https://127.0.0.1:1").call("eth_blockNumber")
    assert "SSL_CERT_FILE" in str(caught.value.next_step)

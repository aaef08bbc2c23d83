"""The few questions that the command line asks of a running node, over JSON-RPC, blocking."""

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from node.errors import OperationalFault, UserFault

_TIMEOUT_S = 5.0


class NodeUnreachable(OperationalFault):
    """No node answers at the address."""


class RpcError(UserFault):
    """The node answered with a JSON-RPC error."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


class NodeRpc:
    """One node's JSON-RPC address."""

    def __init__(
        self, url: str, *, token_file: Path | None = None, timeout_s: float = _TIMEOUT_S
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise UserFault("is not an http address", field="url")
        self.url = url
        self._timeout_s = timeout_s
        self._headers = {"Content-Type": "application/json"}
        if token_file is not None:
            token = token_file.read_text(encoding="utf-8").strip()
            self._headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, *parameters: Any) -> Any:
        """Call a method; raises NodeUnreachable or RpcError."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        answer = json.loads(self._send("", json.dumps(request).encode()))
        error = answer.get("error")
        if error is not None:
            raise RpcError(error["code"], error["message"], error.get("data"))
        return answer["result"]

    def get_height(self) -> int:
        """Return the height of the last final block."""
        return int(self.call("eth_blockNumber"), 16)

    def is_serving(self) -> bool:
        """Tell whether the node serves; raises NodeUnreachable if nothing answers."""
        return bool(json.loads(self._send("/health", None)).get("status") == "ok")

    def _send(self, path: str, body: bytes | None) -> bytes:
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            self.url + path, data=body, headers=self._headers
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as response:  # noqa: S310
                content: bytes = response.read()
                return content
        except urllib.error.HTTPError as error:
            content = error.read()
            if content.startswith(b"{") and b"jsonrpc" in content:
                return content
            raise NodeUnreachable(f"{self.url} answers {error.code}") from error
        except (OSError, TimeoutError) as error:
            if isinstance(getattr(error, "reason", None), ssl.SSLCertVerificationError):
                raise NodeUnreachable(
                    f"the certificate at {self.url} is not trusted: {error}",
                    next_step="Name its authority's file in the environment as SSL_CERT_FILE",
                ) from error
            raise NodeUnreachable(
                f"no node answers at {self.url}",
                next_step="Check that it runs, with `atesta devnet status` or in its log",
            ) from error

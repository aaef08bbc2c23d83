"""How an API server binds, whom it admits and how much one request may cost.

Plain values; `node.settings` or `api.process` reads them from a file. The one rule checked here is
about exposure: an address other than loopback needs both TLS and a proof of who calls, because the
bearer token and everything it opens would otherwise cross the wire readable.
"""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from api.errors import InvalidField


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcLimits:
    """Bounds on what one JSON-RPC request may ask."""

    max_batch: int = 1_000
    """Calls in one batch."""
    max_response_bytes: int = 32 * 1024 * 1024
    """Bytes of one HTTP answer; a batch that grows past it is cut with errors."""
    max_log_blocks: int = 10_000
    """Heights that one `eth_getLogs` may span."""
    max_log_results: int = 20_000
    """Logs that one answer may hold."""
    max_filters: int = 256
    """Installed filters; the one unused longest makes room."""
    filter_idle_s: float = 300.0
    """Seconds after which an unused filter may be dropped."""
    call_gas: int = 50_000_000
    """Gas cap of `eth_call` and `eth_estimateGas`."""
    call_timeout_s: float = 5.0
    """Wall-clock limit of one call."""
    max_concurrent_calls: int = 2
    """Calls that execute at once: pure computation, so more would only delay consensus."""
    max_waiting_calls: int = 2_000
    """Calls that may wait for their turn, a burst of writes; the next is told to come back."""
    max_proof_slots: int = 1_024
    """Storage slots in one `eth_getProof`."""
    max_fee_history: int = 1_024
    """Blocks in one `eth_feeHistory`."""
    max_transaction_bytes: int = 128 * 1024
    """Bytes of one signed transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """One API server."""

    host: str = "127.0.0.1"
    port: int = 8545
    """0 takes any free port."""
    tls_certificate: Path | None = None
    """PEM chain; with `tls_key` the server speaks HTTPS only."""
    tls_key: Path | None = None
    token_file: Path | None = None
    """Hashed bearer tokens (`api.access.tokens`)."""
    access_file: Path | None = None
    """Providers, client certificates and limits (`api.access.rules`). Where neither file tells how
    callers are known, whoever is on this machine holds every role."""
    max_body_bytes: int = 8 * 1024 * 1024
    """A larger request body is refused with 413."""
    rpc: RpcLimits = field(default_factory=RpcLimits)

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise InvalidField("api.port", "a port is a number from 0 to 65535")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise InvalidField("api.tls_key", "TLS needs both the certificate and its key")
        if is_loopback(self.host):
            return
        if self.tls_certificate is None:
            raise InvalidField(
                "api.tls_certificate",
                "an address other than loopback needs TLS",
                next_step="set api.tls_certificate and api.tls_key, or bind 127.0.0.1",
            )
        if self.token_file is None and self.access_file is None:
            raise InvalidField(
                "api.token_file",
                "an address other than loopback needs bearer tokens",
                next_step="set api.token_file, or bind 127.0.0.1",
            )


def is_loopback(host: str) -> bool:
    """Return whether `host` (a name or an address, without port) can only mean this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False

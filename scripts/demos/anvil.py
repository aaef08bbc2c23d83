"""Anvil as another network: one process on 127.0.0.1 that makes blocks of its own.

`scripts/setup_anvil` installs it. It stands for any EVM network: it asks a base fee, names blocks
`latest`, `safe` and `finalized`, and, told to, takes blocks back. Nothing of it is a node of ours.
"""

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

INSTALLED: Final = Path(__file__).parents[2] / ".anvil" / "anvil"
START_S: Final = 30.0
COIN: Final = 10**18
"""A thousand millions of gwei."""


class AnvilMissing(Exception):
    """There is no anvil on this machine."""


class AnvilRefused(Exception):
    """Anvil answered with an error."""


class Anvil:
    """One running anvil."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self._process = process
        self.url = f"http://127.0.0.1:{port}"
        """Its JSON-RPC."""
        self.port = port

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method; raises AnvilRefused."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(arguments)}
        request = urllib.request.Request(  # noqa: S310 - the address is ours
            self.url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=START_S) as response:  # noqa: S310
            answer = json.load(response)
        if "error" in answer:
            raise AnvilRefused(f"{method}: {answer['error'].get('message')}")
        return answer["result"]

    def fund(self, *accounts: bytes, coins: int = 1_000) -> None:
        """Give accounts coins of this network."""
        for account in accounts:
            self.call("anvil_setBalance", "0x" + account.hex(), hex(coins * COIN))

    def mine(self, blocks: int = 1) -> None:
        """Make blocks now."""
        for _ in range(blocks):
            self.call("evm_mine")

    def stop(self) -> None:
        """End the process and wait for it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def wait_ready(self) -> None:
        """Wait until it answers; raises AnvilRefused if it ends or takes too long."""
        end = time.monotonic() + START_S
        while True:
            try:
                self.call("eth_chainId")
            except (urllib.error.URLError, OSError) as error:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise AnvilRefused("anvil does not start") from error
                time.sleep(0.05)
            else:
                return


def find_anvil() -> Path:
    """Return the program; raises AnvilMissing."""
    if INSTALLED.exists():
        return INSTALLED
    found = shutil.which("anvil")
    if found is None:
        raise AnvilMissing("anvil is missing: run scripts/setup_anvil")
    return Path(found)


def launch_anvil(
    *,
    chain_id: int,
    port: int | None = None,
    block_time_s: int | None = None,
    epoch_slots: int = 1,
    log: Path | None = None,
) -> Anvil:
    """Start anvil; a block is final two epochs after it was made.

    Without `block_time_s` it makes a block for each transaction at once. Raises AnvilMissing or
    AnvilRefused.
    """
    chosen = port or _find_free_port()
    command = [
        str(find_anvil()),
        *("--host", "127.0.0.1", "--port", str(chosen)),
        *("--chain-id", str(chain_id), "--slots-in-an-epoch", str(epoch_slots)),
        *(("--block-time", str(block_time_s)) if block_time_s is not None else ()),
    ]
    if log is None:
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
    else:
        with log.open("ab") as file:
            process = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )
    anvil = Anvil(process, chosen)
    try:
        anvil.wait_ready()
    except BaseException:
        anvil.stop()
        raise
    return anvil


@contextmanager
def run_anvil(**options: Any) -> Iterator[Anvil]:
    """Run anvil until the block is left; the options are those of `launch_anvil`."""
    anvil = launch_anvil(**options)
    try:
        yield anvil
    finally:
        anvil.stop()


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

"""Snapshots of a node that runs on: the database as it is at one moment, written by a thread.

The exporter reads a frozen view of the store, in which nothing is pruned, while blocks go on being
imported beside it. It pauses after every few parts, so that a large state slows no block down. One
export runs at a time; it ends early when the node stops, before the store is closed under it. The
folder holds the last one only: whoever asked takes the file away.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from api.errors import ApiError, InvalidField, MethodNotEnabled, NotFound, UpstreamFault
from node.chain.blockchain import Blockchain
from node.chain.errors import StateMissing
from node.errors import NodeError, OperationalFault, UserFault
from node.snapshot.errors import SnapshotUnavailable
from node.snapshot.exporter import ExportedSnapshot, export_snapshot, require_snapshots
from node.storage.level import LevelStore

SUFFIX: Final = ".snapshot"

_PAUSE_S: Final = 0.002
"""After every progress report of the exporter, a thousand parts or less."""


class SnapshotDesk:
    """Writes snapshots of the chain in `store` into `folder`. `export` runs on the event loop."""

    def __init__(
        self,
        store: LevelStore,
        chain: Blockchain,
        folder: Path,
        *,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._store = store
        self._chain = chain
        self._folder = folder
        self._is_busy = threading.Lock()
        self._pause = pause
        self._is_closed = False

    async def export(self, height: int) -> Mapping[str, Any]:
        """Write a snapshot and return what was written, as JSON values; raises ApiError."""
        path, made = await asyncio.get_running_loop().run_in_executor(None, self._write, height)
        return {
            "file": str(path),
            "number": hex(made.number),
            "hash": "0x" + made.block_hash.hex(),
            "parts": made.parts,
            "bytes": made.size_bytes,
            "seal": "0x" + made.seal.hex(),
        }

    def close(self) -> None:
        """Let no further export begin, and wait until one that runs has given up."""
        self._is_closed = True
        with self._is_busy:
            pass

    def _write(self, height: int) -> tuple[Path, ExportedSnapshot]:
        """Write the file, in a thread."""
        if not self._is_busy.acquire(blocking=False):
            raise UpstreamFault(
                "a snapshot is being written already",
                code="snapshot_busy",
                next_step="wait for it and ask again",
            )
        try:
            self._breathe()
            require_snapshots(self._chain)
            return self._export(height)
        except NodeError as error:
            raise _explain(error) from error
        except OSError as error:
            raise _explain(OperationalFault(f"cannot be written: {error.strerror}")) from error
        finally:
            self._is_busy.release()

    def _export(self, height: int) -> tuple[Path, ExportedSnapshot]:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for old in self._folder.glob(f"*{SUFFIX}*"):
            old.unlink()
        path = self._folder / f"block-{height}{SUFFIX}"
        with self._store.freeze() as frozen:
            made = export_snapshot(frozen, self._chain, path, height=height, progress=self._breathe)
        return path, made

    def _breathe(self, _parts: int = 0, _size_bytes: int = 0) -> None:
        if self._is_closed:
            raise OperationalFault("the node is stopping")
        self._pause(_PAUSE_S)


def _explain(error: NodeError) -> ApiError:
    """Put a refusal of the exporter into the API's words."""
    match error:
        case StateMissing():
            return NotFound(error.message, code="state_missing")
        case UserFault():
            return InvalidField("params[0]", error.message)
        case SnapshotUnavailable(field=None):
            return MethodNotEnabled(error.message, next_step=error.next_step)
    return UpstreamFault(error.message, code="node_unavailable", next_step=error.next_step)

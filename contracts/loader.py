"""Loads the committed artifacts: for each contract its ABI and its creation bytecode.

`artifacts/NAME.json` is written by `scripts/make_genesis` from the Vyper sources and compared with
them by a test, so nothing here needs a compiler.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from contracts.errors import ArtifactMissing

ARTIFACTS_FOLDER: Final = Path(__file__).parent / "artifacts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One compiled contract."""

    name: str
    """The source's file name without its suffix."""
    abi: tuple[Mapping[str, Any], ...]
    """The entries of the JSON ABI."""
    creation_bytecode: bytes
    """Code that runs once, with the constructor's arguments appended, and returns the contract."""
    compiler_version: str
    """The Vyper release that made it."""
    source_hash: str
    """SHA-256 over all sources that went into it, in hexadecimal."""
    storage_layout: Mapping[str, Any]
    """The compiler's storage layout, by variable."""


@cache
def load_artifact(name: str) -> Artifact:
    """Load `artifacts/NAME.json`; ArtifactMissing if there is none or it cannot be read."""
    path = ARTIFACTS_FOLDER / f"{name}.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Artifact(
            name=name,
            abi=tuple(document["abi"]),
            creation_bytecode=bytes.fromhex(document["creation_bytecode"].removeprefix("0x")),
            compiler_version=document["compiler_version"],
            source_hash=document["source_hash"],
            storage_layout=document["storage_layout"],
        )
    except (OSError, ValueError, KeyError) as error:
        raise ArtifactMissing(f"compiled contract {name!r} cannot be read: {error}") from error


def list_artifacts() -> tuple[str, ...]:
    """Name all committed artifacts, in alphabetical order."""
    return tuple(sorted(path.stem for path in ARTIFACTS_FOLDER.glob("*.json")))

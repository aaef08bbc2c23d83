"""Compiles the Vyper sources into artifacts; needs the compiler, so only developers import it.

One artifact holds ABI, creation bytecode, storage layout, compiler version and a hash over every
source that went in. The same sources and compiler give the same bytes.
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from vyper import __version__ as vyper_version
from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.settings import OptimizationLevel, Settings

from contracts.addresses import AGENCY_REGISTRY_NAME, DECISIONS_NAME, PROXIES, PROXY_NAME

SOURCES_FOLDER: Final = Path(__file__).parent
CONTRACT_NAMES: Final = (*PROXIES.values(), DECISIONS_NAME, PROXY_NAME)
EVM_VERSION: Final = "cancun"


def compile_all() -> dict[str, str]:
    """Compile every contract; the text of its artifact by its name."""
    return {name: compile_contract(name) for name in CONTRACT_NAMES}


def compile_contract(name: str) -> str:
    """Compile one contract; the text of its artifact.

    The registry's code is in two accounts. Whoever speaks with the registry speaks with both, so
    its artifact has the ABI of both.
    """
    output = _compile(name)
    abi: list[dict[str, Any]] = output["abi"]
    if name == AGENCY_REGISTRY_NAME:
        abi = [entry for entry in abi if entry["type"] != "fallback"]
        abi += [
            entry
            for entry in _compile(DECISIONS_NAME)["abi"]
            if entry not in abi and entry["type"] != "constructor"
        ]
    document = {
        "abi": sorted(abi, key=lambda entry: (entry["type"], entry.get("name", ""))),
        "compiler_version": vyper_version,
        "creation_bytecode": output["bytecode"],
        "source_hash": compute_source_hash(),
        "storage_layout": output["layout"].get("storage_layout", {}),
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def compute_source_hash() -> str:
    """Hash names and contents of all sources, interfaces and layouts: SHA-256 in hexadecimal."""
    digest = hashlib.sha256()
    for path in sorted(
        path
        for pattern in ("*.vy", "interfaces/*.vyi", "*.layout.json")
        for path in SOURCES_FOLDER.glob(pattern)
    ):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(SOURCES_FOLDER)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


@cache
def _compile(name: str) -> dict[str, Any]:
    bundle = FilesystemInputBundle([SOURCES_FOLDER])  # type: ignore[no-untyped-call]
    layout_path = SOURCES_FOLDER / f"{name}.layout.json"
    layout = bundle.load_json_file(layout_path) if layout_path.exists() else None
    output: dict[str, Any] = compile_from_file_input(
        bundle.load_file(SOURCES_FOLDER / f"{name}.vy"),
        input_bundle=bundle,
        settings=Settings(optimize=OptimizationLevel.GAS, evm_version=EVM_VERSION),
        output_formats=["abi", "bytecode", "layout"],
        storage_layout_override=layout,
        no_bytecode_metadata=True,
    )
    return output

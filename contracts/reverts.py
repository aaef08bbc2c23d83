"""Reads out of the contract sources which function refuses with which text.

A contract refuses by `assert condition, "module: reason"`. Which functions can answer with a text
is found by following calls from each function that anybody can call: within a contract, into the
modules that it is composed of, and across to the other contracts that it asks. What `relay` and
`act_late` carry refuses as the act itself does, so these two stand only for texts of their own.
Needs the sources, not the compiler; only developers import it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from contracts.addresses import AGENCY_REGISTRY_NAME, DECISIONS_NAME, PROXIES
from contracts.loader import ARTIFACTS_FOLDER

SOURCES_FOLDER: Final = ARTIFACTS_FOLDER.parent

_ASSERTION: Final = re.compile(r'assert\b[^"]*?"([^"]*)"')
_FUNCTION: Final = re.compile(
    r"^((?:@\w+(?:\([^)]*\))?\n)+)def (\w+)\((.*?)(?=^[@#A-Za-z_]|\Z)", re.MULTILINE | re.DOTALL
)
_OWN_CALL: Final = re.compile(r"\bself\.(\w+)\(")
_MODULE_CALL: Final = re.compile(r"\b([a-z_]+)\.(\w+)\(")
_CONTRACT_CALL: Final = re.compile(
    r"\b(?:staticcall|extcall)\s+\(?(?:[a-z_]+\.)?([A-Z_]+)\.(\w+)\("
)
_EXPORTS: Final = re.compile(r"^exports: (?:\((.*?)\)|(\S+))$", re.MULTILINE | re.DOTALL)

# How the sources name the other contracts that they call.
_CONTRACTS: Final = {name.upper(): name for name in PROXIES.values()} | {
    "REGISTRY": "agency_registry"
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Function:
    """One function of a source file."""

    is_external: bool
    texts: frozenset[str]
    """What it refuses with itself."""
    calls: frozenset[tuple[str, str]]
    """Source file and function that it calls, in its own contract."""
    asks: frozenset[tuple[str, str]]
    """Contract and function that it calls across."""


def find_refusals() -> dict[str, tuple[str, ...]]:
    """Find every text with the functions that can answer it, as `contract.function`, ascending."""
    found: dict[str, set[str]] = {}
    for contract in PROXIES.values():
        for function in sorted(_list_external(contract)):
            for text in _collect_texts(contract, function):
                found.setdefault(text, set()).add(f"{contract}.{function}")
    for text in _find_all_texts() - found.keys():
        # Of a constructor, or of the proxy: refused only while a ledger is founded or upgraded.
        found[text] = set()
    return {text: tuple(sorted(functions)) for text, functions in sorted(found.items())}


def _collect_texts(contract: str, function: str) -> frozenset[str]:
    place = _list_external(contract).get(function)
    if place is None:
        return frozenset()
    texts: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [place]
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        found = _read_source(at[0]).get(at[1])
        if found is None:
            continue
        texts |= found.texts
        waiting.extend(found.calls)
        for asked in found.asks:
            texts |= _collect_texts(*asked)
    return frozenset(texts)


@cache
def _list_external(contract: str) -> dict[str, tuple[str, str]]:
    """List what anybody can call: its name, and the source file and function behind it."""
    listed = _list_exported(contract)
    if contract == AGENCY_REGISTRY_NAME:  # its code is in two sources
        listed |= _list_exported(DECISIONS_NAME)
    return listed


def _list_exported(contract: str) -> dict[str, tuple[str, str]]:
    own = {
        name: (contract, name)
        for name, function in _read_source(contract).items()
        if function.is_external
    }
    source = _get_path(contract).read_text(encoding="utf-8")
    for match in _EXPORTS.finditer(source):
        for item in re.findall(r"(\w+)\.(\w+)", match[1] or match[2]):
            own[item[1]] = (item[0], item[1])
    return own


@cache
def _read_source(name: str) -> dict[str, _Function]:
    path = _get_path(name)
    if not path.exists():
        return {}
    return dict(_parse(name, path.read_text(encoding="utf-8")))


def _parse(name: str, source: str) -> Iterator[tuple[str, _Function]]:
    for match in _FUNCTION.finditer(source):
        decorators, function, body = match.groups()
        body = re.sub(r'""".*?"""', "", body, flags=re.DOTALL)
        calls = {(name, called) for called in _OWN_CALL.findall(body)}
        calls |= {item for item in _MODULE_CALL.findall(body) if item[0] != "self"}
        yield (
            function,
            _Function(
                is_external="@external" in decorators,
                texts=frozenset(_ASSERTION.findall(body)),
                calls=frozenset(calls),
                asks=frozenset(
                    (_CONTRACTS[target], called)
                    for target, called in _CONTRACT_CALL.findall(body)
                    if target in _CONTRACTS
                ),
            ),
        )


def _find_all_texts() -> frozenset[str]:
    return frozenset(
        text
        for path in SOURCES_FOLDER.glob("*.vy")
        for text in _ASSERTION.findall(path.read_text(encoding="utf-8"))
    )


def _get_path(name: str) -> Path:
    return SOURCES_FOLDER / f"{name}.vy"

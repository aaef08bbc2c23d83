"""What the tests of acts share: a dataset, a purpose, a basis, made through REST."""

import secrets
from typing import Any

from api.acts.calls import read_contract
from api.rest.values import parse_time
from contracts.addresses import BASES_NAME
from tests.unit.rest.ledger_world import START_S, Caller

BUREAU = "mo-health-bureau"
LABORATORY = "mo-health-laboratory"
COMMISSION = "gd-health-commission"

DATASET: dict[str, Any] = {
    "title": "Income bands",
    "language": "en",
    "fields": [
        {"pointer": "/income_band", "title": "Income band"},
        {"pointer": "/year", "title": "Year"},
        {"pointer": "/household", "title": "Household"},
    ],
    "sharing": "unconditional",
}
PURPOSE = {"code": "housing-subsidy", "title": "Deciding a housing subsidy", "language": "en"}
LAW = {"law": "Law 8/2005", "article": "Article 6, 4)"}
ACT_LIST: dict[str, Any] = {
    "kind": "act_list",
    "body": {
        "title": "Acts of associations",
        "acts": [
            {"code": "sign-contract", "title": "Sign contracts"},
            {"code": "open-account", "title": "Open accounts"},
            {"code": "file-return", "title": "File the yearly return"},
        ],
    },
}


def make_uid() -> str:
    return "0x" + secrets.token_hex(32)


def write_time(seconds: int) -> str:
    return parse_time(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


PAST = write_time(START_S - 1000)
"""Before every block of the tests' ledger."""
LATER = write_time(START_S + 90 * 86_400)


async def read(caller: Caller, contract: str, function: str, *args: Any) -> Any:
    """Ask a contract; texts of hexadecimal digits stand for bytes."""
    plain = [
        bytes.fromhex(arg[2:]) if isinstance(arg, str) and arg.startswith("0x") else arg
        for arg in args
    ]
    return await read_contract(caller.agency.services.ledger, contract, function, *plain)


async def register_dataset(owner: Caller, **changes: Any) -> str:
    made = await owner.post("/datasets", DATASET | changes)
    await owner.agency.settle()
    return str(made["uid"])


async def publish_purpose(owner: Caller, **changes: Any) -> str:
    made = await owner.post("/purposes", PURPOSE | changes)
    await owner.agency.settle()
    return str(made["uid"])


async def explain(caller: Caller, act: str, body: Any, **path: str) -> Any:
    return await caller.post("/explain", {"act": act, "path": path, "body": body}, status=200)


def build_basis(dataset: str, purpose: str, **changes: Any) -> dict[str, Any]:
    scope = {"recipient": LABORATORY, "dataset": dataset, "purpose": purpose}
    basis = {"kind": "statute", "law": LAW, "valid_from": PAST, "scopes": [scope]}
    return basis | changes


async def check_basis(caller: Caller, basis: str, recipient: str, *more: Any) -> Any:
    ids = [
        BUREAU.encode().ljust(32, b"\0"),
        recipient.encode().ljust(32, b"\0"),
    ]
    return await read(caller, BASES_NAME, "check", basis, bytes(32), *ids, *more)

"""What the contracts say of a record at a block, as JSON for the views."""

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Row

from api.acts.calls import read_contract
from api.index.law_records import write_json
from api.ledger import Ledger
from contracts.addresses import CONSENTS_NAME, EXCHANGES_NAME, POLICIES_NAME, POSTS_NAME

SEATS: Final = 5
"""Of a post: its holder's and those of four deputies."""


async def read_consent(ledger: Ledger, row: Row[Any], block: int) -> Mapping[str, Any]:
    """Return quota, confirmation, withdrawal, and what each recipient answered."""
    uid = bytes(row.uid)

    async def ask(function: str, *args: Any) -> Any:
        return await read_contract(ledger, CONSENTS_NAME, function, uid, *args, block=block)

    withdrawal = await ask("withdrawal")
    answers = []
    if withdrawal["declared_at"]:
        answers = [
            {
                "recipient": recipient,
                "declaration": await ask("declaration", recipient),
                "is_overdue": await ask("is_overdue", recipient),
            }
            for recipient in await ask("recipients")
        ]
    return _simplify(
        {"consent": await ask("consent"), "withdrawal": withdrawal, "answers": answers}
    )


async def read_exchange(ledger: Ledger, row: Row[Any], block: int) -> Mapping[str, Any]:
    """Return who decided, what was released and received."""
    found = await read_contract(ledger, EXCHANGES_NAME, "exchange", bytes(row.uid), block=block)
    return _simplify({"exchange": found})


async def read_period(ledger: Ledger, row: Row[Any], block: int) -> Mapping[str, Any]:
    """Return both sides' statements."""
    terms = json.loads(row.terms)
    exchange = bytes.fromhex(terms["uid"][2:])
    found = await read_contract(
        ledger, EXCHANGES_NAME, "period_of", exchange, int(row.place), block=block
    )
    return _simplify({"period_of": found})


async def read_policy(ledger: Ledger, row: Row[Any], block: int) -> Mapping[str, Any]:
    """Return who suspends it."""
    found = await read_contract(ledger, POLICIES_NAME, "policy", bytes(row.uid), block=block)
    return _simplify({"policy": found})


async def read_post(ledger: Ledger, row: Row[Any], block: int) -> Mapping[str, Any]:
    """Return every term of every seat, and the keys."""
    uid = bytes(row.uid)

    async def ask(function: str, *args: Any) -> Any:
        return await read_contract(ledger, POSTS_NAME, function, uid, *args, block=block)

    terms = [
        {"seat": seat, **await ask("term_at", seat, number)}
        for seat in range(SEATS)
        for number in range(await ask("term_count", seat))
    ]
    return _simplify({"terms": terms, "keys": await ask("keys_of")})


def _simplify(value: Mapping[str, Any]) -> Mapping[str, Any]:
    simplified: Mapping[str, Any] = json.loads(write_json(value))
    return simplified

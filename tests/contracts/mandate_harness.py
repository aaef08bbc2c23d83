"""Mandates for tests: an association that the bureau keeps, its board, and powers that it gave."""

from typing import Any

from eth_typing import Hash32

from tests.contracts.contract_harness import NOTHING, Ledger, bureau, uid_of

BODY = uid_of(6001)
MANDATE = uid_of(6002)
OFFICE, POWER, GUARDIANSHIP = 1, 2, 3
TERMS = (
    "kind",
    "body",
    "grantor",
    "grantee",
    "scope",
    "scope_list_hash",
    "limit",
    "valid_from",
    "valid_until",
    "parent",
    "may_delegate",
    "record",
)
"""The terms of a mandate, ordered as in the contract."""


def build_entry(uid: Hash32 = MANDATE, /, **changes: Any) -> tuple[Any, ...]:
    """A mandate to record, a power by default; a test changes fields by name."""
    terms = {
        "kind": POWER,
        "body": NOTHING,
        "grantor": uid_of(6010),
        "grantee": uid_of(6011),
        "scope": 0b0011,
        "scope_list_hash": uid_of(6012),
        "limit": 500,
        "valid_from": 0,
        "valid_until": 0,
        "parent": NOTHING,
        "may_delegate": False,
        "record": uid_of(6013),
    }
    assert changes.keys() <= terms.keys()
    return uid, tuple((terms | changes).values())


def build_office(uid: Hash32 = MANDATE, /, **changes: Any) -> tuple[Any, ...]:
    return build_entry(uid, **({"kind": OFFICE, "body": BODY} | changes))


def record(ledger: Ledger, *entries: tuple[Any, ...]) -> None:
    ledger.do(bureau, "mandates", "record", [list(entries), ledger.now])


def check(ledger: Ledger, uid: Hash32 = MANDATE, scope: int = 1, amount: int = 1) -> str | None:
    """Why a mandate does not cover an act; None if it does."""
    return ledger.send(bureau, "mandates", "check", [uid, scope, amount]).reason


def succeed_args(ledger: Ledger, uid: Hash32, /, **changes: Any) -> list[Any]:
    """The arguments of `succeed`: a board in office in a hundred seconds, by default."""
    effective = changes.pop("effective", ledger.now + 100)
    fields = {
        "body": BODY,
        "effective": effective,
        "resolution": uid_of(6020),
        "ended": [],
        "entries": [build_office(uid_of(int.from_bytes(uid, "big") + 500), valid_from=effective)],
        "event_time": ledger.now,
    }
    assert changes.keys() <= fields.keys()
    return [uid, *(fields | changes).values()]

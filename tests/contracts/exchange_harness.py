"""Exchanges for tests: a ledger with bases and instruments, and requests to make on it.

By default the laboratory asks the bureau, on the same side of the border, for two fields of the
ordinary dataset, once, on a statute.
"""

from typing import Any

from eth_typing import Address, Hash32

from contracts.codec import DecodedLog
from contracts.codes import ConsentKind
from contracts.genesis_spec import GenesisSpec
from tests.contracts.consent_harness import record
from tests.contracts.contract_harness import (
    BUREAU,
    COMMISSION,
    LABORATORY,
    NOTHING,
    Ledger,
    auditor,
    laboratory,
    uid_of,
)
from tests.contracts.law_harness import (
    CONDITIONAL,
    CONSENT_BASIS,
    INSTRUMENT,
    ORDINARY,
    PURPOSE,
    SENSITIVE,
    STATUTE_BASIS,
    basis_args,
    fill_catalogue,
    instrument_args,
)

EXCHANGE = uid_of(3001)
REQUEST = uid_of(3002)
RESPONSE = uid_of(3003)
OFFICER = uid_of(3004)
GENERAL, SPECIAL, CROSSING = uid_of(3010), uid_of(3011), uid_of(3012)
"""Uids of a general, a sensitive and a cross-border consent."""
SENSITIVE_INSTRUMENT = uid_of(3013)
ONCE, STANDING, BULK = 1, 2, 3
REQUESTED, APPROVED, REFUSED, RELEASED, RECEIVED, DISPUTED, VOID, CANCELLED, ENDED = range(1, 10)
VOID_SIGNED = 10


def build_ledger(spec: GenesisSpec | None = None) -> Ledger:
    """A ledger on which the law is in place: a statute, a basis by consent, instruments."""
    ledger = Ledger(spec)
    fill_catalogue(ledger)
    for uid, kind in ((STATUTE_BASIS, 1), (CONSENT_BASIS, 2)):
        args = basis_args(ledger, uid, kind=kind)
        ledger.do(auditor, "bases", "enter_basis", args)
    for uid, dataset in ((INSTRUMENT, ORDINARY), (SENSITIVE_INSTRUMENT, SENSITIVE)):
        args = instrument_args(ledger, uid, dataset=dataset)
        ledger.do(auditor, "bases", "enter_instrument", args)
    ledger.pass_time()
    return ledger


def build_request(ledger: Ledger, **changes: Any) -> tuple[Any, ...]:
    """A request, ordered as in the contract; a test changes fields by name."""
    fields = {
        "provider": BUREAU,
        "dataset": ORDINARY,
        "fields": 0b0011,
        "purpose": PURPOSE,
        "basis": STATUTE_BASIS,
        "instrument": NOTHING,
        "consent": NOTHING,
        "sensitive_consent": NOTHING,
        "cross_border_consent": NOTHING,
        "mode": ONCE,
        "channel": 1,
        "case_commitment": uid_of(3020),
        "officer": uid_of(3021),
        "request_commitment": REQUEST,
        "due": ledger.now + 1000,
        "valid_until": 0,
        "retention_until": ledger.now + 10_000,
    }
    assert changes.keys() <= fields.keys()
    return tuple((fields | changes).values())


def build_links(**changes: Any) -> tuple[Any, ...]:
    """What a request builds on beside the law, nothing by default; a test changes some by name."""
    fields = {
        "onward_of": NOTHING,
        "mandate": NOTHING,
        "mandate_scope": 0,
        "mandate_amount": 0,
    }
    assert changes.keys() <= fields.keys()
    return tuple((fields | changes).values())


NO_LINKS = build_links()


def request_args(ledger: Ledger, uid: Hash32 = EXCHANGE, /, **changes: Any) -> list[Any]:
    links = changes.pop("links", NO_LINKS)
    return [uid, build_request(ledger, **changes), links, ledger.now]


def request(
    ledger: Ledger, uid: Hash32 = EXCHANGE, /, *, sender: Address = laboratory, **changes: Any
) -> list[DecodedLog]:
    args = request_args(ledger, uid, **changes)
    return ledger.do(sender, "exchanges", "request", args)


def request_conditional(ledger: Ledger, uid: Hash32 = EXCHANGE, /, **changes: Any) -> None:
    request(ledger, uid, dataset=CONDITIONAL, **changes)


def request_standing(ledger: Ledger, uid: Hash32 = EXCHANGE, /, **changes: Any) -> None:
    fields = {"mode": STANDING, "valid_until": ledger.now + 5000}
    request(ledger, uid, **(fields | changes))


def by_consent(ledger: Ledger, *, is_crossing: bool = False, **changes: Any) -> dict[str, Any]:
    """Record the general consent, and return the fields of a request that rests on it."""
    recipient = COMMISSION if is_crossing else LABORATORY
    record(ledger, GENERAL, recipient=recipient, kind=int(ConsentKind.GENERAL), **changes)
    return {"basis": CONSENT_BASIS, "consent": GENERAL}


def act(ledger: Ledger, sender: Address, function: str, *args: Any) -> DecodedLog:
    """Do something to the exchange that must succeed; its last event."""
    return ledger.do(sender, "exchanges", function, [EXCHANGE, *args, ledger.now])[-1]


def refuse(ledger: Ledger, sender: Address, function: str, *args: Any) -> str | None:
    """Do something to the exchange that must be refused; the reason."""
    return ledger.refuse(sender, "exchanges", function, [EXCHANGE, *args, ledger.now])


def read_state(ledger: Ledger, uid: Hash32 = EXCHANGE) -> int:
    return int(ledger.read("exchanges", "exchange", uid)["state"])


def prepare_most(ledger: Ledger) -> dict[str, Any]:
    """All that a request of sensitive data across the border by consent needs; its fields."""
    kinds = {
        GENERAL: ConsentKind.GENERAL,
        SPECIAL: ConsentKind.SENSITIVE,
        CROSSING: ConsentKind.CROSS_BORDER,
    }
    for uid, kind in kinds.items():
        record(ledger, uid, dataset=SENSITIVE, kind=int(kind))
    return {
        "basis": CONSENT_BASIS,
        "dataset": SENSITIVE,
        "instrument": SENSITIVE_INSTRUMENT,
        "consent": GENERAL,
        "sensitive_consent": SPECIAL,
        "cross_border_consent": CROSSING,
    }

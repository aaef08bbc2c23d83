"""Data that go on: from the bureau (Macao) to the commission (Guangdong), then to others.

Six agencies: beside the usual four the transport department (Guangdong) and the identification
bureau (Macao). The commission, the transport department and the identification bureau keep datasets
of their own, into which what they received goes.
"""

from typing import Any

from eth_typing import Address, Hash32

from contracts.codes import ConsentKind, Sensitivity
from contracts.development import build_development_spec
from contracts.labels import encode_label
from contracts.testkeys import get_address
from tests.contracts.consent_harness import record
from tests.contracts.contract_harness import (
    BUREAU,
    COMMISSION,
    LABORATORY,
    NOTHING,
    Ledger,
    auditor,
    bureau,
    commission,
    laboratory,
    uid_of,
)
from tests.contracts.exchange_harness import (
    CROSSING,
    GENERAL,
    REQUEST,
    RESPONSE,
    build_ledger,
    build_links,
    request,
    request_args,
)
from tests.contracts.law_harness import (
    CONSENT_BASIS,
    INSTRUMENT,
    ORDINARY,
    PURPOSE,
    basis_args,
    instrument_args,
    register_dataset,
)

TRANSPORT = encode_label("gd-transport-department")
IDENTIFICATION = encode_label("mo-identification-bureau")
transport = get_address(5, "account")
identification = get_address(6, "account")
ADDRESSES = {
    BUREAU: bureau,
    COMMISSION: commission,
    LABORATORY: laboratory,
    TRANSPORT: transport,
    IDENTIFICATION: identification,
}
DATASETS = {
    BUREAU: ORDINARY,
    COMMISSION: uid_of(1101),
    TRANSPORT: uid_of(1102),
    IDENTIFICATION: uid_of(1103),
}
ONWARD_BASIS = uid_of(1110)
ONWARD_INSTRUMENT = uid_of(1111)
"""Like the usual instrument from the bureau to the commission, but it allows to hand on."""
BACK_INSTRUMENT = uid_of(1112)
"""From the commission to the identification bureau, back across the border; allows to hand on."""
FIRST, SECOND, THIRD = uid_of(3101), uid_of(3102), uid_of(3103)


def build_onward_ledger() -> Ledger:
    """The law for all of these agencies: one statute, three instruments."""
    ledger = build_ledger(build_development_spec(6))
    for agency in (COMMISSION, TRANSPORT, IDENTIFICATION):
        register_dataset(
            ledger,
            DATASETS[agency],
            owner=ADDRESSES[agency],
            sensitivity=int(Sensitivity.ORDINARY),
        )
    scopes = [(NOTHING, NOTHING, dataset, PURPOSE, 0b1111) for dataset in DATASETS.values()]
    args = basis_args(ledger, ONWARD_BASIS, scopes=scopes)
    ledger.do(auditor, "bases", "enter_basis", args)
    onward = {"is_onward_allowed": True}
    back = onward | {
        "provider": COMMISSION,
        "recipient": IDENTIFICATION,
        "dataset": DATASETS[COMMISSION],
    }
    for uid, changes in ((ONWARD_INSTRUMENT, onward), (BACK_INSTRUMENT, back)):
        ledger.do(auditor, "bases", "enter_instrument", instrument_args(ledger, uid, **changes))
    ledger.pass_time()
    return ledger


def ask_args(
    ledger: Ledger, uid: Hash32, provider: Hash32, /, onward_of: Hash32 = NOTHING, **changes: Any
) -> list[Any]:
    """The arguments of a request to a provider, on the statute, for data that came onward."""
    fields = {"provider": provider, "dataset": DATASETS[provider], "basis": ONWARD_BASIS}
    links = build_links(onward_of=onward_of)
    return request_args(ledger, uid, links=links, **(fields | changes))


def release(ledger: Ledger, provider: Address, uid: Hash32) -> None:
    ledger.do(provider, "exchanges", "release", [uid, REQUEST, RESPONSE, ledger.now])


def pass_first(ledger: Ledger, instrument: Hash32 = ONWARD_INSTRUMENT, **changes: Any) -> None:
    """The first exchange, from the bureau to the commission, released."""
    args = ask_args(ledger, FIRST, BUREAU, instrument=instrument, **changes)
    ledger.do(commission, "exchanges", "request", args)
    release(ledger, bureau, FIRST)


def pass_first_by_consent(ledger: Ledger) -> None:
    """The same, resting on a general and a cross-border consent."""
    for uid, kind in ((GENERAL, ConsentKind.GENERAL), (CROSSING, ConsentKind.CROSS_BORDER)):
        record(ledger, uid, kind=int(kind))
    request(
        ledger,
        FIRST,
        sender=commission,
        basis=CONSENT_BASIS,
        instrument=ONWARD_INSTRUMENT,
        consent=GENERAL,
        cross_border_consent=CROSSING,
    )
    release(ledger, bureau, FIRST)


def hand_on(
    ledger: Ledger, uid: Hash32, onward_of: Hash32, provider: Hash32, requester: Hash32, **more: Any
) -> None:
    """Request and release data that came to the provider by an earlier exchange."""
    args = ask_args(ledger, uid, provider, onward_of, **more)
    ledger.do(ADDRESSES[requester], "exchanges", "request", args)
    release(ledger, ADDRESSES[provider], uid)


__all__ = [
    "INSTRUMENT",
    "ask_args",
    "build_onward_ledger",
    "hand_on",
    "pass_first",
    "pass_first_by_consent",
    "release",
]

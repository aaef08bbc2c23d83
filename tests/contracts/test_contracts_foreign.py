"""Foreign changes: every function, called by everybody whose change it is not, changes nothing."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from contracts.addresses import PROXIES
from contracts.codec import encode_call
from contracts.codes import LateReason
from contracts.development import build_development_spec
from contracts.loader import load_artifact
from contracts.testkeys import get_private_key
from tests.contracts.consent_harness import (
    bind,
    build_consent,
    get_holder,
    give,
    give_args,
    withdraw_signed_args,
)
from tests.contracts.contract_harness import (
    ADDRESSES,
    LABORATORY,
    NOTHING,
    Ledger,
    bureau,
    stranger,
    uid_of,
)
from tests.contracts.exchange_harness import EXCHANGE
from tests.contracts.foreign_harness import CHANGES, Change
from tests.contracts.foreign_world import CALLERS, NEW, build_world
from tests.contracts.law_harness import build_domain, relay_args

LATE_S = build_development_spec().late_after_s + 1
CARRIERS = {"relay", "act_late"}
BY_SIGNATURE = {("consents", "give"), ("consents", "withdraw_signed")}
"""Anybody submits them; whose they are is told by a resident's signature."""
BY_CONTRACT = {
    ("attestations", "note_schema"): "attestation: only the schemas",
    ("attestations", "note_issuer"): "attestation: only the schemas",
    ("consents", "reserve"): "consent: only the exchanges",
    ("consents", "use"): "consent: only the exchanges",
    ("consents", "give_back"): "consent: only the exchanges",
    ("consents", "note_onward"): "consent: only the exchanges",
}
"""Only another contract of the ledger calls them."""
OTHERS_TESTS = {"agency_registry", "posts"}
"""Tested with the decisions and posts themselves."""
FOREIGN = [
    pytest.param(change, caller, id=f"{change.contract}.{change.function} by {name}")
    for change in CHANGES
    for name, caller in CALLERS.items()
    if caller not in change.entitled
]


@cache
def get_world() -> Ledger:
    """One world for all refusals: none of them may change it."""
    return build_world()


def refuse(sender: Any, contract: str, function: str, args: Sequence[Any]) -> str | None:
    """Make a call that must be refused and must leave every account as it is."""
    ledger = get_world()
    before = ledger.state.compute_root()
    reason = ledger.refuse(sender, contract, function, args)
    assert ledger.state.compute_root() == before
    return reason


def test_every_function_that_changes_anything_is_among_them() -> None:
    functions = {
        (contract, entry["name"])
        for contract in PROXIES.values()
        if contract not in OTHERS_TESTS
        for entry in load_artifact(contract).abi
        if entry["type"] == "function"
        and entry["stateMutability"] not in {"view", "pure"}
        and entry["name"] not in CARRIERS
    }
    assert functions == {
        *((change.contract, change.function) for change in CHANGES),
        *BY_SIGNATURE,
        *BY_CONTRACT,
    }
    assert len(FOREIGN) >= 100


@pytest.mark.parametrize(("change", "caller"), FOREIGN)
def test_foreign_change_is_refused(change: Change, caller: Any) -> None:
    ledger = get_world()
    args = change.build(ledger)
    assert refuse(caller, change.contract, change.function, args) == change.expect(ledger, caller)
    if args[-1] != ledger.now:
        return
    # Nor does it help to call it late.
    call = encode_call(change.contract, change.function, [*args[:-1], ledger.now - LATE_S])
    late = [call, uid_of(1), int(LateReason.OUTAGE)]
    reason = refuse(caller, change.contract, "act_late", late)
    is_agency = caller != stranger
    assert reason == (change.expect(ledger, caller) if is_agency else "late: not an agency's key")


@pytest.mark.parametrize(
    "change", CHANGES, ids=[f"{change.contract}.{change.function}" for change in CHANGES]
)
def test_change_is_made_by_who_is_entitled(change: Change) -> None:
    """So a refusal above is for the caller, not for something else in the call."""
    for caller in change.entitled:
        ledger = get_world()
        outcome = ledger.state.read(
            ADDRESSES[change.contract],
            encode_call(change.contract, change.function, change.build(ledger)),
            sender=caller,
        )
        assert outcome.succeeded, outcome.reason


@pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)
@pytest.mark.parametrize(("contract", "function"), BY_CONTRACT)
def test_function_for_contracts_is_closed_to_all_keys(
    contract: str, function: str, caller: Any
) -> None:
    args: dict[str, list[Any]] = {
        "note_schema": [NEW, True],
        "note_issuer": [NEW, LABORATORY, True],
        "reserve": [NEW, EXCHANGE],
        "use": [NEW, EXCHANGE, 1],
        "give_back": [NEW, EXCHANGE],
        "note_onward": [NEW, EXCHANGE, LABORATORY, 1],
    }
    reason = refuse(caller, contract, function, args[function])
    assert reason == BY_CONTRACT[contract, function]


@pytest.mark.parametrize("caller", CALLERS.values(), ids=CALLERS)
def test_foreign_signature_is_refused_whoever_submits_it(caller: Any) -> None:
    ledger = get_world()
    if ledger.read("consents", "binding", get_holder(1))["agency"] == NOTHING:
        bind(ledger, 1)
        give(ledger, uid_of(2050), 2)
    forged = give_args(ledger, NEW, 2, terms=build_consent(), nonce=9)
    forged[3] = get_holder(1)
    wrong = "signature: not the signer's"
    assert refuse(caller, "consents", "give", forged) == wrong
    foreign = withdraw_signed_args(ledger, uid_of(2050), 1)
    assert refuse(caller, "consents", "withdraw_signed", foreign) == wrong
    change = CHANGES[0]
    call = encode_call(change.contract, change.function, change.build(ledger))
    signed = relay_args(
        build_domain(ledger, change.contract), bureau, get_private_key(1, "account"), call
    )
    assert refuse(caller, change.contract, "relay", signed) == wrong

"""Signatures that are replayed: on another contract or chain, after an upgrade, after a withdrawal.

Three kinds of signed messages of the consents: an agency's act, a resident's consent, a resident's
withdrawal. Each counts once, on its own contract, chain and ledger.
"""

from collections.abc import Callable
from typing import Any

import pytest
from eth_typing import Address

from contracts.addresses import CATALOGUE, CONSENTS
from contracts.codec import encode_call
from contracts.codes import ConsentKind
from contracts.decisions import DecisionKind
from contracts.development import build_development_spec
from contracts.founding import compute_deployment_salt, encode_constructors
from contracts.loader import load_artifact
from contracts.testkeys import get_private_key
from contracts.typed_data import Domain
from tests.contracts.consent_harness import (
    CONSENT,
    bind,
    give,
    give_args,
    record_args,
    withdraw_signed_args,
)
from tests.contracts.contract_harness import Ledger, bureau, stranger, uid_of
from tests.contracts.law_harness import build_domain, fill_catalogue, relay_args

NEXT_CODE = Address(b"\x77" * 20)
GIVEN, RECORDED = uid_of(2021), uid_of(2022)
Build = Callable[[Ledger, Domain | None], list[Any]]


@pytest.fixture
def ledger() -> Ledger:
    """A ledger on which resident 1 has given a consent and resident 2 is about to."""
    ledger = Ledger()
    fill_catalogue(ledger)
    give(ledger, CONSENT, 1)
    bind(ledger, 2)
    return ledger


def build_act(ledger: Ledger, domain: Domain | None) -> list[Any]:
    """The bureau records a consent, signed on its own device."""
    args = record_args(ledger, RECORDED, kind=int(ConsentKind.SENSITIVE))
    own = domain or build_domain(ledger, "consents")
    call = encode_call("consents", "record", args)
    return relay_args(own, bureau, get_private_key(2, "account"), call)


def build_consent_message(ledger: Ledger, domain: Domain | None) -> list[Any]:
    return give_args(ledger, GIVEN, 2, domain=domain)


def build_withdrawal(ledger: Ledger, domain: Domain | None) -> list[Any]:
    return withdraw_signed_args(ledger, CONSENT, 1, domain=domain)


MESSAGES = [
    pytest.param("relay", build_act, id="act"),
    pytest.param("give", build_consent_message, id="consent"),
    pytest.param("withdraw_signed", build_withdrawal, id="withdrawal"),
]


def upgrade(ledger: Ledger, *, is_same_salt: bool) -> None:
    """Put new code behind the consents, by vote."""
    spec = ledger.spec if is_same_salt else build_development_spec(5)
    arguments = encode_constructors(compute_deployment_salt(spec), spec.late_after_s)["consents"]
    code = load_artifact("consents").creation_bytecode + arguments
    ledger.state.create(NEXT_CODE, code)
    ledger.decide(DecisionKind.UPGRADE, [CONSENTS, NEXT_CODE])


@pytest.mark.parametrize("field", ["chain", "contract", "ledger"])
@pytest.mark.parametrize(("function", "build"), MESSAGES)
def test_signature_counts_on_its_own_chain_contract_and_ledger(
    ledger: Ledger, function: str, build: Build, field: str
) -> None:
    own = build_domain(ledger, "consents")
    other = {
        "chain": Domain(chain_id=own.chain_id + 1, contract=own.contract, salt=own.salt),
        "contract": Domain(chain_id=own.chain_id, contract=CATALOGUE, salt=own.salt),
        "ledger": Domain(chain_id=own.chain_id, contract=own.contract, salt=uid_of(5)),
    }[field]
    assert ledger.refuse(stranger, "consents", function, build(ledger, other)) == (
        "signature: not the signer's"
    )
    ledger.do(stranger, "consents", function, build(ledger, None))


@pytest.mark.parametrize("is_same_salt", [True, False])
@pytest.mark.parametrize(("function", "build"), MESSAGES)
def test_signature_that_was_used_is_used_after_an_upgrade_too(
    ledger: Ledger, function: str, build: Build, *, is_same_salt: bool
) -> None:
    used = build(ledger, None)
    ledger.do(stranger, "consents", function, used)
    upgrade(ledger, is_same_salt=is_same_salt)
    assert ledger.refuse(stranger, "consents", function, used) == "signature: nonce already used"


@pytest.mark.parametrize("is_same_salt", [True, False])
@pytest.mark.parametrize(("function", "build"), MESSAGES)
def test_signature_that_waits_ends_with_an_upgrade_to_another_salt(
    ledger: Ledger, function: str, build: Build, *, is_same_salt: bool
) -> None:
    waiting = build(ledger, None)
    upgrade(ledger, is_same_salt=is_same_salt)
    outcome = ledger.send(stranger, "consents", function, waiting)
    assert outcome.succeeded == is_same_salt
    assert outcome.reason == (None if is_same_salt else "signature: not the signer's")


def test_nothing_is_brought_back_after_a_withdrawal(ledger: Ledger) -> None:
    """Neither the consent nor the withdrawal, by the old signature or by a new one."""
    given = give_args(ledger, CONSENT, 1)
    withdrawal = build_withdrawal(ledger, None)
    ledger.do(stranger, "consents", "withdraw_signed", withdrawal)
    for function, args, reason in (
        ("give", given, "signature: nonce already used"),
        ("give", give_args(ledger, CONSENT, 1, nonce=8), "binding: key already used"),
        ("give", give_args(ledger, CONSENT, 2), "consent: uid already used"),
        ("withdraw_signed", withdrawal, "signature: nonce already used"),
        ("withdraw_signed", withdraw_signed_args(ledger, nonce=9), "consent: withdrawn"),
    ):
        assert ledger.refuse(stranger, "consents", function, args) == reason


def test_recorded_consent_is_not_recorded_again_after_its_withdrawal(ledger: Ledger) -> None:
    act = build_act(ledger, None)
    ledger.do(stranger, "consents", "relay", act)
    withdrawn = [RECORDED, uid_of(5), ledger.now, ledger.now]
    ledger.do(bureau, "consents", "withdraw", withdrawn)
    assert ledger.refuse(stranger, "consents", "relay", act) == "signature: nonce already used"
    own = build_domain(ledger, "consents")
    again = relay_args(own, bureau, get_private_key(2, "account"), act[1], nonce=7)
    assert ledger.refuse(stranger, "consents", "relay", again) == "consent: uid already used"


@pytest.mark.parametrize(("function", "build"), MESSAGES)
def test_signature_of_one_kind_is_none_of_another(
    ledger: Ledger, function: str, build: Build
) -> None:
    """The three types hash differently, so no signature passes for one of another kind."""
    own = build(ledger, None)
    for other in (build_act, build_consent_message, build_withdrawal):
        if other is not build:
            mixed = [*own[:-1], other(ledger, None)[-1]]
            assert ledger.refuse(stranger, "consents", function, mixed) == (
                "signature: not the signer's"
            )

"""Acts signed on an agency's own device and submitted by another account."""

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account.messages import encode_typed_data
from eth_typing import Address
from eth_utils.crypto import keccak

from contracts.addresses import CATALOGUE, PROXIES, REGISTRY
from contracts.codec import encode_call, get_event_topic
from contracts.decisions import DecisionKind
from contracts.development import build_development_spec
from contracts.founding import compute_deployment_salt
from contracts.loader import load_artifact
from contracts.testkeys import get_address, get_private_key
from contracts.typed_data import Domain, hash_act, sign_digest
from tests.contracts.contract_harness import (
    BUREAU,
    LABORATORY,
    NOTHING,
    Ledger,
    attest_args,
    bureau,
    stranger,
    uid_of,
)
from tests.contracts.law_harness import build_domain, build_terms, relay_args

NEXT_CODE = Address(b"\x77" * 20)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
PRIVATE_KEY = get_private_key(2, "account")
WORDS = ["address", "bytes32", "uint256"]


def build_call(ledger: Ledger, number: int = 1) -> bytes:
    terms = tuple(build_terms().values())
    args = [uid_of(number), terms, ledger.now, NOTHING]
    return encode_call("catalogue", "register_dataset", args)


def build_relay(ledger: Ledger, **changes: Any) -> list[Any]:
    call = changes.pop("call", None) or build_call(ledger)
    signer = changes.pop("signer", bureau)
    domain = changes.pop("domain", None) or build_domain(ledger, "catalogue")
    private_key = changes.pop("private_key", PRIVATE_KEY)
    return relay_args(domain, signer, private_key, call, **changes)


def test_act_is_its_signers_whoever_submits_it(ledger: Ledger) -> None:
    registered, relayed = ledger.do(stranger, "catalogue", "relay", build_relay(ledger, nonce=9))
    assert registered.args["owner"] == BUREAU
    assert registered.args["key"] == bureau
    assert relayed.args == {"signer": bureau, "nonce": 9, "submitter": stranger}
    assert ledger.read("catalogue", "dataset", uid_of(1))["owner"] == BUREAU
    assert ledger.read("catalogue", "is_nonce_used", bureau, 9)
    assert not ledger.read("catalogue", "is_nonce_used", bureau, 8)


def test_issuing_is_signed_elsewhere_too(ledger: Ledger) -> None:
    """An agency without a node registers, accredits, attests and revokes by its own device."""
    acts: list[tuple[int, str, str, list[Any]]] = [
        (2, "schemas", "register", [uid_of(1), uid_of(2), uid_of(3), 4, ledger.now, NOTHING]),
        (2, "schemas", "accredit", [uid_of(1), LABORATORY, ledger.now]),
        (1, "attestations", "attest", attest_args(ledger, uid_of(5), uid_of(1))),
        (1, "attestations", "set_state", [uid_of(5), 3, 1, ledger.now]),
    ]
    for nonce, (number, contract, function, args) in enumerate(acts):
        signer = get_address(number, "account")
        call = encode_call(contract, function, args)
        signed = relay_args(
            build_domain(ledger, contract),
            signer,
            get_private_key(number, "account"),
            call,
            nonce=nonce,
        )
        events = ledger.do(stranger, contract, "relay", signed)
        assert [event.args.get("key", signer) for event in events] == [signer] * len(events)
        again = ledger.refuse(stranger, contract, "relay", signed)
        assert again == "signature: nonce already used"
    record = ledger.read("attestations", "attestation", uid_of(5))
    assert (record["issuer"], record["state"]) == (LABORATORY, 3)


def test_act_is_signed_as_wallets_sign_typed_data(ledger: Ledger) -> None:
    domain = build_domain(ledger, "catalogue")
    document = encode_typed_data(
        domain_data={
            "name": "Atesta",
            "version": "1",
            "chainId": domain.chain_id,
            "verifyingContract": "0x" + domain.contract.hex(),
            "salt": domain.salt,
        },
        message_types={
            "Act": [
                {"name": "call", "type": "bytes"},
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint256"},
            ]
        },
        message_data={"call": b"\x01\x02", "nonce": 3, "deadline": 4},
    )
    digest = keccak(b"\x19" + document.version + document.header + document.body)
    assert hash_act(domain, call=b"\x01\x02", nonce=3, deadline_s=4) == digest
    answer = ledger.read("catalogue", "eip712Domain")
    assert answer == (b"\x1f", "Atesta", "1", domain.chain_id, domain.contract, domain.salt, ())


def test_act_is_submitted_once(ledger: Ledger) -> None:
    args = build_relay(ledger)
    ledger.do(stranger, "catalogue", "relay", args)
    assert ledger.refuse(stranger, "catalogue", "relay", args) == "signature: nonce already used"
    other = build_relay(ledger, call=build_call(ledger, 2))
    assert ledger.refuse(stranger, "catalogue", "relay", other) == "signature: nonce already used"
    ledger.do(stranger, "catalogue", "relay", build_relay(ledger, call=other[1], nonce=0))


def test_act_that_is_refused_keeps_its_nonce(ledger: Ledger) -> None:
    late = encode_call(
        "catalogue",
        "register_dataset",
        [uid_of(1), tuple(build_terms().values()), ledger.now + 500, NOTHING],
    )
    args = build_relay(ledger, call=late)
    assert ledger.refuse(stranger, "catalogue", "relay", args) == "act: event time in the future"
    ledger.pass_time(500)
    ledger.do(stranger, "catalogue", "relay", args)


def test_act_lapses_at_its_deadline(ledger: Ledger) -> None:
    args = build_relay(ledger, deadline=ledger.now)
    ledger.pass_time(1)
    assert ledger.refuse(stranger, "catalogue", "relay", args) == "signature: deadline passed"


def make_other_salt(ledger: Ledger) -> Domain:
    spec = build_development_spec(5)
    return Domain(
        chain_id=ledger.spec.chain_id, contract=CATALOGUE, salt=compute_deployment_salt(spec)
    )


@pytest.mark.parametrize("field", ["chain_id", "contract", "salt"])
def test_act_of_another_chain_contract_or_ledger_is_refused(ledger: Ledger, field: str) -> None:
    own = build_domain(ledger, "catalogue")
    domain = {
        "chain_id": Domain(chain_id=own.chain_id + 1, contract=own.contract, salt=own.salt),
        "contract": Domain(chain_id=own.chain_id, contract=REGISTRY, salt=own.salt),
        "salt": make_other_salt(ledger),
    }[field]
    assert domain != own
    args = build_relay(ledger, domain=domain)
    assert ledger.refuse(stranger, "catalogue", "relay", args) == "signature: not the signer's"


@pytest.mark.parametrize("place", [1, 2, 3, 4])
def test_act_that_was_altered_is_refused(ledger: Ledger, place: int) -> None:
    args = build_relay(ledger, deadline=ledger.now + 100)
    altered = {
        1: build_call(ledger, 2),
        2: args[2] + 1,
        3: args[3] + 1,
        4: bytes([args[4][0] ^ 1]) + args[4][1:],
    }[place]
    args[place] = altered
    assert ledger.refuse(stranger, "catalogue", "relay", args) == "signature: not the signer's"


def test_signature_has_one_form_only(ledger: Ledger) -> None:
    args = build_relay(ledger)
    signature = args[4]
    high = ORDER - int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + high.to_bytes(32, "big") + bytes([55 - signature[64]])
    for bad, reason in (
        (twin, "signature: s too high"),
        (signature[:64], "signature: malformed"),
        (signature[:64] + bytes([signature[64] - 27]), "signature: malformed"),
        (bytes(64) + b"\x1b", "signature: not the signer's"),
    ):
        assert ledger.refuse(stranger, "catalogue", "relay", [*args[:4], bad]) == reason


def test_nobody_is_no_signer(ledger: Ledger) -> None:
    """A damaged signature recovers to the zero address, which must not pass for a signer."""
    args = build_relay(ledger)
    forged = [Address(bytes(20)), *args[1:4], bytes(64) + b"\x1b"]
    assert ledger.refuse(stranger, "catalogue", "relay", forged) == "signature: signer missing"


def test_signer_needs_the_role_and_a_live_key(ledger: Ledger) -> None:
    foreign = get_private_key(1, "account")
    args = build_relay(ledger, signer=get_address(1, "account"), private_key=foreign)
    assert ledger.refuse(stranger, "catalogue", "relay", args) == "key: role missing"
    unused = build_relay(ledger)
    ledger.decide(DecisionKind.REVOKE_KEY, [bureau])
    assert ledger.refuse(stranger, "catalogue", "relay", unused) == "key: ended"


def test_act_within_an_act_is_refused(ledger: Ledger) -> None:
    inner = encode_call("catalogue", "relay", build_relay(ledger, nonce=1))
    args = build_relay(ledger, call=inner, nonce=2)
    assert ledger.refuse(stranger, "catalogue", "relay", args) == "act: relayed twice"


def test_signer_does_not_outlive_the_act(ledger: Ledger) -> None:
    ledger.do(stranger, "catalogue", "relay", build_relay(ledger))
    outcome = ledger.state.send(CATALOGUE, build_call(ledger, 2), sender=CATALOGUE)
    assert outcome.reason == "key: unknown"


def test_two_acts_are_relayed_in_one_transaction(ledger: Ledger) -> None:
    """The first signer is forgotten before the second act begins, not only at the end."""
    catalogue = bytes.fromhex("5f73") + CATALOGUE + bytes.fromhex("5af1")
    # Calls the catalogue with the first part of its input, as long as the input's first word says,
    # then with the rest; answers whether both succeeded.
    code = bytes.fromhex("365f5f37" + "5f5f" + "5f51" + "6020") + catalogue
    code += bytes.fromhex("5f5f" + "5f51602001" + "3603" + "5f51602001") + catalogue
    code += bytes.fromhex("16" + "5f52" + "60205ff3")
    ledger.state.put(NEXT_CODE, code=code, nonce=1, storage={})
    first, second = (
        encode_call("catalogue", "relay", build_relay(ledger, call=build_call(ledger, n), nonce=n))
        for n in (1, 2)
    )
    calls = len(first).to_bytes(32, "big") + first + second
    outcome = ledger.state.send(NEXT_CODE, calls, sender=stranger)
    assert int.from_bytes(outcome.output, "big") == 1
    for number in (1, 2):
        assert ledger.read("catalogue", "dataset", uid_of(number))["owner"] == BUREAU


@pytest.mark.parametrize("is_same_salt", [True, False])
def test_upgrade_opens_no_old_act(ledger: Ledger, *, is_same_salt: bool) -> None:
    used = build_relay(ledger)
    unused = build_relay(ledger, call=build_call(ledger, 2), nonce=2)
    ledger.do(stranger, "catalogue", "relay", used)
    salt = build_domain(ledger, "catalogue").salt if is_same_salt else uid_of(5)
    code = load_artifact("catalogue").creation_bytecode + encode(WORDS, [REGISTRY, salt, 3600])
    ledger.state.create(NEXT_CODE, code)
    ledger.decide(DecisionKind.UPGRADE, [CATALOGUE, NEXT_CODE])
    assert ledger.refuse(stranger, "catalogue", "relay", used) == "signature: nonce already used"
    outcome = ledger.send(stranger, "catalogue", "relay", unused)
    assert outcome.succeeded == is_same_salt
    assert outcome.reason == (None if is_same_salt else "signature: not the signer's")


def test_signed_digest_has_the_lower_s() -> None:
    for number in range(20):
        signature = sign_digest(uid_of(number + 1), PRIVATE_KEY)
        assert int.from_bytes(signature[32:64], "big") <= ORDER // 2
        assert signature[64] in {27, 28}


@pytest.mark.parametrize("contract", [*PROXIES.values()][1:])
def test_every_contract_but_the_registry_takes_signed_acts(contract: str) -> None:
    assert get_event_topic(contract, "Relayed") == keccak(text="Relayed(address,uint256,address)")
    names = {entry.get("name") for entry in load_artifact(contract).abi}
    assert {"relay", "act_late", "eip712Domain", "is_nonce_used", "late_after_s"} <= names

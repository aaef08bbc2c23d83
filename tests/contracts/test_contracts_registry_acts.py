"""Votes, keys and pauses signed on an agency's own device and submitted by another account.

The registry is the one address from which proxies take upgrades, so what it calls on a signer's
behalf is tried with special care.
"""

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_typing import Address

from contracts.addresses import (
    CATALOGUE,
    DECISIONS_IMPLEMENTATION,
    IMPLEMENTATION_SLOT,
    IMPLEMENTATIONS,
    POSTS,
    PROXIES,
    REGISTRY,
)
from contracts.codec import encode_call
from contracts.codes import ProposalStatus, Role
from contracts.decisions import DecisionKind, encode_payload
from contracts.loader import load_artifact
from contracts.testkeys import get_private_key
from tests.contracts.contract_harness import (
    BUREAU,
    LABORATORY,
    Ledger,
    bureau,
    commission,
    laboratory,
    stranger,
    uid_of,
)
from tests.contracts.law_harness import build_domain, relay_args

KEY = Address(b"\x31" * 20)
NEXT_CODE = Address(b"\x77" * 20)
UPGRADE_TO = bytes.fromhex("3c436f25")
NUMBERS = {laboratory: 1, bureau: 2, commission: 3}
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
def proposal(ledger: Ledger) -> int:
    return ledger.propose(bureau, DecisionKind.SET_PROFILE, [BUREAU, uid_of(3)])


def sign(
    ledger: Ledger,
    signer: Address,
    call: bytes,
    *,
    nonce: int = 1,
    contract: str = "agency_registry",
    **changes: Any,
) -> list[Any]:
    domain = build_domain(ledger, contract)
    private_key = get_private_key(NUMBERS[signer], "account")
    return relay_args(domain, signer, private_key, call, nonce=nonce, **changes)


def call(function: str, *args: Any) -> bytes:
    return encode_call("agency_registry", function, args)


def relay(ledger: Ledger, args: list[Any]) -> str | None:
    return ledger.send(stranger, "agency_registry", "relay", args).reason


def get_implementation(ledger: Ledger, proxy: Address) -> Address:
    return Address(ledger.state.get_slot(proxy, IMPLEMENTATION_SLOT).to_bytes(20, "big"))


def test_agencies_without_nodes_decide(ledger: Ledger, proposal: int) -> None:
    for signer in NUMBERS:
        args = sign(ledger, signer, call("vote", proposal, True))
        voted, *rest = ledger.do(stranger, "agency_registry", "relay", args)
        assert (voted.event, voted.args["key"]) == ("Voted", signer)
        assert rest[-1].args == {"signer": signer, "nonce": 1, "submitter": stranger}
    assert ledger.registry("proposal", proposal)["status"] == ProposalStatus.EXECUTED
    assert ledger.registry("is_nonce_used", bureau, 1)
    assert ledger.registry("vote_of", proposal, LABORATORY) == 1


def test_every_act_of_governing_is_its_signers(ledger: Ledger) -> None:
    payload = encode_payload(DecisionKind.SET_PROFILE, [BUREAU, uid_of(4)])
    later = ledger.now + 100
    for nonce, act in enumerate(
        (
            call("propose", int(DecisionKind.SET_PROFILE), payload, uid_of(1), later),
            call("withdraw_proposal", 1),
            call("add_own_key", KEY, int(Role.ISSUE), 0, 0),
            call("revoke_own_key", KEY),
            call("add_own_pin", uid_of(5), 0, 0),
            call("withdraw_own_pin", uid_of(5)),
            call("pause_own", 0),
            call("resume_own"),
        )
    ):
        assert relay(ledger, sign(ledger, bureau, act, nonce=nonce)) is None
        ledger.pass_time()
    assert ledger.registry("proposal", 1)["proposer"] == BUREAU
    assert ledger.registry("key", KEY)["agency"] == BUREAU
    assert ledger.registry("pin", uid_of(5))["agency"] == BUREAU
    # Nobody ends the key in their own hand by this way either.
    own = sign(ledger, bureau, call("revoke_own_key", bureau), nonce=90)
    assert relay(ledger, own) == "key: cannot end itself"


def test_signature_serves_once_here_and_not_elsewhere(ledger: Ledger, proposal: int) -> None:
    vote = call("vote", proposal, True)
    args = sign(ledger, bureau, vote)
    assert relay(ledger, args) is None
    assert relay(ledger, args) == "signature: nonce already used"
    for contract in ("catalogue", "posts"):
        foreign = sign(ledger, laboratory, vote, contract=contract)
        assert relay(ledger, foreign) == "signature: not the signer's"
        here = sign(ledger, laboratory, vote, nonce=7)
        refused = ledger.refuse(stranger, contract, "relay", here)
        assert refused == "signature: not the signer's"
    late = sign(ledger, laboratory, vote, deadline=ledger.now)
    ledger.pass_time()
    assert relay(ledger, late) == "signature: deadline passed"


def test_signature_that_was_altered_or_forged_is_refused(ledger: Ledger, proposal: int) -> None:
    args = sign(ledger, bureau, call("vote", proposal, True))
    signature = args[4]
    high = ORDER - int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + high.to_bytes(32, "big") + bytes([55 - signature[64]])
    nobody = Address(bytes(20))
    for changed, reason in (
        ([args[0], call("vote", proposal, False), *args[2:]], "signature: not the signer's"),
        ([laboratory, *args[1:]], "signature: not the signer's"),
        ([*args[:2], 2, *args[3:]], "signature: not the signer's"),
        ([*args[:4], twin], "signature: s too high"),
        ([*args[:4], signature[:64]], "signature: malformed"),
        ([nobody, *args[1:4], bytes(64) + b"\x1b"], "signature: signer missing"),
    ):
        assert relay(ledger, changed) == reason
    assert ledger.registry("proposal", proposal)["approvals"] == 0


def test_signer_needs_the_role_and_a_live_key(ledger: Ledger, proposal: int) -> None:
    args = sign(ledger, laboratory, call("pause_agency", BUREAU, ledger.now + 9, uid_of(1)))
    assert relay(ledger, args) == "key: role missing"
    unused = sign(ledger, bureau, call("vote", proposal, True))
    ledger.decide(DecisionKind.REVOKE_KEY, [bureau])
    assert relay(ledger, unused) == "key: ended"


@pytest.mark.parametrize("proxy", PROXIES)
def test_no_signature_upgrades_anything(ledger: Ledger, proxy: Address) -> None:
    """The proxy takes an upgrade from the registry's address; no act reaches it from there."""
    ledger.state.put(NEXT_CODE, code=b"\x00", nonce=1, storage={})
    orders = [
        UPGRADE_TO + bytes(12) + NEXT_CODE,
        UPGRADE_TO + bytes(12) + NEXT_CODE + b"\x00",
        UPGRADE_TO,
    ]
    for nonce, order in enumerate(orders):
        args = sign(ledger, bureau, order, nonce=nonce)
        assert relay(ledger, args) == "registry: only by vote"
    for nonce, junk in enumerate((b"", b"\x3c\x43\x6f"), start=10):
        assert relay(ledger, sign(ledger, bureau, junk, nonce=nonce)) == "registry: only by vote"
    payload = encode_payload(DecisionKind.UPGRADE, [proxy, NEXT_CODE])
    rehearsal = sign(ledger, bureau, call("dry_run", int(DecisionKind.UPGRADE), payload), nonce=20)
    assert relay(ledger, rehearsal) is None
    assert get_implementation(ledger, proxy) == IMPLEMENTATIONS[proxy]


def test_act_within_an_act_and_the_posts_seam_are_refused(ledger: Ledger, proposal: int) -> None:
    inner = call("relay", *sign(ledger, bureau, call("vote", proposal, True), nonce=1))
    assert relay(ledger, sign(ledger, bureau, inner, nonce=2)) == "act: relayed twice"
    seam = call("change_post_keys", bureau, [], [(KEY, 4, 0)], 0)
    assert relay(ledger, sign(ledger, bureau, seam, nonce=3)) == "registry: only for posts"
    founding = call("found", 7, encode_payload(DecisionKind.REVOKE_KEY, [laboratory]))
    assert relay(ledger, sign(ledger, bureau, founding, nonce=4)) == "registry: already founded"


def test_signer_does_not_outlive_the_act(ledger: Ledger, proposal: int) -> None:
    assert relay(ledger, sign(ledger, bureau, call("vote", proposal, True))) is None
    outcome = ledger.state.send(REGISTRY, call("vote", proposal, False), sender=REGISTRY)
    assert outcome.reason == "key: unknown"


@pytest.mark.parametrize("is_same_salt", [True, False])
def test_upgrade_of_the_registry_opens_no_old_act(
    ledger: Ledger, proposal: int, *, is_same_salt: bool
) -> None:
    used = sign(ledger, bureau, call("vote", proposal, True))
    unused = sign(ledger, laboratory, call("vote", proposal, True))
    assert relay(ledger, used) is None
    salt = build_domain(ledger, "agency_registry").salt if is_same_salt else uid_of(5)
    words = encode(
        ["address", "bytes32", "address", "address"],
        [REGISTRY, salt, DECISIONS_IMPLEMENTATION, POSTS],
    )
    ledger.state.create(NEXT_CODE, load_artifact("agency_registry").creation_bytecode + words)
    ledger.decide(DecisionKind.UPGRADE, [REGISTRY, NEXT_CODE])
    assert get_implementation(ledger, REGISTRY) == NEXT_CODE
    assert relay(ledger, used) == "signature: nonce already used"
    assert relay(ledger, unused) == (None if is_same_salt else "signature: not the signer's")


def test_decision_carried_out_by_a_signed_act_upgrades_others_as_ever(ledger: Ledger) -> None:
    ledger.state.put(NEXT_CODE, code=b"\x00", nonce=1, storage={})
    number = ledger.propose(bureau, DecisionKind.UPGRADE, [CATALOGUE, NEXT_CODE])
    for signer in NUMBERS:
        assert relay(ledger, sign(ledger, signer, call("vote", number, True))) is None
    assert get_implementation(ledger, CATALOGUE) == NEXT_CODE

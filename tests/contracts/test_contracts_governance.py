"""Deciding together: proposals, votes, thresholds, expiry and upgrades."""

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_typing import Address
from eth_utils.crypto import keccak

from contracts.addresses import (
    ATTESTATIONS,
    DECISIONS_IMPLEMENTATION,
    IMPLEMENTATION_SLOT,
    IMPLEMENTATIONS,
    POSTS,
    PROXIES,
    REGISTRY,
    SCHEMAS,
)
from contracts.codec import decode_revert, encode_call, get_event_topic
from contracts.codes import ProposalStatus, Role, Vote
from contracts.decisions import PAYLOADS, DecisionKind, decode_payload, encode_payload
from contracts.loader import load_artifact
from tests.contracts.contract_harness import (
    BUREAU,
    LABORATORY,
    NOTHING,
    Ledger,
    auditor,
    bureau,
    clerk,
    commission,
    laboratory,
    stranger,
    uid_of,
)

KIND = DecisionKind.SET_PROFILE
NEXT_CODE = Address(b"\x77" * 20)


@pytest.fixture
def proposal(ledger: Ledger) -> int:
    return ledger.propose(bureau, KIND, [BUREAU, uid_of(3)])


def get_status(ledger: Ledger, proposal: int) -> int:
    return int(ledger.registry("proposal", proposal)["status"])


def test_proposal_is_recorded_and_is_not_yet_a_vote(ledger: Ledger, proposal: int) -> None:
    assert proposal == 1
    assert ledger.registry("proposal_count") == 1
    assert ledger.registry("proposal", 1) == {
        "kind": KIND,
        "status": ProposalStatus.OPEN,
        "proposer": BUREAU,
        "document_hash": uid_of(77),
        "expires": ledger.now + 3600,
        "approvals": 0,
        "rejections": 0,
        "payload": encode_payload(KIND, [BUREAU, uid_of(3)]),
        "ready": 0,
    }
    assert ledger.registry("proposal", 2)["status"] == 0
    assert ledger.registry("vote_of", 1, BUREAU) == Vote.NONE


@pytest.mark.parametrize(
    ("approvals", "passes"),
    [
        # Macao has laboratory, bureau and auditor; Guangdong has the commission.
        ([laboratory, bureau, commission], True),
        ([commission, auditor, bureau], True),
        ([laboratory, bureau, auditor], False),
        ([laboratory, commission], False),
        ([laboratory, bureau, commission, auditor], True),
    ],
)
def test_decision_takes_more_than_half_in_total_and_on_each_side(
    ledger: Ledger, proposal: int, approvals: list[Address], passes: bool
) -> None:
    for voter in approvals:
        if get_status(ledger, proposal) == ProposalStatus.OPEN:
            ledger.vote(voter, proposal)
    assert get_status(ledger, proposal) == (
        ProposalStatus.EXECUTED if passes else ProposalStatus.OPEN
    )
    assert (ledger.registry("agency", BUREAU)["profile_hash"] == uid_of(3)) == passes
    assert ledger.registry("is_passing", proposal) == passes


def test_decision_is_announced_in_order(ledger: Ledger, proposal: int) -> None:
    ledger.vote(laboratory, proposal)
    ledger.vote(commission, proposal)
    events = ledger.vote(bureau, proposal)
    assert [event.event for event in events] == ["Voted", "ProfileChanged", "ProposalExecuted"]
    assert events[0].args == {
        "proposal": proposal,
        "agency": BUREAU,
        "approve": True,
        "key": bureau,
    }


def test_vote_can_be_changed_while_the_proposal_is_open(ledger: Ledger, proposal: int) -> None:
    ledger.vote(laboratory, proposal, approve=False)
    ledger.vote(commission, proposal)
    ledger.vote(bureau, proposal)
    assert get_status(ledger, proposal) == ProposalStatus.OPEN
    assert ledger.registry("vote_of", proposal, LABORATORY) == Vote.REJECTED
    ledger.vote(laboratory, proposal)
    assert ledger.registry("vote_of", proposal, LABORATORY) == Vote.APPROVED
    assert get_status(ledger, proposal) == ProposalStatus.EXECUTED
    assert ledger.registry("proposal", proposal)["rejections"] == 0


def test_vote_is_taken_back(ledger: Ledger, proposal: int) -> None:
    ledger.vote(laboratory, proposal)
    ledger.vote(laboratory, proposal, approve=False)
    for voter in (bureau, commission):
        ledger.vote(voter, proposal)
    assert get_status(ledger, proposal) == ProposalStatus.OPEN
    assert ledger.registry("proposal", proposal)["approvals"] == 0b0110


@pytest.mark.parametrize("approve", [True, False])
def test_vote_counts_once(ledger: Ledger, proposal: int, approve: bool) -> None:
    ledger.vote(laboratory, proposal, approve=approve)
    args = [proposal, approve]
    assert ledger.refuse(laboratory, "agency_registry", "vote", args) == "vote: unchanged"
    # A second key of the same agency has no second vote.
    ledger.do(
        laboratory,
        "agency_registry",
        "add_own_key",
        [Address(b"\x31" * 20), int(Role.GOVERN), 0, 0],
    )
    assert ledger.refuse(Address(b"\x31" * 20), "agency_registry", "vote", args) == (
        "vote: unchanged"
    )


def test_vote_of_an_agency_suspended_since_does_not_count(ledger: Ledger, proposal: int) -> None:
    ledger.vote(laboratory, proposal)
    ledger.vote(auditor, proposal)
    ledger.decide(DecisionKind.SUSPEND_AGENCY, [LABORATORY])
    # Bureau, commission and auditor are left: auditor and commission are two of three, but only
    # one of two in Macao.
    ledger.vote(commission, proposal)
    assert get_status(ledger, proposal) == ProposalStatus.OPEN
    assert not ledger.registry("is_passing", proposal)
    assert ledger.refuse(laboratory, "agency_registry", "vote", [proposal, True]) == (
        "agency: not active"
    )
    ledger.vote(bureau, proposal)
    assert get_status(ledger, proposal) == ProposalStatus.EXECUTED


def test_vote_and_proposal_need_the_role(ledger: Ledger, proposal: int) -> None:
    payload = encode_payload(KIND, [BUREAU, uid_of(4)])
    propose = [int(KIND), payload, NOTHING, ledger.now + 10]
    for sender, reason in ((clerk, "key: role missing"), (stranger, "key: unknown")):
        assert ledger.refuse(sender, "agency_registry", "vote", [proposal, True]) == reason
        assert ledger.refuse(sender, "agency_registry", "propose", propose) == reason
        assert ledger.refuse(sender, "agency_registry", "withdraw_proposal", [proposal]) == reason


def test_proposal_that_is_unknown_or_decided_takes_no_votes(ledger: Ledger, proposal: int) -> None:
    assert ledger.refuse(bureau, "agency_registry", "vote", [0, True]) == "proposal: unknown"
    assert ledger.refuse(bureau, "agency_registry", "vote", [9, True]) == "proposal: unknown"
    for voter in (laboratory, bureau, commission):
        ledger.vote(voter, proposal)
    for approve in (True, False):
        assert ledger.refuse(auditor, "agency_registry", "vote", [proposal, approve]) == (
            "proposal: not open"
        )


def test_proposal_expires(ledger: Ledger, proposal: int) -> None:
    ledger.vote(laboratory, proposal)
    ledger.pass_time(3599)
    ledger.vote(bureau, proposal)
    ledger.pass_time(1)
    assert get_status(ledger, proposal) == ProposalStatus.EXPIRED
    assert ledger.refuse(commission, "agency_registry", "vote", [proposal, True]) == (
        "proposal: not open"
    )
    assert ledger.refuse(bureau, "agency_registry", "withdraw_proposal", [proposal]) == (
        "proposal: not open"
    )


def test_proposal_is_withdrawn_by_its_proposer_only(ledger: Ledger, proposal: int) -> None:
    assert ledger.refuse(laboratory, "agency_registry", "withdraw_proposal", [proposal]) == (
        "proposal: not yours"
    )
    assert ledger.refuse(bureau, "agency_registry", "withdraw_proposal", [7]) == (
        "proposal: unknown"
    )
    (event,) = ledger.do(bureau, "agency_registry", "withdraw_proposal", [proposal])
    assert event.event == "ProposalWithdrawn"
    assert get_status(ledger, proposal) == ProposalStatus.WITHDRAWN
    assert ledger.refuse(commission, "agency_registry", "vote", [proposal, True]) == (
        "proposal: not open"
    )


def test_proposal_with_a_bad_field_is_refused(ledger: Ledger) -> None:
    good = encode_payload(KIND, [BUREAU, uid_of(4)])
    for kind, payload, expires, reason in (
        (0, good, 10, "proposal: unknown kind"),
        (18, good, 10, "proposal: unknown kind"),
        (int(KIND), good + bytes(32), 10, "proposal: malformed payload"),
        (int(KIND), good[:-1], 10, "proposal: malformed payload"),
        (int(KIND), b"", 10, "proposal: malformed payload"),
        (int(KIND), good, 0, "proposal: already expired"),
        (int(KIND), good, 366 * 86400 + 1, "proposal: expires too late"),
    ):
        args = [kind, payload, NOTHING, ledger.now + expires]
        assert ledger.refuse(bureau, "agency_registry", "propose", args) == reason
    assert ledger.registry("proposal_count") == 0


def test_decision_that_cannot_be_carried_out_stays_open(ledger: Ledger) -> None:
    """The deciding vote fails with the reason; once the reason is gone it succeeds."""
    key = Address(b"\x41" * 20)
    proposal = ledger.propose(bureau, DecisionKind.REVOKE_KEY, [key])
    ledger.vote(bureau, proposal)
    ledger.vote(laboratory, proposal)
    assert ledger.refuse(commission, "agency_registry", "vote", [proposal, True]) == "key: unknown"
    assert get_status(ledger, proposal) == ProposalStatus.OPEN
    ledger.do(laboratory, "agency_registry", "add_own_key", [key, int(Role.ISSUE), 0, 0])
    ledger.vote(commission, proposal)
    assert get_status(ledger, proposal) == ProposalStatus.EXECUTED
    assert not ledger.registry("may_send", key)


def test_every_kind_of_decision_has_a_payload_of_fixed_length(ledger: Ledger) -> None:
    samples: dict[str, Any] = {"bytes32": uid_of(5), "uint256": 6, "address": NEXT_CODE}
    for kind in DecisionKind:
        args = [samples[abi_type] for _, abi_type in PAYLOADS[kind]]
        payload = encode_payload(kind, args)
        assert list(decode_payload(kind, payload).values()) == args
        ledger.propose(bureau, kind, args)
        bad = [int(kind), payload + bytes(32), NOTHING, ledger.now + 10]
        assert ledger.refuse(bureau, "agency_registry", "propose", bad) == (
            "proposal: malformed payload"
        )


# ------------------------------------------------------------------ upgrades


@pytest.mark.parametrize("proxy", [REGISTRY, SCHEMAS, ATTESTATIONS])
def test_upgrade_is_carried_out_by_vote_only(ledger: Ledger, proxy: Address) -> None:
    ledger.register_schema()
    ledger.accredit(uid_of(1), LABORATORY)
    ledger.attest(uid_of(100), uid_of(1))
    constructor = {
        REGISTRY: encode(
            ["address", "bytes32", "address", "address"],
            [REGISTRY, uid_of(1), DECISIONS_IMPLEMENTATION, POSTS],
        ),
        SCHEMAS: encode(["address", "address"], [REGISTRY, ATTESTATIONS]),
        ATTESTATIONS: encode(["address", "address"], [REGISTRY, SCHEMAS]),
    }
    code = load_artifact(PROXIES[proxy]).creation_bytecode + constructor[proxy]
    ledger.state.create(NEXT_CODE, code)
    proposal = ledger.propose(bureau, DecisionKind.UPGRADE, [proxy, NEXT_CODE])
    for voter in (bureau, laboratory):
        ledger.vote(voter, proposal)
    assert ledger.state.get_slot(proxy, IMPLEMENTATION_SLOT) == int.from_bytes(
        IMPLEMENTATIONS[proxy], "big"
    )
    outcome = ledger.send(commission, "agency_registry", "vote", [proposal, True])
    assert outcome.succeeded
    assert ledger.state.get_slot(proxy, IMPLEMENTATION_SLOT) == int.from_bytes(NEXT_CODE, "big")
    upgraded = [
        (address, topics)
        for address, topics, _ in outcome.logs
        if topics[0] == get_event_topic(PROXIES[proxy], "Upgraded")
    ]
    assert upgraded == [
        (proxy, (get_event_topic(PROXIES[proxy], "Upgraded"), bytes(12) + NEXT_CODE))
    ]
    # Records and rules are what they were.
    assert ledger.read("attestations", "attestation", uid_of(100))["issuer"] == LABORATORY
    ledger.attest(uid_of(101), uid_of(1))
    assert ledger.read("attestations", "count", LABORATORY) == 2


@pytest.mark.parametrize("sender", [bureau, laboratory, stranger, SCHEMAS])
def test_upgrade_asked_for_by_anyone_else_does_nothing(ledger: Ledger, sender: Address) -> None:
    """The proxy hands such a call to its implementation, which knows no such function."""
    for signature in ("upgradeTo(address)", "upgrade_to(address)"):
        call = keccak(text=signature)[:4]
        for proxy in PROXIES:
            outcome = ledger.state.send(proxy, call + bytes(12) + NEXT_CODE, sender=sender)
            assert not outcome.succeeded
            assert ledger.state.get_slot(proxy, IMPLEMENTATION_SLOT) == int.from_bytes(
                IMPLEMENTATIONS[proxy], "big"
            )


def test_upgrade_to_an_address_without_code_is_refused(ledger: Ledger) -> None:
    assert ledger.decide_refused(DecisionKind.UPGRADE, [SCHEMAS, NEXT_CODE]) == (
        "proxy: no code there"
    )


def test_implementations_cannot_be_founded_or_used_by_themselves(ledger: Ledger) -> None:
    """Their storage is nobody's: whoever calls them directly finds a closed, empty ledger."""
    registry = IMPLEMENTATIONS[REGISTRY]
    payload = encode_payload(DecisionKind.REVOKE_KEY, [stranger])
    for call in (
        encode_call("agency_registry", "found", [7, payload]),
        encode_call("agency_registry", "finish_founding"),
    ):
        outcome = ledger.state.send(registry, call, sender=stranger)
        assert decode_revert(outcome.output) == "registry: already founded"

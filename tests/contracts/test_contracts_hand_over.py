"""The hand-over of a post: officer and keys at one moment; its heads, and acts signed elsewhere."""

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_typing import Address, Hash32
from eth_utils.crypto import keccak

from contracts.addresses import POSTS, REGISTRY
from contracts.codec import encode_call
from contracts.codes import RecordKind, RecordState, Role
from contracts.decisions import DecisionKind
from contracts.loader import load_artifact
from contracts.testkeys import get_private_key
from tests.contracts.contract_harness import (
    BUREAU,
    LABORATORY,
    NOTHING,
    Ledger,
    bureau,
    commission,
    laboratory,
    stranger,
    uid_of,
)
from tests.contracts.law_harness import HeadModel, build_domain, relay_args
from tests.contracts.post_harness import (
    DAY,
    DEPUTY,
    DUTIES,
    FIRST,
    FOURTH,
    HOLDER,
    KEYS,
    OTHER_POST,
    POST,
    RESOLUTION,
    SECOND,
    THIRD,
    appointment,
    build_ledger,
    do,
    hand_over,
    names,
    new_key,
    read,
    refuse,
)

NEXT_CODE = Address(b"\x77" * 20)


@pytest.fixture
def ledger() -> Ledger:
    return build_ledger()


# ------------------------------------------------------------------ hand-over


def test_hand_over_changes_officer_and_keys_in_one_transaction(ledger: Ledger) -> None:
    do(ledger, "give_key", POST, new_key(0))
    do(ledger, "appoint", POST, DEPUTY, appointment(THIRD))
    ledger.pass_time()
    events = hand_over(ledger, keys=(new_key(1), new_key(2, int(Role.GOVERN))))
    assert names(events) == [
        "TermEnded",
        "TermBegun",
        "PostKeyEnded",
        "KeyAdded",
        "KeyAdded",
        "KeyEnds",
        "PostKeyGiven",
        "PostKeyGiven",
        "HandedOver",
    ]
    assert events[-1].args["effective"] == ledger.now
    assert events[-1].args["resolution"] == RESOLUTION
    assert read(ledger, "holder_at", POST, ledger.now - 1) == FIRST
    assert read(ledger, "holder_at", POST, ledger.now) == SECOND
    assert [ledger.registry("may_send", key) for key in KEYS[:3]] == [False, True, True]
    assert read(ledger, "keys_of", POST) == (KEYS[1], KEYS[2])
    # The old key still says whose its old signatures are, and the deputy stands in for the new one.
    assert ledger.registry("key", KEYS[0])["agency"] == BUREAU
    assert read(ledger, "post_of", KEYS[0]) == POST
    assert read(ledger, "deputies_at", POST, ledger.now) == (THIRD,)


def test_hand_over_takes_effect_at_its_moment(ledger: Ledger) -> None:
    do(ledger, "give_key", POST, new_key(0))
    effective = ledger.now + 5 * DAY
    hand_over(ledger, appointment(SECOND, effective), (new_key(1),))
    for moment, holder, live in (
        (ledger.now, FIRST, (True, False)),
        (effective - 1, FIRST, (True, False)),
        (effective, SECOND, (False, True)),
    ):
        ledger.state.timestamp = moment
        assert read(ledger, "holder_at", POST, moment) == holder
        assert tuple(ledger.registry("may_send", key) for key in KEYS[:2]) == live


def test_hand_over_entered_late_ends_keys_at_once_only(ledger: Ledger) -> None:
    """Nobody makes signatures invalid that were good when they were made."""
    do(ledger, "give_key", POST, new_key(0))
    ledger.pass_time(3 * DAY)
    effective = ledger.now - DAY
    hand_over(ledger, appointment(SECOND, effective), (new_key(1),))
    assert read(ledger, "holder_at", POST, effective) == SECOND
    assert ledger.registry("key", KEYS[0])["valid_until"] == ledger.now
    assert ledger.registry("key", KEYS[1])["valid_from"] == ledger.now


def test_hand_over_can_end_the_deputies_too(ledger: Ledger) -> None:
    later = ledger.now + 100
    do(ledger, "appoint", POST, 1, appointment(THIRD))
    do(ledger, "appoint", POST, 2, appointment(FOURTH, later))
    ledger.pass_time()
    hand_over(ledger, ends_deputies=True)
    assert read(ledger, "deputies_at", POST, ledger.now) == ()
    # Who was appointed for later comes.
    assert read(ledger, "deputies_at", POST, later) == (FOURTH,)


def test_hand_over_is_refused(ledger: Ledger) -> None:
    now = ledger.now
    do(ledger, "give_key", POST, new_key(0))
    for successor, keys, reason in (
        (appointment(FIRST), [], "post: commitment already used"),
        (appointment(NOTHING), [], "post: officer missing"),
        (appointment(SECOND, resolution=NOTHING), [], "post: resolution missing"),
        (appointment(SECOND, now - 11), [], "post: ends before it begins"),
        (appointment(SECOND, now + 91 * DAY), [], "post: too far ahead"),
        (appointment(SECOND), [new_key(0)], "key: already entered"),
        (appointment(SECOND), [new_key(1), new_key(1)], "key: already entered"),
        (appointment(SECOND, end=now + 9), [new_key(1)], "post: key outlives the term"),
    ):
        args = [POST, successor, keys, False]
        assert refuse(ledger, "hand_over", *args) == reason
    # All or nothing.
    assert read(ledger, "holder_at", POST, now) == FIRST
    assert ledger.registry("may_send", KEYS[0])
    do(ledger, "establish", OTHER_POST, DUTIES)
    args = [OTHER_POST, appointment(SECOND), [], False]
    assert refuse(ledger, "hand_over", *args) == "post: nobody holds it"


def test_hand_over_after_a_vacancy_fills_it(ledger: Ledger) -> None:
    do(ledger, "end_term", POST, HOLDER, 0, RESOLUTION)
    ledger.pass_time(100)
    assert names(hand_over(ledger)) == ["TermBegun", "HandedOver"]
    assert read(ledger, "holder_at", POST, ledger.now - 1) == NOTHING
    assert read(ledger, "holder_at", POST, ledger.now) == SECOND


def test_administrator_hands_over_the_own_key_to_another_administrator_only(
    ledger: Ledger,
) -> None:
    """An agency always keeps an administrator."""
    admin = int(Role.ADMIN)
    do(ledger, "assign_key", POST, bureau)
    ledger.pass_time()
    assert refuse(ledger, "end_key", POST, bureau) == "key: cannot end itself"
    assert refuse(ledger, "abolish", POST, RESOLUTION) == "key: cannot end itself"
    for keys in ([], [new_key(1)], [new_key(1, admin, ledger.now + 10)]):
        args = [POST, appointment(SECOND), keys, False]
        assert refuse(ledger, "hand_over", *args) == "key: cannot end itself"
    hand_over(ledger, keys=(new_key(1, admin),))
    assert not ledger.registry("may_send", bureau)
    do(ledger, "give_key", POST, new_key(2), sender=KEYS[1])


def test_hand_over_respects_what_the_registry_ended(ledger: Ledger) -> None:
    do(ledger, "give_key", POST, new_key(0))
    ledger.do(bureau, "agency_registry", "revoke_own_key", [KEYS[0]])
    ended = ledger.now
    ledger.pass_time(100)
    hand_over(ledger)
    assert ledger.registry("key", KEYS[0])["valid_until"] == ended


def test_agency_hands_over_while_it_is_paused_but_not_while_suspended(ledger: Ledger) -> None:
    ledger.do(bureau, "agency_registry", "pause_own", [0])
    hand_over(ledger, keys=(new_key(1, int(Role.GOVERN)),))
    assert ledger.registry("may_send", KEYS[1])
    for voter in (laboratory, commission):
        ledger.pass_time()
        assert ledger.registry("may_send", voter)
    ledger.decide(DecisionKind.SUSPEND_AGENCY, [BUREAU])
    assert refuse(ledger, "give_key", POST, new_key(2)) == "agency: not active"


def test_abolished_post_ends_with_all_that_it_had(ledger: Ledger) -> None:
    do(ledger, "give_key", POST, new_key(0))
    do(ledger, "appoint", POST, 1, appointment(SECOND))
    do(ledger, "appoint", POST, 2, appointment(THIRD, ledger.now + 100))
    ledger.pass_time()
    assert refuse(ledger, "abolish", POST, NOTHING) == "post: resolution missing"
    do(ledger, "abolish", POST, RESOLUTION)
    assert read(ledger, "post", POST)["state"] == RecordState.REVOKED
    assert not ledger.registry("may_send", KEYS[0])
    for moment in (ledger.now, ledger.now + 1000):
        assert read(ledger, "holder_at", POST, moment) == NOTHING
        assert read(ledger, "deputies_at", POST, moment) == ()
    assert read(ledger, "holder_at", POST, ledger.now - 1) == FIRST


def test_seat_has_256_terms_at_most(ledger: Ledger) -> None:
    layout = load_artifact("posts").storage_layout["terms"]["term_counts"]["slot"]
    by_post = keccak(int(layout).to_bytes(32, "big") + POST)
    slot = int.from_bytes(keccak(by_post + (3).to_bytes(32, "big")), "big")
    ledger.state.set_slot(POSTS, slot, 256)
    # The last term is empty here: it ends at zero, which means "no end".
    assert refuse(ledger, "appoint", POST, 3, appointment(SECOND)) == "post: seat is taken"
    do(ledger, "end_term", POST, 3, 0, RESOLUTION)
    ledger.pass_time()
    assert refuse(ledger, "appoint", POST, 3, appointment(SECOND)) == "post: too many terms"


# ------------------------------------------------------------------ heads and signed acts


def test_heads_hold_every_step_of_a_post() -> None:
    ledger = Ledger()
    model = HeadModel(ledger, "posts")

    def term(seat: int, number: int) -> bytes:
        return keccak(POST + seat.to_bytes(32, "big") + number.to_bytes(32, "big"))

    def key(number: int) -> bytes:
        return bytes(12) + KEYS[number]

    do(ledger, "establish", POST, DUTIES)
    model.advance(BUREAU, RecordKind.POST, POST, 1)
    do(ledger, "appoint", POST, HOLDER, appointment(FIRST))
    model.advance(BUREAU, RecordKind.TERM, term(0, 0), 1)
    do(ledger, "give_key", POST, new_key(0))
    model.advance(BUREAU, RecordKind.POST_KEY, key(0), 1)
    ledger.pass_time()
    events = hand_over(ledger, keys=(new_key(1),))
    for kind, uid, state in (
        (RecordKind.TERM, term(0, 0), 3),
        (RecordKind.TERM, term(0, 1), 1),
        (RecordKind.POST_KEY, key(0), 3),
        (RecordKind.POST_KEY, key(1), 1),
    ):
        model.advance(BUREAU, kind, uid, state)
    assert [e.args["sequence"] for e in events if "sequence" in e.args] == [4, 5, 6, 7]
    assert read(ledger, "head", BUREAU) == model.heads[BUREAU]
    assert read(ledger, "count", BUREAU) == 7
    assert read(ledger, "count", LABORATORY) == 0


def build_relay(ledger: Ledger, to: Hash32, nonce: int) -> list[Any]:
    args = [POST, appointment(to), [new_key(nonce)], False, ledger.now]
    call = encode_call("posts", "hand_over", args)
    domain = build_domain(ledger, "posts")
    return relay_args(domain, bureau, get_private_key(2, "account"), call, nonce=nonce)


def test_hand_over_is_signed_elsewhere_and_submitted_once(ledger: Ledger) -> None:
    args = build_relay(ledger, SECOND, 1)
    events = ledger.do(stranger, "posts", "relay", args)
    assert {event.args["key"] for event in events if event.event == "HandedOver"} == {bureau}
    assert ledger.registry("key", KEYS[1])["agency"] == BUREAU
    assert ledger.refuse(stranger, "posts", "relay", args) == "signature: nonce already used"
    for contract in ("mandates", "catalogue"):
        refused = ledger.refuse(stranger, contract, "relay", build_relay(ledger, THIRD, 2))
        assert refused == "signature: not the signer's"


def test_signed_hand_over_dies_with_the_signers_key(ledger: Ledger) -> None:
    args = build_relay(ledger, SECOND, 1)
    ledger.decide(DecisionKind.REVOKE_KEY, [bureau])
    assert ledger.refuse(stranger, "posts", "relay", args) == "key: ended"


@pytest.mark.parametrize("is_same_salt", [True, False])
def test_upgrade_of_the_posts_opens_no_old_act(ledger: Ledger, *, is_same_salt: bool) -> None:
    used, unused = build_relay(ledger, SECOND, 1), build_relay(ledger, THIRD, 2)
    ledger.do(stranger, "posts", "relay", used)
    ledger.pass_time()
    salt = build_domain(ledger, "posts").salt if is_same_salt else uid_of(5)
    words = encode(["address", "bytes32", "uint256"], [REGISTRY, salt, ledger.spec.late_after_s])
    ledger.state.create(NEXT_CODE, load_artifact("posts").creation_bytecode + words)
    ledger.decide(DecisionKind.UPGRADE, [POSTS, NEXT_CODE])
    assert ledger.refuse(stranger, "posts", "relay", used) == "signature: nonce already used"
    outcome = ledger.send(stranger, "posts", "relay", unused)
    assert outcome.reason == (None if is_same_salt else "signature: not the signer's")
    assert read(ledger, "term_count", POST, HOLDER) == (3 if is_same_salt else 2)

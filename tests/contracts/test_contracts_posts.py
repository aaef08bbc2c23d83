"""Posts: who holds them, who stands in, and which keys they hold."""

from typing import Any

import pytest
from eth_typing import Hash32

from contracts.addresses import POSTS, REGISTRY
from contracts.codes import RecordState, Role
from tests.contracts.contract_harness import (
    BUREAU,
    NOTHING,
    Ledger,
    bureau,
    clerk,
    commission,
    laboratory,
    stranger,
    uid_of,
)
from tests.contracts.post_harness import (
    DAY,
    DEPUTY,
    DUTIES,
    FIRST,
    FOURTH,
    HOLDER,
    ISSUE,
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


@pytest.fixture
def ledger() -> Ledger:
    return build_ledger()


# ------------------------------------------------------------------ posts and terms


def test_post_and_its_first_holder_are_recorded(ledger: Ledger) -> None:
    begin = ledger.now - 10
    assert read(ledger, "post", POST) == {
        "agency": BUREAU,
        "duties_hash": DUTIES,
        "state": RecordState.ACTIVE,
        "event_time": begin,
        "block_number": 1,
        "state_block": 1,
    }
    assert read(ledger, "term_count", POST, HOLDER) == 1
    assert read(ledger, "term_at", POST, HOLDER, 0) == {
        "commitment": FIRST,
        "valid_from": begin,
        "valid_until": 0,
        "resolution": RESOLUTION,
        "block_number": 1,
    }
    assert read(ledger, "holder_at", POST, begin) == FIRST
    assert read(ledger, "holder_at", POST, begin - 1) == NOTHING
    assert ledger.refuse(bureau, "posts", "term_at", [POST, HOLDER, 1]) == "post: no such term"
    assert read(ledger, "post", OTHER_POST)["state"] == 0


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ([NOTHING, DUTIES], "post: uid missing"),
        ([POST, DUTIES], "post: uid already used"),
        ([OTHER_POST, NOTHING], "post: duties missing"),
    ],
)
def test_post_is_refused(ledger: Ledger, args: list[Hash32], reason: str) -> None:
    assert refuse(ledger, "establish", *args) == reason


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("appoint", [DEPUTY, appointment(SECOND)]),
        ("end_term", [HOLDER, 0, RESOLUTION]),
        ("hand_over", [appointment(SECOND), [], False]),
        ("give_key", [new_key(0)]),
        ("assign_key", [bureau]),
        ("end_key", [KEYS[0]]),
        ("abolish", [RESOLUTION]),
    ],
)
def test_only_administrators_of_the_own_agency_write(
    ledger: Ledger, function: str, args: list[Any]
) -> None:
    for sender, reason in (
        (stranger, "key: unknown"),
        (clerk, "key: role missing"),
        (laboratory, "post: not yours"),
        (commission, "post: not yours"),
    ):
        assert refuse(ledger, function, POST, *args, sender=sender) == reason
    assert refuse(ledger, function, OTHER_POST, *args) == "post: unknown"
    do(ledger, "abolish", POST, RESOLUTION)
    assert refuse(ledger, function, POST, *args) == "post: abolished"


def test_term_is_refused(ledger: Ledger) -> None:
    now = ledger.now
    for seat, given, reason in (
        (5, appointment(SECOND), "post: no such seat"),
        (HOLDER, appointment(SECOND), "post: seat is taken"),
        (DEPUTY, appointment(NOTHING), "post: officer missing"),
        (DEPUTY, appointment(SECOND, resolution=NOTHING), "post: resolution missing"),
        (DEPUTY, appointment(FIRST), "post: commitment already used"),
        (DEPUTY, appointment(SECOND, now, now), "post: ends before it begins"),
        (DEPUTY, appointment(SECOND, now, 2**48), "post: ends too late"),
        (DEPUTY, appointment(SECOND, now + 90 * DAY + 1), "post: too far ahead"),
        (DEPUTY, appointment(SECOND, now - 30 * DAY - 1), "post: too long ago"),
    ):
        assert refuse(ledger, "appoint", POST, seat, given) == reason
    do(ledger, "appoint", POST, DEPUTY, appointment(SECOND, now - 30 * DAY, now + 90 * DAY))


def test_officers_commitment_serves_one_term_on_the_whole_ledger(ledger: Ledger) -> None:
    do(ledger, "establish", OTHER_POST, DUTIES, sender=laboratory)
    assert refuse(ledger, "appoint", OTHER_POST, HOLDER, appointment(FIRST), sender=laboratory) == (
        "post: commitment already used"
    )


def test_deputies_stand_in_by_order_and_dates(ledger: Ledger) -> None:
    begin, end = ledger.now + 100, ledger.now + 200
    do(ledger, "appoint", POST, 2, appointment(THIRD))
    do(ledger, "appoint", POST, 1, appointment(SECOND, begin, end))
    assert read(ledger, "deputies_at", POST, ledger.now) == (THIRD,)
    assert read(ledger, "deputies_at", POST, begin) == (SECOND, THIRD)
    assert read(ledger, "deputies_at", POST, end) == (THIRD,)
    # The next one may be appointed to the seat from the end of this one on.
    early = appointment(FOURTH, end - 1)
    assert refuse(ledger, "appoint", POST, 1, early) == "post: seat is taken"
    do(ledger, "appoint", POST, 1, appointment(FOURTH, end))
    assert read(ledger, "deputies_at", POST, end) == (FOURTH, THIRD)
    assert read(ledger, "deputies_at", POST, end - 1) == (SECOND, THIRD)
    for officer, moment, capacity in (
        (FIRST, ledger.now, 1),
        (SECOND, begin - 1, 0),
        (SECOND, begin, 2),
        (SECOND, end, 0),
        (uid_of(1), begin, 0),
    ):
        assert read(ledger, "capacity_of", POST, officer, moment) == capacity
        assert read(ledger, "is_in_office", POST, officer, moment) == (capacity != 0)
    assert not read(ledger, "is_in_office", OTHER_POST, FIRST, ledger.now)


def test_term_ends_and_the_seat_is_free(ledger: Ledger) -> None:
    do(ledger, "appoint", POST, DEPUTY, appointment(SECOND))
    at = ledger.now + 50
    (event,) = do(ledger, "end_term", POST, DEPUTY, at, uid_of(704))
    assert event.event == "TermEnded"
    assert (event.args["seat"], event.args["valid_until"]) == (DEPUTY, at)
    assert event.args["resolution"] == uid_of(704)
    assert read(ledger, "deputies_at", POST, at - 1) == (SECOND,)
    assert read(ledger, "deputies_at", POST, at) == ()
    for args, reason in (
        ([5, 0, RESOLUTION], "post: no such seat"),
        ([DEPUTY, at, RESOLUTION], "post: seat is free"),
        ([2, 0, RESOLUTION], "post: seat is free"),
        ([HOLDER, 0, NOTHING], "post: resolution missing"),
        ([HOLDER, ledger.now - 11, RESOLUTION], "post: ends before it begins"),
        ([HOLDER, ledger.now - 31 * DAY, RESOLUTION], "post: too long ago"),
        ([HOLDER, ledger.now + 91 * DAY, RESOLUTION], "post: too far ahead"),
    ):
        assert refuse(ledger, "end_term", POST, *args) == reason
    # Earlier than planned is possible, later is not.
    do(ledger, "end_term", POST, DEPUTY, at - 1, RESOLUTION)
    assert refuse(ledger, "end_term", POST, DEPUTY, at, RESOLUTION) == "post: seat is free"


def test_term_that_never_began_hides_none_before_it(ledger: Ledger) -> None:
    begin = ledger.now + 100
    do(ledger, "end_term", POST, HOLDER, begin, RESOLUTION)
    do(ledger, "appoint", POST, HOLDER, appointment(SECOND, begin))
    do(ledger, "end_term", POST, HOLDER, begin, RESOLUTION)
    do(ledger, "appoint", POST, HOLDER, appointment(THIRD, begin))
    for moment, holder in ((begin - 1, FIRST), (begin, THIRD)):
        assert read(ledger, "holder_at", POST, moment) == holder
    assert not read(ledger, "is_in_office", POST, SECOND, begin)


# ------------------------------------------------------------------ keys


def test_post_holds_new_and_known_keys(ledger: Ledger) -> None:
    added, given = do(ledger, "give_key", POST, new_key(0))
    assert (added.event, given.event) == ("KeyAdded", "PostKeyGiven")
    assert given.args["account"] == KEYS[0]
    args = [KEYS[1], ISSUE, 0, 0]
    ledger.do(bureau, "agency_registry", "add_own_key", args)
    do(ledger, "assign_key", POST, KEYS[1])
    assert read(ledger, "keys_of", POST) == (KEYS[0], KEYS[1])
    assert read(ledger, "post_of", KEYS[1]) == POST
    assert read(ledger, "post_of", KEYS[2]) == NOTHING
    ledger.pass_time()
    assert names(do(ledger, "end_key", POST, KEYS[0])) == ["KeyEnds", "PostKeyEnded"]
    assert not ledger.registry("may_send", KEYS[0])
    assert ledger.registry("may_send", KEYS[1])
    assert read(ledger, "keys_of", POST) == (KEYS[1],)


def test_key_of_a_post_is_refused(ledger: Ledger) -> None:
    ledger.do(bureau, "agency_registry", "add_own_key", [KEYS[5], ISSUE, 0, 0])
    ledger.do(bureau, "agency_registry", "revoke_own_key", [KEYS[5]])
    do(ledger, "give_key", POST, new_key(0))
    for function, args, reason in (
        ("give_key", [new_key(0)], "key: already entered"),
        ("give_key", [new_key(1, 0)], "roles: none"),
        ("give_key", [new_key(1, int(Role.SUPERVISE))], "key: roles beyond the agency's"),
        ("assign_key", [KEYS[0]], "post: key already held"),
        ("assign_key", [laboratory], "key: not yours"),
        ("assign_key", [KEYS[7]], "key: not yours"),
        ("assign_key", [KEYS[5]], "key: ended"),
        ("end_key", [KEYS[1]], "post: key not held"),
    ):
        assert refuse(ledger, function, POST, *args) == reason
    for number in (1, 2, 3):
        do(ledger, "give_key", POST, new_key(number))
    assert refuse(ledger, "give_key", POST, new_key(4)) == "post: too many keys"
    assert ledger.registry("key", KEYS[4])["agency"] == NOTHING


def test_key_does_not_outlive_the_term(ledger: Ledger) -> None:
    end = ledger.now + 1000
    hand_over(ledger, appointment(SECOND, end=end))
    for until in (0, end + 1):
        refused = refuse(ledger, "give_key", POST, new_key(0, until=until))
        assert refused == "post: key outlives the term"
    assert refuse(ledger, "assign_key", POST, bureau) == "post: key outlives the term"
    do(ledger, "give_key", POST, new_key(0, until=end))
    ledger.state.timestamp = end
    assert not ledger.registry("may_send", KEYS[0])
    assert refuse(ledger, "give_key", POST, new_key(1)) == "post: nobody holds it"


def test_vacant_post_signs_nothing(ledger: Ledger) -> None:
    do(ledger, "give_key", POST, new_key(0))
    at = ledger.now + 100
    events = do(ledger, "end_term", POST, HOLDER, at, RESOLUTION)
    assert names(events) == ["TermEnded", "PostKeyEnded", "KeyEnds"]
    assert ledger.registry("may_send", KEYS[0])
    ledger.state.timestamp = at
    assert not ledger.registry("may_send", KEYS[0])
    assert read(ledger, "holder_at", POST, at) == NOTHING
    assert read(ledger, "keys_of", POST) == ()
    assert refuse(ledger, "give_key", POST, new_key(1)) == "post: nobody holds it"


def test_only_the_contract_of_the_posts_changes_keys_so(ledger: Ledger) -> None:
    args = [bureau, [], [new_key(0)], 0]
    for sender in (bureau, laboratory, stranger, REGISTRY):
        refused = ledger.refuse(sender, "agency_registry", "change_post_keys", args)
        assert refused == "registry: only for posts"
    # And even that one only for whoever may: it says who acts, not what they may.
    for actor, reason in ((stranger, "key: unknown"), (clerk, "key: role missing")):
        call = [actor, [], [new_key(0)], 0]
        assert ledger.refuse(POSTS, "agency_registry", "change_post_keys", call) == reason
    foreign = [bureau, [laboratory], [], 0]
    assert ledger.refuse(POSTS, "agency_registry", "change_post_keys", foreign) == "key: not yours"
    late = [bureau, [], [], ledger.now + 91 * DAY]
    assert ledger.refuse(POSTS, "agency_registry", "change_post_keys", late) == (
        "key: ends too late"
    )

"""Each rule of offices, powers and guardianships, once kept and once broken."""

from typing import Any

import pytest
from eth_typing import Address
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.codes import Reason, RecordKind, RecordState
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
from tests.contracts.law_harness import HeadModel
from tests.contracts.mandate_harness import (
    BODY,
    GUARDIANSHIP,
    MANDATE,
    OFFICE,
    POWER,
    TERMS,
    build_entry,
    build_office,
    check,
    record,
    succeed_args,
)

OTHER = uid_of(6100)
SUCCESSION = uid_of(6200)


def refuse(ledger: Ledger, *entries: tuple[Any, ...], sender: Address = bureau) -> str | None:
    return ledger.refuse(sender, "mandates", "record", [list(entries), ledger.now])


def end(ledger: Ledger, uid: bytes, reason: int = Reason.HOLDER) -> None:
    ledger.do(bureau, "mandates", "end", [uid, int(reason), ledger.now])


def test_mandates_are_recorded_several_at_once(ledger: Ledger) -> None:
    entries = [
        build_office(),
        build_entry(OTHER),
        build_entry(uid_of(6101), kind=GUARDIANSHIP, limit=0),
    ]
    events = ledger.do(bureau, "mandates", "record", [entries, ledger.now])
    assert [event.event for event in events] == ["MandateRecorded"] * 3
    assert [event.args["sequence"] for event in events] == [1, 2, 3]
    assert [event.args["board"] for event in events] == [1, 0, 0]
    mandate = ledger.read("mandates", "mandate", MANDATE)
    assert (mandate["agency"], mandate["state"]) == (BUREAU, RecordState.ACTIVE)
    assert mandate["terms"]["scope"] == 0b0011
    assert ledger.read("mandates", "body", BODY)["keeper"] == BUREAU
    for uid in (MANDATE, OTHER, uid_of(6101)):
        assert check(ledger, uid) is None


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (build_entry(NOTHING), "mandate: uid missing"),
        (build_entry(kind=0), "mandate: unknown kind"),
        (build_entry(kind=4), "mandate: unknown kind"),
        (build_entry(grantor=NOTHING), "mandate: grantor missing"),
        (build_entry(grantee=NOTHING), "mandate: grantee missing"),
        (build_entry(scope=0), "mandate: scope missing"),
        (build_entry(scope_list_hash=NOTHING), "mandate: list of acts missing"),
        (build_entry(record=NOTHING), "mandate: record missing"),
        (build_entry(valid_from=9, valid_until=9), "mandate: ends before it begins"),
        (build_entry(valid_from=2**48), "mandate: begins too late"),
        (build_entry(valid_until=2**48), "mandate: ends too late"),
        (build_entry(kind=OFFICE), "mandate: body missing"),
        (build_office(may_delegate=True), "mandate: only powers are handed on"),
        (build_entry(kind=GUARDIANSHIP, may_delegate=True), "mandate: only powers are handed on"),
        (build_entry(kind=GUARDIANSHIP, parent=OTHER), "mandate: only powers are handed on"),
        (build_entry(parent=OTHER), "mandate: unknown"),
    ],
)
def test_mandate_is_refused_and_with_it_all_others(
    ledger: Ledger, entry: tuple[Any, ...], reason: str
) -> None:
    assert refuse(ledger, build_entry(uid_of(6102)), entry) == reason
    assert ledger.read("mandates", "count", BUREAU) == 0
    assert refuse(ledger) == "mandate: nothing to record"


@pytest.mark.parametrize(
    "entry",
    [
        build_entry(
            kind=POWER,
            limit=2**256 - 1,
            scope=2**256 - 1,
            valid_from=2**48 - 2,
            valid_until=2**48 - 1,
            may_delegate=True,
        ),
        build_office(limit=0, valid_from=1),
        build_entry(kind=GUARDIANSHIP, valid_until=2**48 - 1),
    ],
)
def test_mandate_is_read_as_it_was_recorded(ledger: Ledger, entry: tuple[Any, ...]) -> None:
    """Small numbers share words of storage: each comes back whole, to its last bit."""
    ledger.state.block_number = 2**40
    record(ledger, entry)
    expected = {
        "agency": BUREAU,
        "terms": dict(zip(TERMS, entry[1], strict=True)),
        "board": int(entry[1][0] == OFFICE),
        "state": RecordState.ACTIVE,
        "reason": 0,
        "event_time": ledger.now,
        "block_number": 2**40,
        "state_block": 2**40,
    }
    assert ledger.read("mandates", "mandate", MANDATE) == expected
    ledger.pass_time()
    end(ledger, MANDATE, Reason.SECURITY)
    changed = {
        "state": RecordState.REVOKED,
        "reason": Reason.SECURITY,
        "state_block": 2**40 + 1,
    }
    assert ledger.read("mandates", "mandate", MANDATE) == expected | changed
    assert not any(ledger.read("mandates", "mandate", OTHER)["terms"]["grantee"])


def test_mandate_uid_is_used_once(ledger: Ledger) -> None:
    assert refuse(ledger, build_entry(), build_entry()) == "mandate: uid already used"
    record(ledger, build_entry())
    assert refuse(ledger, build_entry(), sender=commission) == "mandate: uid already used"


def test_mandate_covers_its_scope_limit_and_term(ledger: Ledger) -> None:
    record(ledger, build_entry(valid_from=ledger.now + 10, valid_until=ledger.now + 20))
    assert check(ledger) == "mandate: not live yet"
    ledger.pass_time(10)
    assert check(ledger, scope=0b0011, amount=500) is None
    assert check(ledger, scope=0b0100) == "mandate: out of scope"
    assert check(ledger, scope=0b0111) == "mandate: out of scope"
    assert check(ledger, scope=0) == "mandate: out of scope"
    assert check(ledger, amount=501) == "mandate: over the limit"
    assert check(ledger, OTHER) == "mandate: unknown"
    ledger.pass_time(10)
    assert check(ledger) == "mandate: expired"


def test_mandate_is_ended_by_the_agency_that_recorded_it(ledger: Ledger) -> None:
    record(ledger, build_entry())
    now = ledger.now
    for sender, args, reason in (
        (commission, [MANDATE, 1, now], "mandate: not yours"),
        (bureau, [OTHER, 1, now], "mandate: unknown"),
        (bureau, [MANDATE, 0, now], "mandate: reason missing"),
        (bureau, [MANDATE, 6, now], "mandate: unknown reason"),
    ):
        assert ledger.refuse(sender, "mandates", "end", args) == reason
    end(ledger, MANDATE)
    assert check(ledger) == "mandate: ended"
    assert ledger.refuse(bureau, "mandates", "end", [MANDATE, 1, now]) == "mandate: ended"


# ------------------------------------------------------------------ handing on


def test_power_is_not_handed_on_unless_it_says_so(ledger: Ledger) -> None:
    record(ledger, build_entry())
    assert refuse(ledger, build_entry(OTHER, parent=MANDATE)) == "delegation: not allowed"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"scope": 0b0111}, "delegation: out of scope"),
        ({"scope_list_hash": uid_of(5)}, "delegation: another list of acts"),
        ({"limit": 501}, "delegation: over the limit"),
        ({"limit": 0}, "delegation: over the limit"),
        ({"valid_until": 2**40 + 1}, "delegation: beyond the term"),
        ({"valid_until": 0}, "delegation: beyond the term"),
        ({"body": BODY}, "delegation: for another body"),
    ],
)
def test_delegation_has_no_more_than_its_power(
    ledger: Ledger, changes: dict[str, Any], reason: str
) -> None:
    record(ledger, build_entry(may_delegate=True, valid_until=2**40))
    fields = {"parent": MANDATE, "valid_until": 2**40, "limit": 100}
    record(ledger, build_entry(uid_of(6103), **fields))
    assert refuse(ledger, build_entry(OTHER, **(fields | changes))) == reason


def test_delegation_ends_with_its_power(ledger: Ledger) -> None:
    record(ledger, build_entry(may_delegate=True))
    record(ledger, build_entry(OTHER, parent=MANDATE, scope=1, limit=10))
    assert check(ledger, OTHER, amount=10) is None
    assert check(ledger, OTHER, amount=11) == "mandate: over the limit"
    end(ledger, MANDATE)
    assert check(ledger, OTHER) == "mandate: ended"
    assert refuse(ledger, build_entry(uid_of(6103), parent=MANDATE)) == "mandate: ended"


def test_delegation_goes_three_steps_at_most(ledger: Ledger) -> None:
    parent = NOTHING
    for step in range(4):
        uid = uid_of(6110 + step)
        record(ledger, build_entry(uid, parent=parent, may_delegate=True))
        parent = uid
    assert refuse(ledger, build_entry(parent=parent)) == "delegation: handed on too often"
    assert check(ledger, parent) is None
    end(ledger, uid_of(6110))
    assert check(ledger, parent) == "mandate: ended"


# ------------------------------------------------------------------ succession


def test_succession_ends_offices_and_keeps_powers(ledger: Ledger) -> None:
    survivor, listed = uid_of(6120), uid_of(6121)
    record(
        ledger,
        build_office(),
        build_office(OTHER),
        build_entry(survivor, body=BODY),
        build_entry(listed, body=BODY),
    )
    args = succeed_args(ledger, SUCCESSION, ended=[listed])
    events = ledger.do(bureau, "mandates", "succeed", args)
    assert [event.event for event in events] == [
        "BoardSucceeded",
        "MandateEnded",
        "MandateRecorded",
    ]
    successor = uid_of(6700)
    for at, old, new in ((0, None, "mandate: not live yet"), (100, "mandate: office ended", None)):
        ledger.pass_time(at or 1)
        assert check(ledger, MANDATE) == check(ledger, OTHER) == old
        assert check(ledger, successor) == new
        assert check(ledger, survivor) is None
        assert check(ledger, listed) == "mandate: ended"
    assert ledger.read("mandates", "body", BODY)["board"] == 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"body": OTHER}, "succession: unknown body"),
        ({"effective": 0}, "succession: before the last one"),
        ({"effective": 2**50}, "succession: too late"),
        ({"resolution": NOTHING}, "succession: resolution missing"),
        ({"entries": []}, "succession: nobody installed"),
        ({"entries": [build_entry(OTHER)]}, "succession: only offices are installed"),
        ({"entries": [build_office(OTHER, body=OTHER)]}, "succession: of another body"),
        ({"entries": [build_office(OTHER)]}, "succession: in office too early"),
        ({"ended": [MANDATE]}, "succession: only powers are listed"),
        ({"ended": [uid_of(6121)]}, "succession: of another body"),
    ],
)
def test_succession_is_refused(ledger: Ledger, changes: dict[str, Any], reason: str) -> None:
    record(ledger, build_office(), build_entry(uid_of(6121)))
    args = succeed_args(ledger, SUCCESSION, **changes)
    assert ledger.refuse(bureau, "mandates", "succeed", args) == reason
    zero = succeed_args(ledger, NOTHING)
    assert ledger.refuse(bureau, "mandates", "succeed", zero) == "succession: uid missing"
    assert check(ledger) is None


def test_body_is_kept_by_one_agency(ledger: Ledger) -> None:
    record(ledger, build_office())
    assert refuse(ledger, build_office(OTHER), sender=commission) == (
        "mandate: another agency keeps the body"
    )
    args = succeed_args(ledger, SUCCESSION)
    assert ledger.refuse(commission, "mandates", "succeed", args) == "succession: not yours"
    ledger.do(bureau, "mandates", "succeed", args)
    assert ledger.refuse(bureau, "mandates", "succeed", args) == "succession: uid already used"
    earlier = succeed_args(ledger, uid_of(6201), effective=ledger.now + 100)
    assert ledger.refuse(bureau, "mandates", "succeed", earlier) == (
        "succession: before the last one"
    )


@pytest.mark.parametrize(
    ("sender", "reason"),
    [(auditor, "key: role missing"), (clerk, "key: role missing"), (stranger, "key: unknown")],
)
def test_mandates_need_the_role(ledger: Ledger, sender: Address, reason: str) -> None:
    record(ledger, build_office())
    assert refuse(ledger, build_entry(OTHER), sender=sender) == reason
    for function, args in (
        ("end", [MANDATE, 1, ledger.now]),
        ("succeed", succeed_args(ledger, SUCCESSION)),
    ):
        assert ledger.refuse(sender, "mandates", function, args) == reason


# ------------------------------------------------------------------ histories

POWERS = [uid_of(7000 + number) for number in range(4)]


class MandateHistories(RuleBasedStateMachine):
    """Boards and powers beside a model: an ended mandate authorises nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.model = HeadModel(ledger=self.ledger, contract="mandates")
        self.boards: list[tuple[Any, int]] = []
        self.parents: dict[bytes, bytes] = {}
        self.ended: set[bytes] = set()

    @initialize()
    def begin(self) -> None:
        record(self.ledger, build_office())
        self.boards.append((MANDATE, 0))
        self.enter(RecordKind.MANDATE, MANDATE, RecordState.ACTIVE)

    @rule(seconds=st.integers(1, 60))
    def pass_time(self, seconds: int) -> None:
        self.ledger.pass_time(seconds)

    @rule(uid=st.sampled_from(POWERS), parent=st.sampled_from([NOTHING, *POWERS]))
    def grant(self, uid: Any, parent: Any) -> None:
        may = uid not in self.parents and (parent == NOTHING or parent in self.parents)
        may = may and self.is_live(parent)
        entry = build_entry(uid, body=BODY, parent=parent, may_delegate=True)
        args = [[entry], self.ledger.now]
        assert self.ledger.send(bureau, "mandates", "record", args).succeeded == may
        if may:
            self.parents[uid] = parent
            self.enter(RecordKind.MANDATE, uid, RecordState.ACTIVE)

    @rule(sender=st.sampled_from([bureau, laboratory]), uid=st.sampled_from(POWERS))
    def end(self, sender: Address, uid: Any) -> None:
        may = sender == bureau and uid in self.parents and uid not in self.ended
        args = [uid, 1, self.ledger.now]
        assert self.ledger.send(sender, "mandates", "end", args).succeeded == may
        if may:
            self.ended.add(uid)
            self.enter(RecordKind.MANDATE, uid, RecordState.REVOKED)

    @rule(delay=st.integers(-50, 80))
    def succeed(self, delay: int) -> None:
        number = len(self.boards)
        effective = self.ledger.now + delay
        may = effective > self.boards[-1][1]
        uid = uid_of(8000 + number)
        args = succeed_args(self.ledger, uid, effective=effective)
        assert self.ledger.send(bureau, "mandates", "succeed", args).succeeded == may
        if may:
            office = uid_of(8500 + number)
            self.boards.append((office, effective))
            self.enter(RecordKind.SUCCESSION, uid, RecordState.ACTIVE)
            self.enter(RecordKind.MANDATE, office, RecordState.ACTIVE)

    def enter(self, kind: RecordKind, uid: bytes, state: int) -> None:
        self.model.advance(BUREAU, kind, uid, state)

    def is_live(self, uid: bytes) -> bool:
        """Neither the power nor any that it was handed on from has ended."""
        at = uid
        while at != NOTHING:
            if at in self.ended:
                return False
            at = self.parents[at]
        return True

    @invariant()
    def ended_mandates_authorise_nothing(self) -> None:
        now = self.ledger.now
        for place, (office, effective) in enumerate(self.boards):
            ends = self.boards[place + 1][1] if place + 1 < len(self.boards) else now + 1
            assert (check(self.ledger, office) is None) == (effective <= now < ends)
        for uid in self.parents:
            assert (check(self.ledger, uid) is None) == self.is_live(uid)  # type: ignore[arg-type]
        self.model.check([BUREAU, LABORATORY])


TestMandateHistories = MandateHistories.TestCase
TestMandateHistories.settings = settings(max_examples=4, stateful_step_count=30, deadline=None)

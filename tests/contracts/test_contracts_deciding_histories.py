"""Long random histories of proposals that wait and agencies that pause, beside a model of them.

The model says in plain Python which act is allowed and where each proposal stands. After every step
the registry is compared with it: nothing is carried out before its time or without its majority,
a paused agency writes nothing and still votes, and supervisors never pause half of a side.
"""

from dataclasses import dataclass, field
from typing import Any

from eth_typing import Address, Hash32
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.codes import ProposalStatus, Role
from contracts.decisions import DecisionKind
from tests.contracts.contract_harness import (
    ACCOUNTS,
    AUDITOR,
    BUREAU,
    COMMISSION,
    LABORATORY,
    auditor,
    uid_of,
)
from tests.contracts.timelock_harness import build_ledger

DAY = 86_400
DELAYS = {DecisionKind.SET_PROFILE: 3 * DAY, DecisionKind.SUSPEND_AGENCY: DAY}
DELAYS[DecisionKind.REINSTATE_AGENCY] = 3 * DAY
CARRY_OUT_WITHIN_S = MONTH = 30 * DAY
SIDES: tuple[tuple[Hash32, ...], ...] = ((LABORATORY, BUREAU, AUDITOR), (COMMISSION,))
AGENCIES = st.sampled_from([*ACCOUNTS])
TARGETS = st.sampled_from([LABORATORY, COMMISSION])
PLACES = st.integers(0, 2)
EVER = 2**48 - 1


@dataclass(slots=True)
class Proposal:
    """A proposal as the model sees it."""

    kind: DecisionKind
    args: list[Any]
    expires: int
    status: ProposalStatus = ProposalStatus.OPEN
    ready: int = 0
    approvals: set[Hash32] = field(default_factory=set)
    rejections: set[Hash32] = field(default_factory=set)


class DecidingHistories(RuleBasedStateMachine):
    """The registry beside a model of deciding and pausing."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = build_ledger(urgent_delay_s=DAY, ordinary_delay_s=3 * DAY)
        self.proposals: list[Proposal] = []
        self.suspended: set[Hash32] = set()
        self.profiles: dict[Hash32, Hash32] = {}
        self.own_pauses: dict[Hash32, int] = {}
        self.pauses: dict[Hash32, int] = {}
        self.rests: dict[Hash32, int] = {}

    # ------------------------------------------------------------ steps

    @rule(seconds=st.sampled_from([1, 3600, DAY, 3 * DAY, 20 * DAY]))
    def pass_time(self, seconds: int) -> None:
        self.ledger.pass_time(seconds)

    @initialize(subject=TARGETS, days=st.lists(st.integers(2, 30), min_size=3, max_size=3))
    def propose(self, subject: Hash32, days: list[int]) -> None:
        for (kind, _), lasts in zip(DELAYS.items(), days, strict=True):
            args = [subject] if kind != DecisionKind.SET_PROFILE else [subject, uid_of(9)]
            self.ledger.propose(auditor, kind, args, lasts_s=lasts * DAY)
            self.proposals.append(Proposal(kind=kind, args=args, expires=self.now + lasts * DAY))

    @rule(agency=AGENCIES, place=PLACES, approve=st.sampled_from([True] * 4 + [False]))
    def vote(self, agency: Hash32, place: int, approve: bool) -> None:
        proposal = self.proposals[place]
        chosen, other = proposal.approvals, proposal.rejections
        if not approve:
            chosen, other = other, chosen
        status = self.get_status(proposal)
        may = (
            agency not in self.suspended
            and status in {ProposalStatus.OPEN, ProposalStatus.PASSED}
            and agency not in chosen
        )
        self.expect(may, ACCOUNTS[agency], "vote", place + 1, approve)
        if not may:
            return
        chosen.add(agency)
        other.discard(agency)
        if status == ProposalStatus.PASSED and not self.has_majority(proposal):
            proposal.status, proposal.ready = ProposalStatus.OPEN, 0
        elif status == ProposalStatus.OPEN and approve and self.has_majority(proposal):
            self.pass_proposal(proposal)

    @rule(place=PLACES, seconds=st.sampled_from([0, DAY, 3 * DAY]))
    def agree(self, place: int, seconds: int) -> None:
        """All vote for it, and somebody asks for it a while later."""
        for agency in ACCOUNTS:
            if agency not in self.proposals[place].approvals:
                self.vote(agency, place, approve=True)
        self.ledger.pass_time(seconds)
        self.carry_out(AUDITOR, place)

    @rule(agency=AGENCIES, place=PLACES)
    def carry_out(self, agency: Hash32, place: int) -> None:
        proposal = self.proposals[place]
        status = self.get_status(proposal)
        may = agency not in self.suspended and self.has_majority(proposal)
        if status == ProposalStatus.PASSED:
            may = may and self.now >= proposal.ready and self.is_possible(proposal)
        elif status != ProposalStatus.OPEN:
            may = False
        self.expect(may, ACCOUNTS[agency], "carry_out", place + 1)
        if may and status == ProposalStatus.OPEN:
            self.pass_proposal(proposal)
        elif may:
            proposal.status = ProposalStatus.EXECUTED
            self.execute(proposal)

    @rule(agency=AGENCIES, days=st.integers(0, 40), by_supervisor=st.booleans())
    def pause(self, agency: Hash32, days: int, by_supervisor: bool) -> None:
        until = self.now + days * DAY if days else 0
        if not by_supervisor:
            may = agency not in self.suspended
            self.expect(may, ACCOUNTS[agency], "pause_own", until)
            if may:
                self.own_pauses[agency] = until or EVER
            return
        may = self.may_pause(agency, until)
        self.expect(may, auditor, "pause_agency", agency, until, uid_of(1))
        if may:
            self.pauses[agency] = until
            self.rests[agency] = until + MONTH

    @rule(agency=AGENCIES, by_supervisor=st.booleans())
    def resume(self, agency: Hash32, by_supervisor: bool) -> None:
        if not by_supervisor:
            may = agency not in self.suspended and self.own_pauses.get(agency, 0) > self.now
            self.expect(may, ACCOUNTS[agency], "resume_own")
            if may:
                del self.own_pauses[agency]
            return
        may = not self.is_paused(AUDITOR) and agency in self.list_paused()
        self.expect(may, auditor, "lift_pause", agency)
        if may:
            self.pauses[agency] = self.now
            self.rests[agency] = self.now + MONTH

    # ------------------------------------------------------------ what holds after each step

    @invariant()
    def proposals_stand_where_the_model_says(self) -> None:
        for number, proposal in enumerate(self.proposals, start=1):
            found = self.ledger.registry("proposal", number)
            assert found["status"] == self.get_status(proposal)
            assert found["ready"] == proposal.ready
            assert self.ledger.registry("is_passing", number) == self.has_majority(proposal)
            rehearsed = self.ledger.registry("dry_run_proposal", number)
            assert rehearsed["is_possible"] == self.is_possible(proposal)

    @invariant()
    def only_what_was_decided_has_happened(self) -> None:
        for agency in ACCOUNTS:
            assert self.ledger.registry("is_active", agency) == (agency not in self.suspended)
            recorded = self.ledger.registry("agency", agency)["profile_hash"]
            assert recorded == self.profiles.get(agency, uid_of(0))

    @invariant()
    def paused_agencies_only_rule_their_house_and_vote(self) -> None:
        for agency, account in ACCOUNTS.items():
            is_paused = self.is_paused(agency)
            assert self.ledger.registry("is_paused", agency) == is_paused
            is_active = agency not in self.suspended
            writes = Role.SUPERVISE if agency == AUDITOR else Role.ISSUE
            may_write = self.ledger.registry("is_authorised", account, int(writes))
            assert may_write == (is_active and not is_paused)
            may_vote = self.ledger.registry("is_authorised", account, int(Role.GOVERN))
            assert may_vote == is_active

    @invariant()
    def validators_are_untouched_by_pauses(self) -> None:
        expected = 4 - len(self.suspended)
        ever = {p.args[0] for p in self.proposals if p.kind == DecisionKind.SUSPEND_AGENCY}
        assert expected - len(ever) <= len(self.ledger.registry("getValidators")) <= 4

    # ------------------------------------------------------------ the model

    @property
    def now(self) -> int:
        return self.ledger.now

    def get_status(self, proposal: Proposal) -> ProposalStatus:
        if proposal.status == ProposalStatus.OPEN and self.now >= proposal.expires:
            return ProposalStatus.EXPIRED
        is_late = self.now >= proposal.ready + CARRY_OUT_WITHIN_S
        if proposal.status == ProposalStatus.PASSED and is_late:
            return ProposalStatus.EXPIRED
        return proposal.status

    def get_active(self, agencies: tuple[Hash32, ...]) -> set[Hash32]:
        return {*agencies} - self.suspended

    def has_majority(self, proposal: Proposal) -> bool:
        groups = [self.get_active(group) for group in (sum(SIDES, ()), *SIDES)]
        return all(len(proposal.approvals & group) * 2 > len(group) for group in groups if group)

    def pass_proposal(self, proposal: Proposal) -> None:
        proposal.status = ProposalStatus.PASSED
        proposal.ready = self.now + DELAYS[proposal.kind]

    def is_possible(self, proposal: Proposal) -> bool:
        target = proposal.args[0]
        if proposal.kind == DecisionKind.SET_PROFILE:
            return bool(self.profiles.get(target) != proposal.args[1])
        return (target in self.suspended) == (proposal.kind == DecisionKind.REINSTATE_AGENCY)

    def execute(self, proposal: Proposal) -> None:
        target = proposal.args[0]
        if proposal.kind == DecisionKind.SET_PROFILE:
            self.profiles[target] = proposal.args[1]
        elif proposal.kind == DecisionKind.SUSPEND_AGENCY:
            self.suspended.add(target)
        else:
            self.suspended.discard(target)

    def may_pause(self, agency: Hash32, until: int) -> bool:
        paused = {*self.list_paused(), agency}
        return (
            not self.is_paused(AUDITOR)
            and agency in {LABORATORY, BUREAU}
            and agency not in self.suspended
            and self.now < until <= self.now + MONTH
            and self.now >= self.rests.get(agency, 0)
            and all(
                len(side - paused) * 2 > len(side)
                for side in (self.get_active(SIDES[0]), self.get_active(sum(SIDES, ())))
            )
        )

    def list_paused(self) -> set[Hash32]:
        return {agency for agency, until in self.pauses.items() if until > self.now}

    def is_paused(self, agency: Hash32) -> bool:
        return agency in self.list_paused() or self.own_pauses.get(agency, 0) > self.now

    def expect(self, may: bool, sender: Address, function: str, *args: Any) -> None:
        outcome = self.ledger.send(sender, "agency_registry", function, args)
        assert outcome.succeeded == may, f"{function}: {outcome.reason}"


DecidingHistories.TestCase.settings = settings(
    max_examples=4, stateful_step_count=30, deadline=None
)
TestDecidingHistories = DecidingHistories.TestCase

"""Long random histories of all contracts together, and what must hold after every step.

A model in plain Python says what each call should do. After each step the contracts are compared
with it: heads and counts agree with the events, only issuers have changed states, the validator set
is usable, votes count as the rule says.
"""

from collections.abc import Iterable
from typing import Any

from eth_abi.abi import encode
from eth_typing import Address
from eth_utils.crypto import keccak
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.codec import DecodedLog
from contracts.codes import AgencyStatus, ProposalStatus, RecordKind, RecordState
from contracts.decisions import DecisionKind, encode_payload
from contracts.testkeys import get_address
from tests.contracts.contract_harness import (
    AUDITOR,
    BUREAU,
    COMMISSION,
    LABORATORY,
    NOTHING,
    Ledger,
    attest_args,
    auditor,
    bureau,
    clerk,
    commission,
    decode_events,
    laboratory,
    stranger,
    uid_of,
)

AGENCIES = {
    laboratory: LABORATORY,
    clerk: LABORATORY,
    bureau: BUREAU,
    commission: COMMISSION,
    auditor: AUDITOR,
}
SIDES: tuple[tuple[bytes, ...], ...] = ((LABORATORY, BUREAU, AUDITOR), (COMMISSION,))
SCHEMAS = [uid_of(n) for n in (1, 2)]
RECORDS = [uid_of(n) for n in range(100, 105)]
SENDERS = st.sampled_from([laboratory, clerk, bureau, commission, auditor, stranger])
ISSUERS = st.sampled_from([laboratory, clerk, bureau, commission])
STATES = st.sampled_from([int(state) for state in RecordState])


class LedgerHistories(RuleBasedStateMachine):
    """The contracts beside a model of them."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.heads: dict[tuple[str, bytes], bytes] = {}
        self.counts: dict[tuple[str, bytes], int] = {}
        self.issuers: dict[bytes, bytes] = {}
        self.states: dict[bytes, int] = {}
        self.leaves: dict[int, int] = {}
        self.approvals: dict[int, set[bytes]] = {}
        self.suspended: set[bytes] = set()
        self.set_number = 1

    @initialize()
    def begin(self) -> None:
        for schema in SCHEMAS:
            self.run(
                bureau,
                "schemas",
                "register",
                [schema, uid_of(5), uid_of(6), 3, self.ledger.now, NOTHING],
            )
        for agency in (LABORATORY, BUREAU, COMMISSION):
            self.run(bureau, "schemas", "accredit", [SCHEMAS[0], agency, self.ledger.now])
        self.attest(laboratory, RECORDS[0], SCHEMAS[0], NOTHING)
        self.attest_batch(commission, 3)

    # ------------------------------------------------------------ steps

    @rule(seconds=st.integers(min_value=1, max_value=900))
    def pass_time(self, seconds: int) -> None:
        self.ledger.pass_time(seconds)

    @rule(
        sender=SENDERS,
        uid=st.sampled_from(RECORDS),
        schema=st.sampled_from(SCHEMAS),
        previous=st.sampled_from([NOTHING, NOTHING, *RECORDS]),
    )
    def attest(self, sender: Address, uid: bytes, schema: bytes, previous: bytes) -> None:
        agency = AGENCIES.get(sender)
        may = (
            self.is_active(agency)
            and agency != AUDITOR
            and uid not in self.states
            and self.ledger.read("schemas", "is_accredited", schema, agency)
            and (
                previous == NOTHING
                or (
                    self.issuers.get(previous) == agency
                    and previous not in self.leaf_batches
                    and self.states[previous] in {RecordState.ACTIVE, RecordState.SUSPENDED}
                )
            )
        )
        args = attest_args(self.ledger, uid, schema, previous=previous)  # type: ignore[arg-type]
        self.expect(may, sender, "attestations", "attest", args)
        if may:
            assert agency is not None
            self.issuers[uid] = agency
            self.states[uid] = RecordState.ACTIVE
            if previous != NOTHING:
                self.states[previous] = RecordState.SUPERSEDED

    @rule(issuer=ISSUERS, count=st.integers(min_value=1, max_value=4))
    def attest_batch(self, issuer: Address, count: int) -> None:
        agency = AGENCIES[issuer]
        uid = uid_of(200 + len(self.leaf_batches))
        may = self.is_active(agency) and self.ledger.read(
            "schemas", "is_accredited", SCHEMAS[0], agency
        )
        args = [uid, SCHEMAS[0], uid_of(9), count, 1, self.ledger.now]
        self.expect(may, issuer, "attestations", "attest_batch", args)
        if may:
            self.issuers[uid] = agency
            self.states[uid] = RecordState.ACTIVE

    @rule(sender=SENDERS, uid=st.sampled_from([*RECORDS, uid_of(200), uid_of(201)]), state=STATES)
    def set_state(self, sender: Address, uid: bytes, state: int) -> None:
        agency = AGENCIES.get(sender)
        may = (
            self.is_active(agency)
            and agency != AUDITOR
            and self.issuers.get(uid) == agency
            and is_allowed(self.states[uid], state)
        )
        args = [uid, state, 1, self.ledger.now]
        self.expect(may, sender, "attestations", "set_state", args)
        if may:
            self.states[uid] = state

    @rule(sender=SENDERS, index=st.integers(min_value=0, max_value=4), state=STATES)
    def set_leaf_state(self, sender: Address, index: int, state: int) -> None:
        batch = uid_of(200)
        agency = AGENCIES.get(sender)
        may = (
            self.is_active(agency)
            and agency != AUDITOR
            and self.issuers.get(batch) == agency
            and index < self.ledger.read("attestations", "batch", batch)["count"]
            and is_allowed(self.leaves.get(index, RecordState.ACTIVE), state)
        )
        args = [batch, index, state, 2, self.ledger.now]
        self.expect(may, sender, "attestations", "set_leaf_state", args)
        if may:
            self.leaves[index] = state

    @rule(sender=SENDERS, uid=st.sampled_from([RECORDS[0], uid_of(200)]))
    def change_what_is_anothers(self, sender: Address, uid: bytes) -> None:
        """A change that its issuer could make; chance alone tries too few of them."""
        if self.issuers[uid] != AGENCIES.get(sender):
            state = 1 if self.states[uid] == RecordState.SUSPENDED else 2
            self.set_state(sender, uid, state)
            self.set_leaf_state(sender, 0, 1 if self.leaves.get(0) == RecordState.SUSPENDED else 2)

    @rule(schema=st.sampled_from(SCHEMAS), agency=st.sampled_from([LABORATORY, COMMISSION]))
    def turn_accreditation(self, schema: bytes, agency: bytes) -> None:
        is_given = self.ledger.read("schemas", "is_accredited", schema, agency)
        may = self.is_active(BUREAU) and (is_given or self.is_active(agency))
        now = self.ledger.now
        if is_given:
            args = [schema, agency, 1, now]
            self.expect(may, bureau, "schemas", "withdraw_accreditation", args)
        else:
            self.expect(may, bureau, "schemas", "accredit", [schema, agency, now])

    @rule(
        sender=SENDERS,
        choice=st.sampled_from(
            [
                (DecisionKind.SUSPEND_AGENCY, [LABORATORY]),
                (DecisionKind.REINSTATE_AGENCY, [LABORATORY]),
                (DecisionKind.SUSPEND_AGENCY, [COMMISSION]),
                (DecisionKind.REINSTATE_AGENCY, [COMMISSION]),
                (DecisionKind.ADD_VALIDATOR, [BUREAU, Address(b"\x21" * 20)]),
                (DecisionKind.REMOVE_VALIDATOR, [Address(b"\x21" * 20)]),
                (DecisionKind.REMOVE_VALIDATOR, [get_address(1, "validator")]),
                (DecisionKind.REMOVE_VALIDATOR, [get_address(3, "validator")]),
                (DecisionKind.SET_PROFILE, [BUREAU, uid_of(4)]),
            ]
        ),
    )
    def propose(self, sender: Address, choice: tuple[DecisionKind, list[Any]]) -> None:
        kind, args = choice
        may = self.may_govern(sender)
        payload = encode_payload(kind, args)
        call = [int(kind), payload, NOTHING, self.ledger.now + 1800]
        events = self.expect(may, sender, "agency_registry", "propose", call)
        if may:
            self.approvals[int(events[0].args["proposal"])] = set()

    @rule(sender=SENDERS, pick=st.integers(min_value=0, max_value=30), approve=st.booleans())
    def vote(self, sender: Address, pick: int, approve: bool) -> None:
        self.cast(sender, pick, approve=approve)

    @rule(pick=st.integers(min_value=0, max_value=30))
    def vote_together(self, pick: int) -> None:
        """All agencies approve one proposal; without it few random histories decide anything."""
        for sender in (laboratory, bureau, commission, auditor):
            self.cast(sender, pick, approve=True)

    def cast(self, sender: Address, pick: int, *, approve: bool) -> None:
        if not self.approvals:
            return
        proposal = sorted(self.approvals)[-1 - pick % min(len(self.approvals), 4)]
        before = self.ledger.registry("proposal", proposal)["status"]
        may = self.may_govern(sender) and before == ProposalStatus.OPEN
        active = {bytes(agency) for agency in AGENCIES.values()} - self.suspended
        outcome = self.ledger.send(sender, "agency_registry", "vote", [proposal, approve])
        events = self.follow(decode_events(outcome))
        if not may:
            assert not outcome.succeeded
            return
        agency = AGENCIES[sender]
        had_voted = agency in self.approvals[proposal]
        is_executed = any(event.event == "ProposalExecuted" for event in events)
        if outcome.succeeded:
            if approve:
                assert not had_voted
                self.approvals[proposal].add(agency)
            else:
                self.approvals[proposal].discard(agency)
            # Judged by who was active before: this very vote may have suspended somebody.
            assert is_executed == (approve and has_threshold(self.approvals[proposal], active))

    # ------------------------------------------------------------ what must hold

    @invariant()
    def heads_and_counts_agree_with_the_events(self) -> None:
        for contract in ("attestations", "schemas"):
            for agency in (LABORATORY, BUREAU, COMMISSION, AUDITOR):
                place = (contract, agency)
                assert self.ledger.read(contract, "head", agency) == self.heads.get(place, NOTHING)
                assert self.ledger.read(contract, "count", agency) == self.counts.get(place, 0)

    @invariant()
    def records_are_as_their_issuers_left_them(self) -> None:
        for uid, state in self.states.items():
            function = "batch" if uid in self.leaf_batches else "attestation"
            record = self.ledger.read("attestations", function, uid)
            assert (record["issuer"], record["state"]) == (self.issuers[uid], state)
        batch = self.ledger.read("attestations", "batch", uid_of(200))
        for index in range(batch["count"]):
            own = self.leaves.get(index, RecordState.ACTIVE)
            leaf = self.ledger.read("attestations", "leaf_state", uid_of(200), index)
            assert leaf["state"] == max(own, batch["state"])

    @invariant()
    def validator_set_is_usable(self) -> None:
        validators = self.ledger.registry("getValidators")
        assert 1 <= len(validators) <= 64
        assert list(validators) == sorted(set(validators))
        assert self.ledger.registry("validator_set_hash") == keccak(b"".join(validators))
        assert self.ledger.registry("set_number") == self.set_number
        for validator in validators:
            owner = self.ledger.registry("validator_agency", validator)
            assert self.ledger.registry("is_active", owner)

    @invariant()
    def agencies_are_what_was_decided(self) -> None:
        for agency in (LABORATORY, BUREAU, COMMISSION, AUDITOR):
            status = self.ledger.registry("agency", agency)["status"]
            assert (status == AgencyStatus.SUSPENDED) == (agency in self.suspended)

    @invariant()
    def issuers_are_noted_as_they_are_accredited(self) -> None:
        for schema in SCHEMAS:
            for agency in (LABORATORY, BUREAU, COMMISSION, AUDITOR):
                assert self.ledger.read("attestations", "may_issue", schema, agency) == (
                    self.ledger.read("schemas", "may_issue", schema, agency)
                )

    # ------------------------------------------------------------ the model

    @property
    def leaf_batches(self) -> set[bytes]:
        return {uid for uid in self.states if int.from_bytes(uid, "big") >= 200}

    def is_active(self, agency: bytes | None) -> bool:
        return agency is not None and agency not in self.suspended

    def may_govern(self, sender: Address) -> bool:
        return sender not in {clerk, stranger} and self.is_active(AGENCIES[sender])

    def run(self, sender: Address, contract: str, function: str, args: list[Any]) -> None:
        self.follow(self.ledger.do(sender, contract, function, args))

    def expect(
        self, may: bool, sender: Address, contract: str, function: str, args: list[Any]
    ) -> list[DecodedLog]:
        outcome = self.ledger.send(sender, contract, function, args)
        assert outcome.succeeded == may, f"{contract}.{function}: {outcome.reason}"
        return self.follow(decode_events(outcome))

    def follow(self, events: Iterable[DecodedLog]) -> list[DecodedLog]:
        """Chain the heads from the events alone, as an auditor with a list of them would."""
        events = list(events)
        for event in events:
            if event.contract in {"attestations", "schemas"}:
                self.chain(event)
            elif event.event == "AgencySuspended":
                self.suspended.add(event.args["agency"])
            elif event.event == "AgencyReinstated":
                self.suspended.discard(event.args["agency"])
            elif event.event == "ValidatorSetChanged":
                self.set_number += 1
                assert event.args["set_number"] == self.set_number
        return events

    def chain(self, event: DecodedLog) -> None:
        args = event.args
        agency = args["issuer"] if event.contract == "attestations" else args["owner"]
        kind, uid, state = describe(event)
        place = (event.contract, agency)
        self.heads[place] = keccak(
            encode(
                ["bytes32", "uint256", "bytes32", "uint256", "uint256"],
                [
                    self.heads.get(place, NOTHING),
                    kind,
                    uid,
                    state,
                    self.ledger.state.block_number,
                ],
            )
        )
        self.counts[place] = self.counts.get(place, 0) + 1
        assert args["sequence"] == self.counts[place]


def describe(event: DecodedLog) -> tuple[int, bytes, int]:
    """Kind, uid and new state of an event, as they go into the head."""
    args = event.args
    active = RecordState.ACTIVE
    match event.event:
        case "Attested":
            return RecordKind.ATTESTATION, args["uid"], active
        case "BatchAttested":
            return RecordKind.BATCH, args["uid"], active
        case "StateChanged":
            return args["kind"], args["uid"], args["state"]
        case "LeafStateChanged":
            leaf = keccak(args["uid"] + args["index"].to_bytes(32, "big"))
            return RecordKind.LEAF, leaf, args["state"]
        case "SchemaRegistered":
            return RecordKind.SCHEMA, args["uid"], active
        case "SchemaStateChanged":
            return RecordKind.SCHEMA, args["uid"], args["state"]
        case "IssuerAccredited":
            return RecordKind.ACCREDITATION, keccak(args["schema"] + args["agency"]), active
        case "AccreditationWithdrawn":
            pair = keccak(args["schema"] + args["agency"])
            return RecordKind.ACCREDITATION, pair, RecordState.REVOKED
    raise AssertionError(event.event)


def is_allowed(before: int, after: int) -> bool:
    """The ways along which a state may change."""
    if before in {RecordState.ACTIVE, RecordState.SUSPENDED}:
        return after not in {before, RecordState.SUPERSEDED}
    return before != RecordState.ERASED and after == RecordState.ERASED


def has_threshold(approvals: set[bytes], active: set[bytes]) -> bool:
    """More than half of all active agencies, and of those of each side that has any."""
    groups: list[set[bytes]] = [active, *({*side} & active for side in SIDES)]
    return all(not group or len(approvals & group) * 2 > len(group) for group in groups)


TestLedgerHistories = LedgerHistories.TestCase
TestLedgerHistories.settings = settings(max_examples=4, stateful_step_count=40, deadline=None)

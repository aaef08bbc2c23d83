"""Long random histories of the ledger's law as a whole, beside a model in plain Python.

Bases, stops, datasets, consents, mandates and exchanges change under each other. After every step:
nothing was approved or released without a live basis; no quota is exceeded; only who entered a
record has changed its state; an ended mandate authorised nothing; nobody decided their own request;
heads and counts are those that the events give.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from eth_typing import Address, Hash32
from eth_utils.crypto import keccak
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.codes import ExchangeState, RecordState
from tests.contracts.consent_harness import record_args
from tests.contracts.contract_harness import (
    AUDITOR,
    BUREAU,
    COMMISSION,
    LABORATORY,
    NOTHING,
    auditor,
    bureau,
    commission,
    decode_events,
    laboratory,
    stranger,
    uid_of,
)
from tests.contracts.exchange_harness import (
    OFFICER,
    REQUEST,
    RESPONSE,
    build_ledger,
    build_links,
    request_args,
)
from tests.contracts.head_replay import HeadReplay
from tests.contracts.law_harness import CONDITIONAL, CONSENT_BASIS, ORDINARY, STATUTE_BASIS
from tests.contracts.law_models import Consent, Exchange
from tests.contracts.mandate_harness import build_entry

CONTRACTS = ("catalogue", "bases", "consents", "exchanges", "mandates")
PAIR = keccak(min(LABORATORY, BUREAU) + max(LABORATORY, BUREAU))
BASES = (STATUTE_BASIS, CONSENT_BASIS)
DATASETS = (ORDINARY, CONDITIONAL)
CONSENTS = [uid_of(7000 + number) for number in range(4)]
MANDATES = [uid_of(7100 + number) for number in range(3)]
MAX_EXCHANGES = 14
LIMIT = 500
OBSTACLES = ("basis", "dataset", "consent", "mandate", "stop", "term")
"""What may end between the request and the next act on it."""
CHANGES = {"bases": ("set_basis_state", auditor), "catalogue": ("set_dataset_state", bureau)}
"""How a state is changed, and by whom alone."""

ANYBODY = st.sampled_from([laboratory, bureau, commission, auditor, stranger])
PARTIES = st.sampled_from([bureau, bureau, bureau, laboratory, commission])
PLACES = st.integers(0, MAX_EXCHANGES - 1)
RARELY = st.integers(0, 5).map(lambda dice: dice == 5)
LASTING = st.integers(200, 4000)


class WholeLawHistories(RuleBasedStateMachine):
    """The contracts of the law beside a model of them."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = build_ledger()
        pair = keccak(LABORATORY + BUREAU)
        parties = (LABORATORY, BUREAU, COMMISSION, AUDITOR, pair)
        self.heads = {name: HeadReplay(self.ledger, name, parties) for name in CONTRACTS}
        self.states: dict[bytes, int] = dict.fromkeys([*BASES, *DATASETS], RecordState.ACTIVE)
        self.stopped: dict[bytes, int] = {}
        self.stops = 0
        self.consents: dict[bytes, Consent] = {}
        self.mandates: dict[bytes, int] = {}
        self.exchanges: dict[bytes, Exchange] = {}

    @initialize(lasts=LASTING)
    def begin(self, lasts: int) -> None:
        for uid, dataset in zip(CONSENTS, (*DATASETS, ORDINARY), strict=False):
            self.consent(uid, dataset, 2, 4000)
        for uid in MANDATES[:2]:
            self.grant(uid, lasts)
        for dataset, uid in zip(DATASETS, MANDATES, strict=False):
            self.request(dataset, NOTHING, uid, LIMIT)

    # ------------------------------------------------------------ the law itself

    @rule(seconds=st.integers(1, 300))
    def pass_time(self, seconds: int) -> None:
        self.ledger.pass_time(seconds)

    @rule(sender=ANYBODY, uid=st.sampled_from(BASES), state=st.sampled_from([1, 1, 1, 2, 1, 3]))
    def change_basis(self, sender: Address, uid: bytes, state: int) -> None:
        self.change(sender, "bases", uid, state)

    @rule(sender=ANYBODY, uid=st.sampled_from(DATASETS), state=st.sampled_from([1, 1, 2]))
    def change_dataset(self, sender: Address, uid: bytes, state: int) -> None:
        self.change(sender, "catalogue", uid, state)

    @rule(
        sender=ANYBODY,
        subject=st.sampled_from([*BASES, *DATASETS, PAIR]),
        lasts=st.integers(1, 300),
        is_done=RARELY,
    )
    def stop(self, sender: Address, subject: bytes, lasts: int, *, is_done: bool) -> None:
        if self.is_stopped(subject) or (sender == auditor and not is_done):
            return
        kind = 3 if subject in BASES else 1 if subject in DATASETS else 2
        self.stops += 1
        until = self.ledger.now + lasts
        args = [uid_of(7300 + self.stops), kind, subject, until, uid_of(1), self.ledger.now]
        if self.expect(sender == auditor, sender, "bases", "stop", args):
            self.stopped[subject] = until

    # ------------------------------------------------------------ consents and mandates

    @rule(
        uid=st.sampled_from(CONSENTS),
        dataset=st.sampled_from(DATASETS),
        quota=st.integers(0, 2),
        lasts=LASTING,
    )
    def consent(self, uid: Hash32, dataset: bytes, quota: int, lasts: int) -> None:
        until = self.ledger.now + lasts
        may = uid not in self.consents and self.states[dataset] == RecordState.ACTIVE
        args = record_args(
            self.ledger,
            uid,
            recipient=LABORATORY,
            dataset=dataset,
            quota=quota,
            valid_until=until,
        )
        if self.expect(may, bureau, "consents", "record", args):
            self.consents[uid] = Consent(dataset=dataset, quota=quota, until=until)

    @rule(sender=ANYBODY, uid=st.sampled_from(CONSENTS), is_done=RARELY)
    def withdraw(self, sender: Address, uid: bytes, *, is_done: bool) -> None:
        consent = self.consents.get(uid)
        is_party = sender in {laboratory, bureau}
        if is_party and not is_done:  # most consents shall live for a while
            return
        may = is_party and consent is not None and not consent.is_withdrawn
        now = self.ledger.now
        if self.expect(may, sender, "consents", "withdraw", [uid, uid_of(1), now, now]):
            assert consent is not None
            consent.is_withdrawn = True

    @rule(uid=st.sampled_from(MANDATES), lasts=LASTING)
    def grant(self, uid: Hash32, lasts: int) -> None:
        until = self.ledger.now + lasts
        entry = build_entry(uid, limit=LIMIT, valid_until=until)
        args = [[entry], self.ledger.now]
        if self.expect(uid not in self.mandates, bureau, "mandates", "record", args):
            self.mandates[uid] = until

    @rule(sender=ANYBODY, uid=st.sampled_from(MANDATES), is_done=RARELY)
    def end_mandate(self, sender: Address, uid: bytes, *, is_done: bool) -> None:
        if sender == bureau and not is_done:
            return
        may = sender == bureau and self.mandates.get(uid, 0) != 0
        args = [uid, 4, self.ledger.now]
        if self.expect(may, sender, "mandates", "end", args):
            self.mandates[uid] = 0

    # ------------------------------------------------------------ exchanges

    @rule(
        dataset=st.sampled_from(DATASETS),
        consent=st.sampled_from([NOTHING, *CONSENTS]),
        mandate=st.sampled_from([NOTHING, NOTHING, *MANDATES]),
        amount=st.sampled_from([LIMIT, LIMIT, LIMIT + 1]),
    )
    def request(self, dataset: bytes, consent: bytes, mandate: bytes, amount: int) -> None:
        if len(self.exchanges) == MAX_EXCHANGES:
            return
        uid = uid_of(7200 + len(self.exchanges))
        basis = CONSENT_BASIS if consent != NOTHING else STATUTE_BASIS
        asked = Exchange(
            dataset=dataset,
            basis=basis,
            consent=consent,
            mandate=mandate,
            amount=amount if mandate != NOTHING else 0,
            state=ExchangeState.REQUESTED,
        )
        used = {"mandate_scope": 1, "mandate_amount": amount} if mandate != NOTHING else {}
        args = request_args(
            self.ledger,
            uid,
            dataset=dataset,
            basis=basis,
            consent=consent,
            links=build_links(mandate=mandate, **used),
        )
        is_approved = dataset == ORDINARY
        may = self.is_covered(asked) and (not is_approved or self.has_quota(asked))
        if self.expect(may, laboratory, "exchanges", "request", args):
            self.exchanges[uid] = asked
            if is_approved:
                self.approve(uid)

    @rule(sender=PARTIES, place=PLACES, is_approval=st.sampled_from([True, True, False]))
    def decide(self, sender: Address, place: int, *, is_approval: bool) -> None:
        uid, exchange = self.pick(place)
        may = (
            sender == bureau
            and exchange is not None
            and exchange.state == ExchangeState.REQUESTED
            and (not is_approval or (self.is_covered(exchange) and self.has_quota(exchange)))
        )
        args = [uid, is_approval, 0 if is_approval else 3, OFFICER, self.ledger.now]
        if self.expect(may, sender, "exchanges", "decide", args):
            assert exchange is not None
            if is_approval:
                self.approve(uid)
            else:
                exchange.state = ExchangeState.REFUSED

    @rule(sender=PARTIES, place=PLACES)
    def release(self, sender: Address, place: int) -> None:
        uid, exchange = self.pick(place)
        may = (
            sender == bureau
            and exchange is not None
            and exchange.state in {ExchangeState.APPROVED, ExchangeState.RELEASED}
            and self.is_covered(exchange)
        )
        args = [uid, REQUEST, RESPONSE, self.ledger.now]
        if self.expect(may, sender, "exchanges", "release", args):
            assert exchange is not None
            exchange.state = ExchangeState.RELEASED
            if exchange.consent != NOTHING:
                self.consents[exchange.consent].held[uid] = "used"

    @rule(sender=PARTIES, place=PLACES)
    def void(self, sender: Address, place: int) -> None:
        uid, exchange = self.pick(place)
        may = (
            sender in {laboratory, bureau}
            and exchange is not None
            and exchange.state in {ExchangeState.APPROVED, ExchangeState.RELEASED}
            and sender not in exchange.voids
        )
        if self.expect(may, sender, "exchanges", "void_exchange", [uid, 1, self.ledger.now]):
            assert exchange is not None
            exchange.voids.add(sender)
            if len(exchange.voids) == 2:
                exchange.state = ExchangeState.VOID
                if exchange.consent != NOTHING:
                    del self.consents[exchange.consent].held[uid]

    @rule(place=PLACES)
    def void_together(self, place: int) -> None:
        for sender in (bureau, laboratory):
            self.void(sender, place)

    @rule(uid=st.sampled_from(CONSENTS), is_released=st.booleans())
    def exceed_the_quota(self, uid: bytes, *, is_released: bool) -> None:
        """Three exchanges in a row on a consent that bears two at most."""
        for _ in range(3 if uid in self.consents else 0):
            self.request(self.consents[uid].dataset, uid, NOTHING, LIMIT)
            self.decide(bureau, 0, is_approval=True)
            if is_released:
                self.release(bureau, 0)

    @rule(is_approval=st.booleans())
    def decide_what_another_must(self, *, is_approval: bool) -> None:
        """A request waits, and all but its provider decide it, its requester first."""
        _, latest = self.pick(0)
        if latest is None or latest.state != ExchangeState.REQUESTED:
            self.request(CONDITIONAL, NOTHING, NOTHING, LIMIT)
        for sender in (laboratory, commission):
            self.decide(sender, 0, is_approval=is_approval)

    @rule(place=PLACES, obstacle=st.sampled_from(OBSTACLES), is_release=st.booleans())
    def act_when_the_law_has_just_ended(
        self, place: int, obstacle: str, *, is_release: bool
    ) -> None:
        """What chance alone brings about too seldom: something ends, and the next act is tried."""
        if len(self.exchanges) < MAX_EXCHANGES:  # one that rests on what will end
            number = DATASETS.index(ORDINARY if is_release else CONDITIONAL)
            consent = CONSENTS[number] if obstacle == "consent" else NOTHING
            mandate = MANDATES[place % 2] if obstacle in {"mandate", "term"} else NOTHING
            self.request(DATASETS[number], consent, mandate, LIMIT)
            place = 0
        _, exchange = self.pick(place)
        if exchange is None:
            return
        change = {
            "basis": partial(self.change, auditor, "bases", exchange.basis),
            "dataset": partial(self.change, bureau, "catalogue", exchange.dataset),
        }
        if obstacle in change:
            change[obstacle](RecordState.SUSPENDED)
        elif obstacle == "consent":
            self.withdraw(bureau, exchange.consent, is_done=True)
        elif obstacle == "mandate":
            self.end_mandate(bureau, exchange.mandate, is_done=True)
        elif obstacle == "term":
            self.ledger.pass_time(max(1, self.mandates.get(exchange.mandate, 0) - self.ledger.now))
        else:
            self.stop(auditor, exchange.basis, 5, is_done=True)
        self.release(bureau, place) if is_release else self.decide(bureau, place, is_approval=True)
        self.ledger.pass_time(5)
        for restore in change.values():
            restore(RecordState.ACTIVE)

    # ------------------------------------------------------------ the model

    def change(self, sender: Address, contract: str, uid: bytes, state: int) -> None:
        function, owner = CHANGES[contract]
        before = self.states[uid]
        may = sender == owner and before <= RecordState.SUSPENDED and state != before
        args = [uid, state, 3, self.ledger.now]
        if self.expect(may, sender, contract, function, args):
            self.states[uid] = state

    def pick(self, place: int) -> tuple[bytes, Exchange | None]:
        """One of the exchanges; the place counts from the latest, and may be beyond the first."""
        uid = uid_of(7200 + max(0, len(self.exchanges) - 1 - place))
        return uid, self.exchanges.get(uid)

    def is_stopped(self, subject: bytes) -> bool:
        return self.ledger.now < self.stopped.get(subject, 0)

    def is_covered(self, exchange: Exchange) -> bool:
        """Whether the law covers an exchange in this block."""
        subjects = (exchange.dataset, exchange.basis)
        if any(self.states[uid] != RecordState.ACTIVE for uid in subjects):
            return False
        if any(self.is_stopped(subject) for subject in (*subjects, PAIR)):
            return False
        if exchange.mandate != NOTHING and not (
            self.ledger.now < self.mandates.get(exchange.mandate, 0) and exchange.amount <= LIMIT
        ):
            return False
        if exchange.consent == NOTHING:
            return True
        consent = self.consents.get(exchange.consent)
        return consent is not None and consent.covers(exchange.dataset, self.ledger.now)

    def has_quota(self, exchange: Exchange) -> bool:
        return exchange.consent == NOTHING or self.consents[exchange.consent].has_room()

    def approve(self, uid: bytes) -> None:
        exchange = self.exchanges[uid]
        exchange.state = ExchangeState.APPROVED
        if exchange.consent != NOTHING:
            self.consents[exchange.consent].held[uid] = "reserved"

    def expect(
        self, may: bool, sender: Address, contract: str, function: str, args: Sequence[Any]
    ) -> bool:
        """Send a call of which the model says whether it is refused, and follow its events."""
        outcome = self.ledger.send(sender, contract, function, args)
        assert outcome.succeeded == may, outcome.reason
        for event in decode_events(outcome):
            self.heads[event.contract].follow(event)
        return may

    # ------------------------------------------------------------ what must hold

    @invariant()
    def heads_are_those_of_the_events(self) -> None:
        for replay in self.heads.values():
            replay.check()

    @invariant()
    def quotas_are_kept(self) -> None:
        for uid, consent in self.consents.items():
            record = self.ledger.read("consents", "consent", uid)
            held = [*consent.held.values()]
            assert (record["reserved"], record["used"]) == (
                held.count("reserved"),
                held.count("used"),
            )
            assert not consent.quota or record["reserved"] + record["used"] <= consent.quota

    @invariant()
    def states_are_as_entitled(self) -> None:
        for uid, exchange in self.exchanges.items():
            assert self.ledger.read("exchanges", "exchange", uid)["state"] == exchange.state
        for uid in BASES:
            assert self.ledger.read("bases", "basis", uid)["state"] == self.states[uid]
        for uid in DATASETS:
            assert self.ledger.read("catalogue", "dataset", uid)["state"] == self.states[uid]


TestWholeLawHistories = WholeLawHistories.TestCase
TestWholeLawHistories.settings = settings(max_examples=5, stateful_step_count=50, deadline=None)

"""Each rule of the catalogue, once kept and once broken, and random histories of it."""

from typing import Any

import pytest
from eth_typing import Address
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contracts.codes import Reason, RecordKind, RecordState, Sensitivity, Sharing
from contracts.decisions import DecisionKind
from tests.contracts.contract_harness import (
    BUREAU,
    COMMISSION,
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
from tests.contracts.law_harness import (
    NOTICE,
    ORDINARY,
    PURPOSE,
    HeadModel,
    build_terms,
    publish,
    register_dataset,
)

NEXT = uid_of(1101)


def dataset_args(ledger: Ledger, **changes: Any) -> list[Any]:
    fields = {"uid": ORDINARY, "event_time": ledger.now, "previous": NOTHING}
    own = {name: changes.pop(name) for name in [*changes] if name in fields}
    values = fields | own
    terms = tuple(build_terms(**changes).values())
    return [values["uid"], terms, values["event_time"], values["previous"]]


def text_args(ledger: Ledger, **changes: Any) -> list[Any]:
    fields = {
        "uid": NOTICE,
        "kind": int(RecordKind.NOTICE),
        "document_hash": uid_of(41),
        "language": b"pt".ljust(32, b"\0"),
        "event_time": ledger.now,
        "previous": NOTHING,
    }
    assert changes.keys() <= fields.keys()
    return list((fields | changes).values())


def test_dataset_is_recorded_and_announced(ledger: Ledger) -> None:
    (event,) = register_dataset(ledger, ORDINARY, sensitivity=int(Sensitivity.SENSITIVE))
    terms = build_terms(sensitivity=int(Sensitivity.SENSITIVE))
    assert event.event == "DatasetRegistered"
    assert event.args["terms"] == terms
    assert (event.args["owner"], event.args["key"], event.args["sequence"]) == (BUREAU, bureau, 1)
    assert ledger.read("catalogue", "dataset", ORDINARY) == {
        "owner": BUREAU,
        "terms": terms,
        "version": 1,
        "state": RecordState.ACTIVE,
        "reason": Reason.NONE,
        "event_time": ledger.now,
        "block_number": ledger.state.block_number,
        "state_block": ledger.state.block_number,
        "previous": NOTHING,
        "successor": NOTHING,
    }
    assert ledger.read("catalogue", "dataset_count") == 1
    assert ledger.read("catalogue", "dataset_at", 0) == ORDINARY
    assert ledger.read("catalogue", "is_dataset_live", ORDINARY)
    assert not ledger.read("catalogue", "is_dataset_live", NEXT)
    assert ledger.refuse(bureau, "catalogue", "dataset_at", [1]) == "dataset: no such index"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"uid": NOTHING}, "dataset: uid missing"),
        ({"sharing": 0}, "dataset: unknown sharing class"),
        ({"sharing": 4}, "dataset: unknown sharing class"),
        ({"sensitivity": 0}, "dataset: unknown sensitivity"),
        ({"sensitivity": 3}, "dataset: unknown sensitivity"),
        ({"fields_hash": NOTHING}, "dataset: fields missing"),
        ({"field_count": 0}, "dataset: field count out of bounds"),
        ({"field_count": 257}, "dataset: field count out of bounds"),
        ({"sharing": int(Sharing.NOT_SHARED)}, "dataset: legal reference missing"),
        ({"sharing": int(Sharing.CONDITIONAL)}, "dataset: conditions missing"),
        ({"previous": NEXT}, "dataset: previous unknown"),
        ({"previous": ORDINARY}, "dataset: previous unknown"),
        ({"event_time": 0}, "act: event time missing"),
        ({"event_time": 2**60}, "act: event time in the future"),
    ],
)
def test_dataset_is_refused(ledger: Ledger, changes: dict[str, Any], reason: str) -> None:
    args = dataset_args(ledger, **changes)
    assert ledger.refuse(bureau, "catalogue", "register_dataset", args) == reason
    assert ledger.read("catalogue", "dataset_count") == 0


def test_dataset_that_names_law_or_conditions_is_taken(ledger: Ledger) -> None:
    law = {"sharing": int(Sharing.NOT_SHARED), "legal_reference": uid_of(5)}
    terms = {"sharing": int(Sharing.CONDITIONAL), "conditions_hash": uid_of(5)}
    ledger.do(bureau, "catalogue", "register_dataset", dataset_args(ledger, **law))
    ledger.do(bureau, "catalogue", "register_dataset", dataset_args(ledger, uid=NEXT, **terms))
    # What is not shared is in the catalogue, and is never asked for.
    assert not ledger.read("catalogue", "is_dataset_live", ORDINARY)
    assert ledger.read("catalogue", "is_dataset_live", NEXT)


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        (laboratory, "key: role missing"),
        (auditor, "key: role missing"),
        (clerk, "key: role missing"),
        (stranger, "key: unknown"),
    ],
)
def test_catalogue_needs_the_role(ledger: Ledger, sender: Address, reason: str) -> None:
    register_dataset(ledger, ORDINARY)
    publish(ledger, NOTICE, RecordKind.NOTICE)
    state = [RecordState.SUSPENDED, Reason.ERROR, ledger.now]
    for function, args in (
        ("register_dataset", dataset_args(ledger, uid=NEXT)),
        ("publish", text_args(ledger, uid=NEXT)),
        ("set_dataset_state", [ORDINARY, *state]),
        ("set_text_state", [NOTICE, *state]),
    ):
        assert ledger.refuse(sender, "catalogue", function, args) == reason


def test_state_of_what_is_not_there_is_refused(ledger: Ledger) -> None:
    change = [NEXT, RecordState.SUSPENDED, Reason.ERROR, ledger.now]
    for function, reason in (
        ("set_dataset_state", "dataset: unknown"),
        ("set_text_state", "text: unknown"),
    ):
        assert ledger.refuse(bureau, "catalogue", function, change) == reason


def test_dataset_uid_is_used_once(ledger: Ledger) -> None:
    register_dataset(ledger, ORDINARY)
    for owner in (bureau, commission):
        args = dataset_args(ledger)
        assert ledger.refuse(owner, "catalogue", "register_dataset", args) == (
            "dataset: uid already used"
        )


def test_dataset_has_versions(ledger: Ledger) -> None:
    register_dataset(ledger, ORDINARY)
    args = dataset_args(ledger, uid=NEXT, previous=ORDINARY)
    assert ledger.refuse(commission, "catalogue", "register_dataset", args) == (
        "dataset: previous not yours"
    )
    registered, changed = ledger.do(bureau, "catalogue", "register_dataset", args)
    assert registered.args["version"] == 2
    assert (changed.event, changed.args["state"]) == ("DatasetStateChanged", RecordState.SUPERSEDED)
    older = ledger.read("catalogue", "dataset", ORDINARY)
    assert (older["successor"], older["reason"]) == (NEXT, Reason.SUPERSEDED)
    assert not ledger.read("catalogue", "is_dataset_live", ORDINARY)
    again = dataset_args(ledger, uid=uid_of(9), previous=ORDINARY)
    assert ledger.refuse(bureau, "catalogue", "register_dataset", again) == (
        "dataset: previous not in force"
    )


def test_text_is_published_in_versions(ledger: Ledger) -> None:
    (event,) = ledger.do(bureau, "catalogue", "publish", text_args(ledger))
    assert (event.event, event.args["kind"]) == ("TextPublished", RecordKind.NOTICE)
    assert ledger.read("catalogue", "is_text_live", NOTICE, int(RecordKind.NOTICE))
    assert not ledger.read("catalogue", "is_text_live", NOTICE, int(RecordKind.PURPOSE))
    args = text_args(ledger, uid=NEXT, previous=NOTICE)
    assert ledger.refuse(commission, "catalogue", "publish", args) == "text: previous not yours"
    kind = text_args(ledger, uid=NEXT, previous=NOTICE, kind=int(RecordKind.PURPOSE))
    assert ledger.refuse(bureau, "catalogue", "publish", kind) == "text: previous unknown"
    published, changed = ledger.do(bureau, "catalogue", "publish", args)
    assert published.args["version"] == 2
    assert (changed.event, changed.args["state"]) == ("TextStateChanged", RecordState.SUPERSEDED)
    assert not ledger.read("catalogue", "is_text_live", NOTICE, int(RecordKind.NOTICE))
    assert ledger.read("catalogue", "text", NOTICE)["successor"] == NEXT
    assert ledger.read("catalogue", "text_count") == 2
    assert ledger.read("catalogue", "text_at", 1) == NEXT
    assert ledger.refuse(bureau, "catalogue", "text_at", [2]) == "text: no such index"
    again = text_args(ledger, uid=uid_of(9), previous=NOTICE)
    assert ledger.refuse(bureau, "catalogue", "publish", again) == "text: previous not in force"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"uid": NOTHING}, "text: uid missing"),
        ({"uid": PURPOSE}, "text: uid already used"),
        ({"kind": 6}, "text: unknown kind"),
        ({"document_hash": NOTHING}, "text: document missing"),
        ({"language": NOTHING}, "text: language missing"),
        ({"previous": NEXT}, "text: previous unknown"),
    ],
)
def test_text_is_refused(ledger: Ledger, changes: dict[str, Any], reason: str) -> None:
    publish(ledger, PURPOSE, RecordKind.PURPOSE, language=NOTHING)
    args = text_args(ledger, **changes)
    assert ledger.refuse(bureau, "catalogue", "publish", args) == reason


@pytest.mark.parametrize(
    ("sender", "uid", "state", "why", "reason"),
    [
        (commission, ORDINARY, 2, 1, "not yours"),
        (bureau, NEXT, 2, 1, "unknown"),
        (bureau, ORDINARY, 1, 1, "catalogue: state unchanged"),
        (bureau, ORDINARY, 4, 1, "catalogue: state not allowed"),
        (bureau, ORDINARY, 0, 1, "catalogue: state not allowed"),
        (bureau, ORDINARY, 2, 0, "catalogue: reason missing"),
        (bureau, ORDINARY, 2, 6, "catalogue: unknown reason"),
    ],
)
def test_catalogue_state_change_is_refused(  # noqa: PLR0917
    ledger: Ledger, sender: Address, uid: Any, state: int, why: int, reason: str
) -> None:
    register_dataset(ledger, ORDINARY)
    ledger.do(bureau, "catalogue", "publish", text_args(ledger, uid=ORDINARY))
    for noun in ("dataset", "text"):
        args = [uid, state, why, ledger.now]
        expected = reason if ":" in reason else f"{noun}: {reason}"
        assert ledger.refuse(sender, "catalogue", f"set_{noun}_state", args) == expected


def test_withdrawn_entry_stays_withdrawn(ledger: Ledger) -> None:
    register_dataset(ledger, ORDINARY)
    for state in (RecordState.SUSPENDED, RecordState.ACTIVE, RecordState.REVOKED):
        args = [ORDINARY, state, Reason.LAW, ledger.now]
        ledger.do(bureau, "catalogue", "set_dataset_state", args)
        is_live = state == RecordState.ACTIVE
        assert ledger.read("catalogue", "is_dataset_live", ORDINARY) == is_live
    args = [ORDINARY, RecordState.ACTIVE, Reason.LAW, ledger.now]
    assert ledger.refuse(bureau, "catalogue", "set_dataset_state", args) == (
        "catalogue: state is final"
    )


def test_suspended_agency_changes_nothing_in_the_catalogue(ledger: Ledger) -> None:
    ledger.decide(DecisionKind.SUSPEND_AGENCY, [COMMISSION])
    args = dataset_args(ledger)
    assert ledger.refuse(commission, "catalogue", "register_dataset", args) == "agency: not active"


DATASETS = [uid_of(n) for n in range(1, 6)]


class CatalogueHistories(RuleBasedStateMachine):
    """The catalogue beside a model of its datasets."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.model = HeadModel(ledger=self.ledger, contract="catalogue")
        self.owners: dict[bytes, bytes] = {}
        self.states: dict[bytes, int] = {}

    @rule()
    def pass_time(self) -> None:
        self.ledger.pass_time()

    @rule(
        owner=st.sampled_from([bureau, commission]),
        uid=st.sampled_from(DATASETS),
        previous=st.sampled_from([NOTHING, *DATASETS]),
    )
    def register(self, owner: Address, uid: Any, previous: Any) -> None:
        agency = BUREAU if owner == bureau else COMMISSION
        may = uid not in self.states and (
            previous == NOTHING
            or (self.owners.get(previous) == agency and self.states[previous] <= 2)
        )
        args = dataset_args(self.ledger, uid=uid, previous=previous)
        assert self.ledger.send(owner, "catalogue", "register_dataset", args).succeeded == may
        if may:
            self.owners[uid] = agency
            self.enter(uid, RecordState.ACTIVE)
            if previous != NOTHING:
                self.enter(previous, RecordState.SUPERSEDED)

    @rule(
        sender=st.sampled_from([bureau, commission, laboratory]),
        uid=st.sampled_from(DATASETS),
        state=st.integers(0, 5),
    )
    def change(self, sender: Address, uid: Any, state: int) -> None:
        agency = {bureau: BUREAU, commission: COMMISSION}.get(sender, LABORATORY)
        before = self.states.get(uid, 0)
        may = (
            self.owners.get(uid) == agency
            and before in {1, 2}
            and state in {1, 2, 3}
            and state != before
        )
        args = [uid, state, 1, self.ledger.now]
        assert self.ledger.send(sender, "catalogue", "set_dataset_state", args).succeeded == may
        if may:
            self.enter(uid, RecordState(state))

    def enter(self, uid: bytes, state: RecordState) -> None:
        self.states[uid] = state
        self.model.advance(self.owners[uid], RecordKind.DATASET, uid, state)

    @invariant()
    def states_and_heads_agree(self) -> None:
        self.model.check([BUREAU, COMMISSION, LABORATORY])
        for uid in DATASETS:
            assert self.ledger.read("catalogue", "dataset", uid)["state"] == self.states.get(uid, 0)


TestCatalogueHistories = CatalogueHistories.TestCase
TestCatalogueHistories.settings = settings(max_examples=4, stateful_step_count=30, deadline=None)

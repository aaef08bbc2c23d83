"""Planted bugs: each is one that somebody once made, or that this design rests on not making.

A mutant replaces a function of the code under test while it is in force. The simulator must then
find a broken property; a mutant that survives shows a blind spot. Every mutant brings the kind of
schedules in which it can be seen, since most bugs hide from most schedules.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from consensus import (
    agreement,
    header_rules,
    height_state,
    justification,
    payloads,
    proposing,
    speaker,
)
from consensus.agreement import Agreement
from consensus.effects import Broadcast, Effect, PersistSignState
from consensus.engine import Engine
from consensus.errors import InvalidMessage
from consensus.events import Event, MessageReceived, NewHead, TimerExpired, TimerKind
from consensus.genesis_config import QbftConfig
from consensus.header import compute_block_hash, with_round
from consensus.height_state import Phase
from consensus.messages import Proposal, get_height
from consensus.quorum import compute_faulty, compute_quorum
from consensus.round_changes import RoundChangeBook
from consensus.sign_state import SignState, Step
from consensus.types import Hash32, Round
from tests.simulation.keys import CONTRACT
from tests.simulation.model_chain import ModelChain
from tests.simulation.schedule import Fault, Schedule, make_schedule
from tests.simulation.simulated_node import SimNode

Patches = Callable[[], list[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One planted bug."""

    name: str
    story: str
    """What is wrong, in a sentence."""
    patches: Patches
    schedules: Callable[[int], Schedule]
    """By seed."""
    within: int
    """It is found within so many seeds, from 0."""

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Plant the bug for the duration of a with block."""
        started = self.patches()
        for each in started:
            each.start()
        try:
            yield
        finally:
            for each in reversed(started):
                each.stop()


def in_profile(profile: str) -> Callable[[int], Schedule]:
    return lambda seed: make_schedule(seed, profile)


def _six_in_halves(seed: int) -> Schedule:
    schedule = make_schedule(seed, "calm")
    names = [f"v{number}" for number in range(1, 7)]
    split = Fault(at_ms=500 + seed, kind="partition", groups=(tuple(names[:3]), tuple(names[3:])))
    return replace(schedule, validators=6, faults=(split, *schedule.faults))


def _without_execution(seed: int) -> Schedule:
    """All executors are far too slow for four minutes, so rounds pass without a block."""
    schedule = make_schedule(seed, "calm")
    names = tuple(f"v{number}" for number in range(1, 5))
    stuck = Fault(at_ms=100, kind="execution", targets=names, value=10_000_000)
    return replace(
        schedule,
        validators=4,
        faults=(stuck,),
        fault_time_ms=270_000,
        config=replace(schedule.config, request_timeout_s=1),
    )


def _traitors(tactic: str) -> Callable[[int], Schedule]:
    """Four validators, one of them with exactly this tactic."""

    def make(seed: int) -> Schedule:
        schedule = make_schedule(seed, "network" if seed % 2 else "calm")
        traitor = (1 + seed % 4, frozenset({tactic}))
        return replace(schedule, validators=4, faults=_within_four(schedule), traitors=(traitor,))

    return make


def _final_at_one(seed: int) -> Schedule:
    """Height 1 becomes final at v1 alone, which then falls silent; the others only prepared it."""
    schedule = make_schedule(seed, "calm")
    return replace(
        schedule,
        validators=4,
        config=QbftConfig(validator_contract=CONTRACT),
        faults=(
            Fault(at_ms=0, kind="delay", value=10),
            Fault(at_ms=1_032 + seed % 5, kind="deafen", targets=("v2", "v3", "v4")),
            Fault(at_ms=1_400, kind="reconnect"),
            Fault(at_ms=1_400, kind="mute", targets=("v1",)),
        ),
    )


def _usurped(seed: int) -> Schedule:
    """The same, and the proposer of the next round is a forger."""
    return replace(_final_at_one(seed), traitors=((2, frozenset({"forge"})),))


def _two_prepared(seed: int) -> Schedule:
    """v3 alone prepares a block in round 0, the others another in round 1, final at v1 alone."""
    return replace(
        _final_at_one(seed),
        faults=(
            Fault(at_ms=0, kind="delay", value=10),
            Fault(at_ms=1_022 + seed % 5, kind="deafen", targets=("v1", "v2", "v4")),
            Fault(at_ms=1_500, kind="reconnect"),
            Fault(at_ms=1_500, kind="deafen", targets=("v3",)),
            Fault(at_ms=1_500, kind="mute", targets=("v3",)),
            Fault(at_ms=2_042 + seed % 5, kind="deafen", targets=("v2", "v4")),
            Fault(at_ms=4_050, kind="reconnect"),
            Fault(at_ms=4_050, kind="mute", targets=("v1",)),
        ),
    )


def _within_four(schedule: Schedule) -> tuple[Fault, ...]:
    names = {f"v{number}" for number in range(1, 5)}
    return tuple(
        fault
        for fault in schedule.faults
        if set(fault.targets) <= names and all(set(group) <= names for group in fault.groups)
    )


def _replace_everywhere(name: str, value: object) -> list[Any]:
    modules = (justification, header_rules, height_state, proposing, agreement, speaker)
    return [patch.object(module, name, value) for module in modules if hasattr(module, name)]


def _two_f_plus_one() -> list[Any]:
    return _replace_everywhere("compute_quorum", lambda count: 2 * compute_faulty(count) + 1)


def _certificate_unchecked() -> list[Any]:
    genuine = justification.validate_proposal

    def validate(message: Proposal, **wanted: Any) -> None:
        try:
            genuine(message, **wanted)
        except InvalidMessage as fault:
            if message.signed.payload.round != 1 or "proposer" in str(fault):
                raise

    return [patch.object(agreement, "validate_proposal", validate)]


def _duplicate_authors() -> list[Any]:
    def validate(authors: Any, validators: Any, what: str) -> None:
        if len(list(authors)) < compute_quorum(len(validators)):
            raise InvalidMessage(f"{what}: too few")

    return [patch.object(justification, "_validate_quorum", validate)]


def _keep_old_agreements(on_old: Callable[[Agreement, Event], None]) -> list[Any]:
    """Let the engine keep the agreements of past heights and hand them what is meant for them."""
    genuine = Engine._dispatch
    kept: dict[int, dict[int, Agreement]] = {}

    def dispatch(engine: Engine, event: Event) -> None:
        old = kept.setdefault(id(engine), {})
        if isinstance(event, NewHead):
            if engine._agreement is not None and engine.height is not None:
                old[engine.height] = engine._agreement
        else:
            height = None
            if isinstance(event, TimerExpired):
                height = event.timer.height
            elif isinstance(event, MessageReceived):
                height = get_height(event.message)
            if height in old and height != engine.height:
                on_old(old[height], event)
        genuine(engine, event)

    return [patch.object(Engine, "_dispatch", dispatch)]


def _timer_after_import() -> list[Any]:
    def on_old(old: Agreement, event: Event) -> None:
        if isinstance(event, TimerExpired) and event.timer.kind is TimerKind.ROUND:
            old._height.prepared = None
            old._change_round(Round(old._height.round.number + 1))

    return _keep_old_agreements(on_old)


def _old_height_accepted() -> list[Any]:
    def on_old(old: Agreement, event: Event) -> None:
        if isinstance(event, MessageReceived):
            old._height.phase = Phase.RUNNING  # the height is never over
            try:
                old.on_message(event)
            except (InvalidMessage, AssertionError):
                return

    return [*_keep_old_agreements(on_old), patch.object(Engine, "is_relevant", lambda *_: True)]


def _forgotten_sign_state() -> list[Any]:
    from consensus.sign_state import make_floor
    from consensus.types import Height

    def load(node: SimNode) -> SignState:
        number = node.sign_store.load().record.number
        return SignState(make_floor(node.identity, number=number, height=Height(0)))

    return [patch.object(SimNode, "load_sign_state", load)]


def _resumes_too_low() -> list[Any]:
    from tests.simulation import simulated_node

    def compute(*, own_head: int, **_ignored: Any) -> int:
        return own_head

    return [patch.object(simulated_node, "compute_resume_floor", compute)]


def _proposes_again_after_restart() -> list[Any]:
    genuine = SignState.find_stored

    def find_stored(state: SignState, **wanted: Any) -> bytes | None:
        if wanted["step"] is Step.PROPOSAL and wanted["height"] == state.record.height:
            return None
        return genuine(state, **wanted)

    return [
        patch.object(SignState, "find_stored", find_stored),
        patch.object(speaker.Speaker, "recall", lambda *_: None),
    ]


def _reproposal_in_wrong_round() -> list[Any]:
    genuine = payloads.compute_digest

    def compute(block: Any, round_number: Round) -> Hash32:
        from consensus.extra_data import decode_extra_data

        return genuine(block, decode_extra_data(block.header.extra_data).round)

    return [patch.object(justification, "compute_digest", compute)]


def _seal_over_block_hash() -> list[Any]:
    from consensus.voting import Voting

    genuine = Voting._commit

    def commit(voting: Voting) -> None:
        block = voting._height.round.block
        assert block is not None
        wrong = compute_block_hash(with_round(block.header, Round(0)))
        with patch.object(speaker.Speaker, "seal", lambda each, _digest: each._key.sign(wrong)):
            genuine(voting)

    return [patch.object(Voting, "_commit", commit)]


def _no_jump() -> list[Any]:
    return [patch.object(RoundChangeBook, "find_jump", lambda *_: None)]


def _jump_after_one() -> list[Any]:
    genuine = RoundChangeBook.find_jump
    return [
        patch.object(
            RoundChangeBook, "find_jump", lambda book, current, _faulty: genuine(book, current, 0)
        )
    ]


def _uncapped_timeout() -> list[Any]:
    from consensus import timeouts

    return [patch.object(timeouts, "MAX_DOUBLINGS", 1_000)]


def _certificate_forgotten() -> list[Any]:
    genuine = Agreement._change_round

    def change(each: Agreement, target: Round) -> None:
        each._height.prepared = None
        genuine(each, target)

    return [patch.object(Agreement, "_change_round", change)]


def _sends_before_it_writes() -> list[Any]:
    genuine = Engine.step

    def step(engine: Engine, event: Event) -> tuple[Effect, ...]:
        effects = list(genuine(engine, event))
        for index in range(len(effects) - 1):
            pair = effects[index : index + 2]
            if isinstance(pair[0], PersistSignState) and isinstance(pair[1], Broadcast):
                effects[index : index + 2] = reversed(pair)
        return tuple(effects)

    return [patch.object(Engine, "step", step)]


def _lowest_prepared_wins() -> list[Any]:
    def get_lowest(signed_payloads: Any) -> Any:
        prepared = [s.payload.prepared for s in signed_payloads if s.payload.prepared is not None]
        return min(prepared, key=lambda metadata: metadata.round, default=None)

    return _replace_everywhere("get_highest_prepared", get_lowest)


def _seal_unchecked() -> list[Any]:
    from consensus import voting

    return [patch.object(voting, "validate_commit", lambda *_args, **_kwargs: None)]


def _execution_unchecked() -> list[Any]:
    return [patch.object(ModelChain, "find_fault", lambda *_args, **_kwargs: None)]


MUTANTS = {
    mutant.name: mutant
    for mutant in (
        Mutant(
            name="quorum-2f+1",
            story="a quorum is 2f + 1, three of six",
            patches=_two_f_plus_one,
            schedules=_six_in_halves,
            within=5,
        ),
        Mutant(
            name="certificate-unchecked",
            story="the certificate of a proposal is not checked in the first later round",
            patches=_certificate_unchecked,
            schedules=_usurped,
            within=10,
        ),
        Mutant(
            name="duplicate-authors",
            story="one author counts as often as it is listed in a certificate",
            patches=_duplicate_authors,
            schedules=_usurped,
            within=10,
        ),
        Mutant(
            name="timer-after-import",
            story="a round timer acts on a height that is final",
            patches=_timer_after_import,
            schedules=in_profile("calm"),
            within=5,
        ),
        Mutant(
            name="old-height-accepted",
            story="messages for a final height are still worked on",
            patches=_old_height_accepted,
            schedules=in_profile("network"),
            within=200,
        ),
        Mutant(
            name="forgotten-sign-state",
            story="a restarted validator does not know what it signed",
            patches=_forgotten_sign_state,
            schedules=in_profile("crashes"),
            within=40,
        ),
        Mutant(
            name="resumes-too-low",
            story="a validator that lost its disk signs again just above its own head",
            patches=_resumes_too_low,
            schedules=in_profile("crashes"),
            within=1_000,
        ),
        Mutant(
            name="proposes-again",
            story="a restarted proposer makes another proposal for the same place",
            patches=_proposes_again_after_restart,
            schedules=in_profile("crashes"),
            within=40,
        ),
        Mutant(
            name="wrong-round-digest",
            story="a block proposed again is compared in the round it is in now",
            patches=_reproposal_in_wrong_round,
            schedules=in_profile("network"),
            within=200,
        ),
        Mutant(
            name="seal-over-block-hash",
            story="a commit seal signs the name of the block instead of its commit hash",
            patches=_seal_over_block_hash,
            schedules=in_profile("network"),
            within=60,
        ),
        Mutant(
            name="no-jump",
            story="nobody follows f + 1 validators that are in a later round",
            patches=_no_jump,
            schedules=in_profile("network"),
            within=60,
        ),
        Mutant(
            name="jump-after-one",
            story="one validator alone pulls the others through the rounds",
            patches=_jump_after_one,
            schedules=_traitors("wander"),
            within=40,
        ),
        Mutant(
            name="uncapped-timeout",
            story="timeouts double for ever",
            patches=_uncapped_timeout,
            schedules=_without_execution,
            within=3,
        ),
        Mutant(
            name="certificate-forgotten",
            story="a round change does not carry the prepared block",
            patches=_certificate_forgotten,
            schedules=_final_at_one,
            within=10,
        ),
        Mutant(
            name="sends-before-it-writes",
            story="a message leaves before its record is on disk",
            patches=_sends_before_it_writes,
            schedules=in_profile("calm"),
            within=2,
        ),
        Mutant(
            name="lowest-prepared-wins",
            story="of several prepared blocks the oldest is proposed again",
            patches=_lowest_prepared_wins,
            schedules=_two_prepared,
            within=10,
        ),
        Mutant(
            name="seal-unchecked",
            story="a commit counts although its seal is by somebody else",
            patches=_seal_unchecked,
            schedules=_traitors("equivocate"),
            within=40,
        ),
        Mutant(
            name="execution-unchecked",
            story="a block is prepared without being executed",
            patches=_execution_unchecked,
            schedules=_traitors("spoil"),
            within=40,
        ),
    )
}

"""The planted bugs themselves: functions that return the patches which put one in force."""

from collections.abc import Callable
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
from consensus.header import compute_block_hash, with_round
from consensus.height_state import Phase
from consensus.messages import Proposal, get_height
from consensus.quorum import compute_faulty, compute_quorum
from consensus.round_changes import RoundChangeBook
from consensus.sign_state import SignState, Step
from consensus.types import Hash32, Round
from tests.simulation.model_chain import ModelChain
from tests.simulation.simulated_node import SimNode


def _replace_everywhere(name: str, value: object) -> list[Any]:
    modules = (justification, header_rules, height_state, proposing, agreement, speaker)
    return [patch.object(module, name, value) for module in modules if hasattr(module, name)]


def two_f_plus_one() -> list[Any]:
    return _replace_everywhere("compute_quorum", lambda count: 2 * compute_faulty(count) + 1)


def certificate_unchecked() -> list[Any]:
    genuine = justification.validate_proposal

    def validate(message: Proposal, **wanted: Any) -> None:
        try:
            genuine(message, **wanted)
        except InvalidMessage as fault:
            if message.signed.payload.round != 1 or "proposer" in str(fault):
                raise

    return [patch.object(agreement, "validate_proposal", validate)]


def duplicate_authors() -> list[Any]:
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


def timer_after_import() -> list[Any]:
    def on_old(old: Agreement, event: Event) -> None:
        if isinstance(event, TimerExpired) and event.timer.kind is TimerKind.ROUND:
            old._height.prepared = None
            old._change_round(Round(old._height.round.number + 1))

    return _keep_old_agreements(on_old)


def old_height_accepted() -> list[Any]:
    def on_old(old: Agreement, event: Event) -> None:
        if isinstance(event, MessageReceived):
            old._height.phase = Phase.RUNNING  # the height is never over
            try:
                old.on_message(event)
            except (InvalidMessage, AssertionError):
                return

    return [*_keep_old_agreements(on_old), patch.object(Engine, "is_relevant", lambda *_: True)]


def forgotten_sign_state() -> list[Any]:
    from consensus.sign_state import make_floor
    from consensus.types import Height

    def load(node: SimNode) -> SignState:
        number = node.sign_store.load().record.number
        return SignState(make_floor(node.identity, number=number, height=Height(0)))

    return [patch.object(SimNode, "load_sign_state", load)]


def resumes_too_low() -> list[Any]:
    from tests.simulation import node_resume

    def compute(*, own_head: int, **_ignored: Any) -> int:
        return own_head

    return [patch.object(node_resume, "compute_resume_floor", compute)]


def torn_state_replaced() -> list[Any]:
    from consensus.sign_state import make_floor
    from consensus.types import Height
    from node.validator.errors import SignStateUnusable

    genuine = SimNode.load_sign_state

    def load(node: SimNode) -> SignState:
        try:
            return genuine(node)
        except SignStateUnusable:
            return SignState(make_floor(node.identity, number=0, height=Height(0)))

    return [patch.object(SimNode, "load_sign_state", load)]


def slow_write_unawaited() -> list[Any]:
    return [patch.object(SimNode, "broadcast", SimNode.send)]


def proposes_again_after_restart() -> list[Any]:
    genuine = SignState.find_stored

    def find_stored(state: SignState, **wanted: Any) -> bytes | None:
        if wanted["step"] is Step.PROPOSAL and wanted["height"] == state.record.height:
            return None
        return genuine(state, **wanted)

    return [
        patch.object(SignState, "find_stored", find_stored),
        patch.object(speaker.Speaker, "recall", lambda *_: None),
    ]


def reproposal_in_wrong_round() -> list[Any]:
    genuine = payloads.compute_digest

    def compute(block: Any, round_number: Round) -> Hash32:
        from consensus.extra_data import decode_extra_data

        return genuine(block, decode_extra_data(block.header.extra_data).round)

    return [patch.object(justification, "compute_digest", compute)]


def seal_over_block_hash() -> list[Any]:
    from consensus.voting import Voting

    genuine = Voting._commit

    def commit(voting: Voting) -> None:
        block = voting._height.round.block
        assert block is not None
        wrong = compute_block_hash(with_round(block.header, Round(0)))
        with patch.object(speaker.Speaker, "seal", lambda each, _digest: each._key.sign(wrong)):
            genuine(voting)

    return [patch.object(Voting, "_commit", commit)]


def no_jump() -> list[Any]:
    return [patch.object(RoundChangeBook, "find_jump", lambda *_: None)]


def jump_after_one() -> list[Any]:
    genuine = RoundChangeBook.find_jump
    return [
        patch.object(
            RoundChangeBook, "find_jump", lambda book, current, _faulty: genuine(book, current, 0)
        )
    ]


def uncapped_timeout() -> list[Any]:
    from consensus import timeouts

    return [patch.object(timeouts, "MAX_DOUBLINGS", 1_000)]


def certificate_forgotten() -> list[Any]:
    genuine = Agreement._change_round

    def change(each: Agreement, target: Round) -> None:
        each._height.prepared = None
        genuine(each, target)

    return [patch.object(Agreement, "_change_round", change)]


def sends_before_it_writes() -> list[Any]:
    genuine = Engine.step

    def step(engine: Engine, event: Event) -> tuple[Effect, ...]:
        effects = list(genuine(engine, event))
        for index in range(len(effects) - 1):
            pair = effects[index : index + 2]
            if isinstance(pair[0], PersistSignState) and isinstance(pair[1], Broadcast):
                effects[index : index + 2] = reversed(pair)
        return tuple(effects)

    return [patch.object(Engine, "step", step)]


def lowest_prepared_wins() -> list[Any]:
    def get_lowest(signed_payloads: Any) -> Any:
        prepared = [s.payload.prepared for s in signed_payloads if s.payload.prepared is not None]
        return min(prepared, key=lambda metadata: metadata.round, default=None)

    return _replace_everywhere("get_highest_prepared", get_lowest)


def seal_unchecked() -> list[Any]:
    from consensus import voting

    return [patch.object(voting, "validate_commit", lambda *_args, **_kwargs: None)]


def execution_unchecked() -> list[Any]:
    return [patch.object(ModelChain, "find_fault", lambda *_args, **_kwargs: None)]

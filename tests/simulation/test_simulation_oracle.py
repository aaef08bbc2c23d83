"""The code under test and the plain oracle must give the same verdict on every message."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consensus import agreement, justification, voting
from consensus.block import Block
from consensus.errors import PeerFault
from consensus.extra_data import decode_extra_data, encode_extra_data
from consensus.messages import Proposal, RoundChange
from consensus.payloads import compute_digest, sign_payload
from consensus.proposer import select_proposer
from consensus.quorum import compute_quorum
from consensus.types import Address, Hash32, Height, Round
from tests.simulation import oracle
from tests.simulation.forge import (
    make_block,
    make_certificate,
    make_commit,
    make_prepare,
    make_proposal,
    make_round_change,
)
from tests.simulation.keys import KEYS, STRANGER
from tests.simulation.schedule import make_schedule
from tests.simulation.simulator import simulate
from tests.simulation.solo import Solo

V = [key.address for key in KEYS[:4]]
GENESIS = Solo(me=1, is_started=False).genesis
BLOCKS = tuple(make_block(GENESIS, coinbase=key) for key in KEYS[:3])


def is_accepted(judge: Callable[[], None]) -> bool:
    try:
        judge()
    except PeerFault:
        return False
    return True


class Verdicts:
    """Counts how often both said yes and no."""

    def __init__(self) -> None:
        self.yes = 0
        self.no = 0

    def compare(self, judge: Callable[[], None], opinion: bool, message: object) -> None:
        verdict = is_accepted(judge)
        assert verdict == opinion, f"code says {verdict}, oracle {opinion}: {message}"
        if verdict:
            self.yes += 1
        else:
            self.no += 1


@contextmanager
def judged_twice(verdicts: Verdicts) -> Iterator[None]:
    """Let the oracle judge everything that engines judge."""

    def with_opinion(
        genuine: Callable[..., None], ask: Callable[[Any, dict[str, Any]], bool]
    ) -> Callable[..., None]:
        def validate(message: Any, **wanted: Any) -> None:
            verdicts.compare(lambda: genuine(message, **wanted), ask(message, wanted), message)
            genuine(message, **wanted)

        return validate

    opinions: list[tuple[Any, str, Callable[[Any, dict[str, Any]], bool]]] = [
        (
            agreement,
            "validate_proposal",
            lambda m, w: oracle.is_valid_proposal(
                m, w["height"], w["validators"], w["parent_coinbase"]
            ),
        ),
        (
            agreement,
            "validate_round_change",
            lambda m, w: oracle.is_valid_round_change(m, w["height"], w["validators"]),
        ),
        (voting, "validate_prepare", lambda m, w: oracle.is_valid_prepare(m, w["validators"])),
        (voting, "validate_commit", lambda m, w: oracle.is_valid_commit(m, w["validators"])),
    ]
    patches = [
        patch.object(module, name, with_opinion(getattr(justification, name), ask))
        for module, name, ask in opinions
    ]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()


@pytest.mark.parametrize("profile", ["byzantine", "network", "mixed"])
def test_oracle_agrees_on_recorded_schedules(profile: str) -> None:
    verdicts = Verdicts()
    with judged_twice(verdicts):
        for seed in range(20_000, 20_006):
            assert simulate(make_schedule(seed, profile)).is_good
    assert verdicts.yes > 500
    assert profile != "byzantine" or verdicts.no > 0


signers = st.sampled_from([*KEYS[:4], *KEYS[:4], STRANGER])
crowds = st.one_of(
    st.lists(signers, max_size=6),
    st.permutations(KEYS[:4]).flatmap(lambda keys: st.integers(2, 4).map(lambda n: keys[:n])),
)
heights = st.sampled_from([1, 1, 1, 1, 2])
small_rounds = st.sampled_from([0, 1, 1, 2, 2, 3, 1_000, 1_001])
blocks = st.sampled_from(BLOCKS)


@st.composite
def certificates(draw: st.DrawFn) -> Any:
    if draw(st.booleans()):
        return None
    certificate = make_certificate(draw(crowds), draw(blocks), draw(st.sampled_from([0, 0, 1, 2])))
    if draw(st.integers(0, 5)) == 0:
        certificate = replace(certificate, round=Round(draw(st.integers(0, 3))))
    if draw(st.integers(0, 5)) == 0:
        certificate = replace(certificate, block=draw(blocks))
    return certificate


@st.composite
def round_changes(draw: st.DrawFn, target: int | None = None) -> RoundChange:
    number = draw(small_rounds) if target is None or draw(st.integers(0, 9)) == 0 else target
    message = make_round_change(draw(signers), draw(heights), number, draw(certificates()))
    if draw(st.integers(0, 7)) == 0:
        message = replace(message, block=draw(st.none() | blocks))
    if draw(st.integers(0, 7)) == 0:
        message = replace(message, prepares=message.prepares[: draw(st.integers(0, 3))])
    return message


@st.composite
def proposals(draw: st.DrawFn) -> Proposal:
    number = draw(st.sampled_from([0, 1, 1, 2, 3]))
    turn = select_proposer(GENESIS.coinbase, V, Round(number))
    key = next(key for key in KEYS if key.address == turn)
    if draw(st.integers(0, 7)) == 0:
        key = draw(signers)
    certificate = draw(certificates())
    crowd = draw(crowds)
    wishes = [
        make_round_change(each, 1, number, draw(st.sampled_from([None, certificate])))
        for each in crowd
    ]
    if draw(st.integers(0, 5)) == 0:
        wishes.append(draw(round_changes(number)))
    prepared = [w.signed.payload.prepared for w in wishes if w.signed.payload.prepared is not None]
    is_repeated = bool(prepared) and certificate is not None
    block = certificate.block if is_repeated else make_block(GENESIS, coinbase=key)
    if draw(st.integers(0, 7)) == 0:
        block = draw(blocks)
    prepares = certificate.prepares if is_repeated else ()
    if draw(st.integers(0, 7)) == 0:
        prepares = prepares[1:]
    if number == 0 and draw(st.booleans()):
        wishes, prepares = [], ()
    message = make_proposal(key, block, number, wishes, prepares)
    if draw(st.integers(0, 9)) == 0:
        message = _spoil_block(message, key, draw(st.integers(0, 2)))
    return message


def _spoil_block(message: Proposal, key: Any, how: int) -> Proposal:
    block: Block = message.signed.payload.block
    extra_data = decode_extra_data(block.header.extra_data)
    header = block.header
    if how == 0:
        extra_data = replace(extra_data, round=Round(extra_data.round + 1))
    elif how == 1:
        extra_data = replace(extra_data, seals=(bytes(65),))
    else:
        header = replace(header, number=Height(header.number + 1))
    header = replace(header, extra_data=encode_extra_data(extra_data))
    payload = replace(message.signed.payload, block=replace(block, header=header))
    return replace(message, signed=sign_payload(payload, key))


RELAXED = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@RELAXED
@given(round_changes(), st.sampled_from([1, 1, 1, 2]))
def test_oracle_agrees_on_round_changes(message: RoundChange, height: int) -> None:
    Verdicts().compare(
        lambda: justification.validate_round_change(message, height=Height(height), validators=V),
        oracle.is_valid_round_change(message, height, V),
        message,
    )


def test_oracle_is_asked_about_good_and_bad_messages() -> None:
    """Guards the strategies above: both verdicts must be common among what they make."""
    verdicts: dict[str, set[bool]] = {"proposal": set(), "round change": set()}

    @settings(max_examples=300, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(proposals(), round_changes())
    def look(proposal: Proposal, wish: RoundChange) -> None:
        verdicts["proposal"].add(oracle.is_valid_proposal(proposal, 1, V, GENESIS.coinbase))
        verdicts["round change"].add(
            wish.block is not None and oracle.is_valid_round_change(wish, 1, V)
        )

    look()
    assert all(seen == {True, False} for seen in verdicts.values())


@RELAXED
@given(proposals())
def test_oracle_agrees_on_proposals(message: Proposal) -> None:
    Verdicts().compare(
        lambda: justification.validate_proposal(
            message, height=Height(1), validators=V, parent_coinbase=GENESIS.coinbase
        ),
        oracle.is_valid_proposal(message, 1, V, GENESIS.coinbase),
        message,
    )


@RELAXED
@given(signers, signers, blocks)
def test_oracle_agrees_on_votes(signer: Any, sealer: Any, block: Block) -> None:
    digest = compute_digest(block, Round(0))
    commit = make_commit(signer, 1, 0, digest, sealer=sealer)
    prepare = make_prepare(signer, 1, 0, digest)
    Verdicts().compare(
        lambda: justification.validate_commit(commit, validators=V),
        oracle.is_valid_commit(commit, V),
        commit,
    )
    Verdicts().compare(
        lambda: justification.validate_prepare(prepare, validators=V),
        oracle.is_valid_prepare(prepare, V),
        prepare,
    )


@given(
    st.lists(st.binary(min_size=20, max_size=20), min_size=1, max_size=12, unique=True),
    st.binary(min_size=20, max_size=20),
    st.integers(0, 40),
)
def test_oracle_agrees_on_proposers_and_quorums(
    validators: list[bytes], outsider: bytes, number: int
) -> None:
    ordered = [Address(v) for v in sorted(validators)]
    for parent in (*ordered, Address(outsider)):
        assert select_proposer(parent, ordered, Round(number)) == oracle.proposer(
            ordered, parent, number
        )
    assert compute_quorum(len(ordered)) == oracle.quorum(len(ordered))


@given(blocks, st.integers(0, 1_000))
def test_oracle_agrees_on_digests(block: Block, number: int) -> None:
    expected = Hash32(oracle.digest(block, number))
    assert compute_digest(block, Round(number)) == expected

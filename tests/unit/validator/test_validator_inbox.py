"""What a core takes in before it works on anything: all of validators, little of others."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from consensus.events import Event
from consensus.messages import Message, encode_message
from node.validator.core import MAX_INBOX_MESSAGES, CorePorts, ValidatorCore
from tests.simulation.forge import make_round_change
from tests.simulation.solo import Solo, code_of


def make_core(solo: Solo, message: Message) -> ValidatorCore:
    """Return a core whose every payload decodes to `message`; signing thousands takes too long."""
    ports: Any = SimpleNamespace(clock=SimpleNamespace(now_ms=lambda: 0))
    return ValidatorCore(solo.engine, cast("CorePorts", ports), decode=lambda _code, _raw: message)


def count_taken(core: ValidatorCore, monkeypatch: pytest.MonkeyPatch) -> int:
    worked: list[Event] = []
    monkeypatch.setattr(core, "process", worked.append)
    core.drain()
    return len(worked)


def flood(core: ValidatorCore, message: Message) -> set[bool]:
    payload = encode_message(message)
    taken = (core.take_in(code_of(message), payload, "peer") for _ in range(MAX_INBOX_MESSAGES + 9))
    return {author is not None for author in taken}


def test_inbox_keeps_room_for_validators_when_strangers_flood_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    solo = Solo(me=2, count=4)
    message = make_round_change(Solo(me=5, count=5).key, 2, 1)
    core = make_core(solo, message)
    assert flood(core, message) == {False}, "nobody passes it on"
    assert count_taken(core, monkeypatch) == MAX_INBOX_MESSAGES // 8


def test_inbox_takes_validators_up_to_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    solo = Solo(me=2, count=4)
    message = make_round_change(solo.keys[3], 2, 1)
    core = make_core(solo, message)
    assert flood(core, message) == {True}
    assert count_taken(core, monkeypatch) == MAX_INBOX_MESSAGES

"""The proxy hands on calls, answers and refusals unchanged."""

from eth_typing import Address
from hypothesis import given
from hypothesis import strategies as st

from contracts.addresses import IMPLEMENTATION_SLOT, REGISTRY
from contracts.loader import load_artifact
from contracts.scratch import ScratchState

PROXY = Address(b"\x01" * 20)
ECHO = Address(b"\x02" * 20)
SENDER = Address(b"\x03" * 20)

# Writes the call data's length to slot 5, then answers with the call data.
ECHO_CODE = bytes.fromhex("36600555" + "365f5f37" + "365ff3")
# The same, but as a refusal.
REFUSE_CODE = bytes.fromhex("36600555" + "365f5f37" + "365ffd")


def build_state(code: bytes) -> ScratchState:
    state = ScratchState(chain_id=1, timestamp=1)
    state.put(ECHO, code=code, nonce=1, storage={})
    arguments = (bytes(12) + REGISTRY) + (bytes(12) + ECHO)
    state.create(PROXY, load_artifact("upgradeable_proxy").creation_bytecode + arguments)
    return state


@given(data=st.binary(max_size=300))
def test_proxy_hands_any_call_and_answer_on(data: bytes) -> None:
    state = build_state(ECHO_CODE)
    outcome = state.send(PROXY, data, sender=SENDER)
    assert outcome.succeeded
    assert outcome.output == data
    # The implementation's code ran on the proxy's storage.
    assert state.get_slot(PROXY, 5) == len(data)
    assert state.get_slot(ECHO, 5) == 0


@given(data=st.binary(max_size=300))
def test_proxy_hands_refusals_on_with_their_data(data: bytes) -> None:
    state = build_state(REFUSE_CODE)
    outcome = state.send(PROXY, data, sender=SENDER)
    assert not outcome.succeeded
    assert outcome.output == data
    assert state.get_slot(PROXY, 5) == 0


def test_proxy_answers_with_up_to_4096_bytes() -> None:
    state = build_state(ECHO_CODE)
    data = bytes(range(256)) * 16
    assert state.send(PROXY, data, sender=SENDER).output == data
    assert state.send(PROXY, data + b"x", sender=SENDER).output == data


@given(data=st.binary(max_size=80))
def test_proxy_hands_the_registrys_own_calls_on_too(data: bytes) -> None:
    """Only the exact order to upgrade is the proxy's; all else of the registry passes."""
    state = build_state(ECHO_CODE)
    assert state.send(PROXY, data, sender=REGISTRY).output == data
    assert state.get_slot(PROXY, IMPLEMENTATION_SLOT) == int.from_bytes(ECHO, "big")

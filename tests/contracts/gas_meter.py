"""Runs calls on a ledger in a scratch state and notes what each of them costs."""

import time
from typing import Any

from eth_typing import Address, Hash32
from eth_utils.crypto import keccak

from contracts.codec import encode_call
from tests.contracts.contract_harness import ADDRESSES, Ledger


class Meter:
    """Gas of each labelled call, and its time where repetitions are asked for."""

    def __init__(self, *, repetitions: int = 0) -> None:
        self.ledger = Ledger()
        self.gas: dict[str, int] = {}
        self.ms: dict[str, float] = {}
        """Processor time of the shortest repetition in milliseconds, on py-evm as it is installed:
        what other programs take of the machine does not count."""
        self._repetitions = repetitions

    def run(
        self, label: str | None, sender: Address, contract: str, function: str, *args: Any
    ) -> None:
        """Send a call that succeeds; with a label, note what it costs."""
        if label is not None and self._repetitions:
            call = encode_call(contract, function, args)
            self.ms[f"`{label}`"] = min(
                self._time(sender, ADDRESSES[contract], call) for _ in range(self._repetitions)
            )
        outcome = self.ledger.send(sender, contract, function, args)
        assert outcome.succeeded, f"{contract}.{function}: {outcome.reason}"
        if label is not None:
            self.gas[f"`{label}`"] = outcome.gas_used
        self.ledger.pass_time()

    def _time(self, sender: Address, to: Address, call: bytes) -> float:
        begun = time.thread_time()
        outcome = self.ledger.state.read(to, call, sender=sender)
        elapsed_ms = (time.thread_time() - begun) * 1000
        assert outcome.succeeded, outcome.reason
        return elapsed_ms


def draw(number: int) -> Hash32:
    """Thirty-two bytes that look like real ones."""
    return Hash32(keccak(number.to_bytes(4, "big")))

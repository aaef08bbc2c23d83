"""Runs calls on a ledger in a scratch state and notes what each of them costs.

Beside the call as it is labelled, each one that an agency's key makes is run as dear as it gets:
signed elsewhere and submitted by another account, and late where the contract takes late acts.
Every run has the gas that a node admits for one transaction, and no more.
"""

import time
from collections.abc import Sequence
from typing import Any

from eth_typing import Address, Hash32
from eth_utils.crypto import keccak

from contracts.codec import encode_call
from contracts.codes import LateReason
from contracts.loader import load_artifact
from contracts.testkeys import AGENCIES, get_address, get_private_key
from tests.contracts.contract_harness import ADDRESSES, Ledger, stranger
from tests.contracts.law_harness import build_domain, relay_args

GAS_CAP = 3_000_000
"""What a node admits for one transaction."""
LATE_BY_S = 10**6


def list_published_keys() -> dict[Address, bytes]:
    """The private key of each account of a development ledger."""
    return {
        get_address(number, "account"): get_private_key(number, "account")
        for number in range(1, AGENCIES + 1)
    }


class Meter:
    """Gas of each labelled call, and its time where repetitions are asked for."""

    def __init__(self, *, repetitions: int = 0) -> None:
        self.ledger = Ledger()
        self.gas: dict[str, int] = {}
        self.ms: dict[str, float] = {}
        """Processor time of the shortest repetition in milliseconds, on py-evm as it is installed:
        what other programs take of the machine does not count."""
        self.dearest: dict[str, int] = {}
        """The most that each function took in any form, by `contract.function`."""
        self.private_keys = list_published_keys()
        self._repetitions = repetitions
        self._carried = 0

    def run(
        self, label: str | None, sender: Address, contract: str, function: str, *args: Any
    ) -> None:
        """Send a call that succeeds; with a label, note what it costs."""
        call = encode_call(contract, function, args)
        if label is not None and self._repetitions:
            self.ms[f"`{label}`"] = min(
                self._time(sender, ADDRESSES[contract], call) for _ in range(self._repetitions)
            )
        if sender in self.private_keys:
            self._note(contract, function, self._carry(sender, contract, function, args))
        outcome = self.ledger.state.send(ADDRESSES[contract], call, sender=sender, gas=GAS_CAP)
        assert outcome.succeeded, f"{contract}.{function}: {outcome.reason}"
        self._note(contract, function, outcome.gas_used)
        if label is not None:
            self.gas[f"`{label}`"] = outcome.gas_used
        self.ledger.pass_time()

    def _carry(self, signer: Address, contract: str, function: str, args: Sequence[Any]) -> int:
        """What it takes to submit a signed act, a late one where there are late acts."""
        (entry,) = (e for e in load_artifact(contract).abi if e.get("name") == function)
        names = [argument["name"] for argument in entry["inputs"]]
        values = list(args)
        is_late = "event_time" in names
        if is_late:
            values[names.index("event_time")] = self.ledger.now - LATE_BY_S
        call = encode_call(contract, function, values)
        if is_late:
            late = [call, draw(0), int(LateReason.OMISSION)]
            call = encode_call(contract, "act_late", late)
        self._carried += 1
        signed = relay_args(
            build_domain(self.ledger, contract),
            signer,
            self.private_keys[signer],
            call,
            nonce=2**255 + self._carried,
        )
        outcome = self.ledger.state.read(
            ADDRESSES[contract],
            encode_call(contract, "relay", signed),
            sender=stranger,
            gas=GAS_CAP,
        )
        assert outcome.succeeded, f"{contract}.{function}, carried: {outcome.reason}"
        return outcome.gas_used

    def _note(self, contract: str, function: str, gas: int) -> None:
        name = f"{contract}.{function}"
        self.dearest[name] = max(self.dearest.get(name, 0), gas)

    def _time(self, sender: Address, to: Address, call: bytes) -> float:
        begun = time.thread_time()
        outcome = self.ledger.state.read(to, call, sender=sender)
        elapsed_ms = (time.thread_time() - begun) * 1000
        assert outcome.succeeded, outcome.reason
        return elapsed_ms


def draw(number: int) -> Hash32:
    """Thirty-two bytes that look like real ones."""
    return Hash32(keccak(number.to_bytes(4, "big")))

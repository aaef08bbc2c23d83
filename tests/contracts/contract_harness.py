"""A ledger's contracts in a scratch state: send as an agency, read as anyone, turn the clock.

Tests start from the very `alloc` that goes into a genesis file, put into a fresh state for each of
them, so founding is run once per specification and no test sees another's records.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from eth_typing import Address, Hash32

from contracts.addresses import (
    AGENCY_REGISTRY_NAME,
    ATTESTATIONS,
    ATTESTATIONS_NAME,
    PROXIES,
    REGISTRY,
    SCHEMAS,
    SCHEMAS_NAME,
)
from contracts.codec import DecodedLog, decode_log, decode_output, encode_call
from contracts.codes import CommitmentAlgorithm
from contracts.decisions import DecisionKind, encode_payload
from contracts.development import build_development_spec
from contracts.genesis import build_genesis
from contracts.genesis_spec import GenesisSpec
from contracts.labels import encode_label
from contracts.scratch import Outcome, ScratchState
from contracts.testkeys import get_address

ADDRESSES = {name: address for address, name in PROXIES.items()}
ISSUE_TIME = 1_800_000_000
"""A moment after the genesis of the development ledger."""

LABORATORY = encode_label("mo-health-laboratory")
BUREAU = encode_label("mo-health-bureau")
COMMISSION = encode_label("gd-health-commission")
AUDITOR = encode_label("mo-audit-office")

laboratory = get_address(1, "account")
clerk = get_address(1, "clerk")
bureau = get_address(2, "account")
commission = get_address(3, "account")
auditor = get_address(4, "account")
stranger = Address(b"\x5a" * 20)
ACCOUNTS = {LABORATORY: laboratory, BUREAU: bureau, COMMISSION: commission, AUDITOR: auditor}


def uid_of(number: int) -> Hash32:
    """A uid for tests; the real ones are random."""
    return Hash32(number.to_bytes(32, "big"))


NOTHING = uid_of(0)
FIRST_SCHEMA = uid_of(1)


class Ledger:
    """The contracts of a development ledger, block by block."""

    def __init__(self, spec: GenesisSpec | None = None) -> None:
        spec = spec or build_development_spec()
        self.spec = spec
        self.state = ScratchState(chain_id=spec.chain_id, timestamp=ISSUE_TIME, block_number=1)
        for address, account in _get_alloc(spec).items():
            self.state.put(address, **account)

    @property
    def now(self) -> int:
        return self.state.timestamp

    def pass_time(self, seconds: int = 1) -> None:
        """Begin the next block, this much later."""
        self.state.block_number += 1
        self.state.timestamp += seconds

    def send(
        self, sender: Address, contract: str, function: str, args: Sequence[Any] = ()
    ) -> Outcome:
        return self.state.send(
            ADDRESSES[contract], encode_call(contract, function, args), sender=sender
        )

    def do(
        self, sender: Address, contract: str, function: str, args: Sequence[Any] = ()
    ) -> list[DecodedLog]:
        """Send a call that must succeed, and return its events."""
        outcome = self.send(sender, contract, function, args)
        assert outcome.succeeded, f"{contract}.{function}: {outcome.reason}"
        return decode_events(outcome)

    def refuse(
        self, sender: Address, contract: str, function: str, args: Sequence[Any] = ()
    ) -> str | None:
        """Send a call that must be refused, and return the reason."""
        outcome = self.send(sender, contract, function, args)
        assert not outcome.succeeded, f"{contract}.{function} was not refused"
        assert outcome.logs == ()
        return outcome.reason

    def read(self, contract: str, function: str, *args: Any) -> Any:
        outcome = self.state.read(ADDRESSES[contract], encode_call(contract, function, args))
        assert outcome.succeeded, f"{contract}.{function}: {outcome.reason}"
        return decode_output(contract, function, outcome.output)

    # ------------------------------------------------------------ the registry

    def registry(self, function: str, *args: Any) -> Any:
        return self.read(AGENCY_REGISTRY_NAME, function, *args)

    def propose(
        self, sender: Address, kind: DecisionKind, args: Sequence[Any], *, lasts_s: int = 3600
    ) -> int:
        payload = encode_payload(kind, args)
        (event,) = self.do(
            sender,
            AGENCY_REGISTRY_NAME,
            "propose",
            [int(kind), payload, uid_of(77), self.now + lasts_s],
        )
        return int(event.args["proposal"])

    def vote(self, sender: Address, proposal: int, *, approve: bool = True) -> list[DecodedLog]:
        return self.do(sender, AGENCY_REGISTRY_NAME, "vote", [proposal, approve])

    def decide(self, kind: DecisionKind, args: Sequence[Any]) -> list[DecodedLog]:
        """Propose and let agencies vote until it is carried out; the last vote's events."""
        proposal = self.propose(bureau, kind, args)
        events: list[DecodedLog] = []
        for voter in ACCOUNTS.values():
            if self.registry("proposal", proposal)["status"] == 1 and self.registry(
                "is_authorised", voter, 2
            ):
                events = self.vote(voter, proposal)
        assert self.registry("proposal", proposal)["status"] == 2
        return events

    def decide_refused(self, kind: DecisionKind, args: Sequence[Any]) -> str | None:
        """Propose what cannot be carried out; the reason with which the last vote fails."""
        proposal = self.propose(bureau, kind, args)
        for voter in (bureau, laboratory):
            self.vote(voter, proposal)
        return self.refuse(commission, AGENCY_REGISTRY_NAME, "vote", [proposal, True])

    def decide_refused_by_three(self, kind: DecisionKind, args: Sequence[Any]) -> str | None:
        """As `decide_refused`, after the laboratory was suspended."""
        proposal = self.propose(bureau, kind, args)
        for voter in (bureau, auditor):
            self.vote(voter, proposal)
        return self.refuse(commission, AGENCY_REGISTRY_NAME, "vote", [proposal, True])

    # ------------------------------------------------------------ records

    def register_schema(self, uid: Hash32 = FIRST_SCHEMA, *, owner: Address = bureau) -> Hash32:
        self.do(
            owner, SCHEMAS_NAME, "register", [uid, uid_of(10), uid_of(11), 12, self.now, NOTHING]
        )
        return uid

    def accredit(self, schema: Hash32, agency: Hash32, *, owner: Address = bureau) -> None:
        self.do(owner, SCHEMAS_NAME, "accredit", [schema, agency, self.now])

    def attest(
        self,
        uid: Hash32,
        schema: Hash32,
        *,
        issuer: Address = laboratory,
        previous: Hash32 = NOTHING,
        valid_until: int = 0,
    ) -> list[DecodedLog]:
        return self.do(
            issuer,
            ATTESTATIONS_NAME,
            "attest",
            attest_args(self, uid, schema, previous=previous, valid_until=valid_until),
        )


def attest_args(ledger: Ledger, uid: Hash32, schema: Hash32, /, **changes: Any) -> list[Any]:
    """The arguments of `attest`, each of which a test may change by name."""
    fields = {
        "uid": uid,
        "schema": schema,
        "commitment": Hash32(b"\xc0" * 32),
        "alg": int(CommitmentAlgorithm.SHA256),
        "valid_until": 0,
        "event_time": ledger.now,
        "previous": NOTHING,
    }
    assert changes.keys() <= fields.keys()
    return list((fields | changes).values())


def batch_args(ledger: Ledger, uid: Hash32, schema: Hash32, /, **changes: Any) -> list[Any]:
    """The arguments of `attest_batch`, each of which a test may change by name."""
    fields = {
        "uid": uid,
        "schema": schema,
        "root": uid_of(7),
        "count": 3,
        "alg": int(CommitmentAlgorithm.SM3),
        "event_time": ledger.now,
    }
    assert changes.keys() <= fields.keys()
    return list((fields | changes).values())


def set_state(
    ledger: Ledger, uid: Hash32, state: int, reason: int = 1, *, sender: Address = laboratory
) -> list[DecodedLog]:
    """Change the state of a record that the laboratory issued."""
    args = [uid, state, reason, ledger.now]
    return ledger.do(sender, ATTESTATIONS_NAME, "set_state", args)


def decode_events(outcome: Outcome) -> list[DecodedLog]:
    return [
        decode_log(PROXIES[address], topics, data)
        for address, topics, data in outcome.logs
        if address in PROXIES
    ]


@cache
def _get_alloc(spec: GenesisSpec) -> dict[Address, dict[str, Any]]:
    return {
        Address(bytes.fromhex(address[2:])): {
            "code": bytes.fromhex(account["code"][2:]),
            "nonce": int(account["nonce"], 16),
            "storage": {
                int(slot, 16): int(value, 16) for slot, value in account.get("storage", {}).items()
            },
        }
        for address, account in build_genesis(spec)["alloc"].items()
    }


__all__ = [
    "ATTESTATIONS",
    "AUDITOR",
    "BUREAU",
    "COMMISSION",
    "LABORATORY",
    "REGISTRY",
    "SCHEMAS",
    "Ledger",
    "attest_args",
    "batch_args",
    "decode_events",
    "set_state",
]

"""What every call costs, through the proxies; docs/contracts.md lists it."""

import re
from pathlib import Path
from typing import Any

from eth_typing import Address, Hash32
from eth_utils.crypto import keccak

from contracts.codes import RecordState, Role
from contracts.decisions import DecisionKind, encode_payload
from contracts.scratch import Outcome
from tests.contracts.contract_harness import (
    BUREAU,
    COMMISSION,
    LABORATORY,
    NOTHING,
    Ledger,
    bureau,
    commission,
    laboratory,
)
from tests.contracts.governance_gas import measure_governance
from tests.contracts.law_gas import measure_law

DOCUMENT = Path(__file__).parents[2] / "docs" / "contracts.md"
ROW = re.compile(r"^\| (?P<call>[^|`]*`[^|]+?) +\| +(?P<gas>[0-9,]+) \|$", re.MULTILINE)
LIMIT_PER_TRANSACTION = 3_000_000
LIMIT_PER_ATTESTATION = 150_000


def measure() -> dict[str, int]:
    """Run every call of the ledger once, with arguments as long as real ones."""
    ledger = Ledger()
    gas: dict[str, int] = {}

    def run(label: str | None, sender: Address, contract: str, function: str, *args: Any) -> None:
        outcome: Outcome = ledger.send(sender, contract, function, args)
        assert outcome.succeeded, outcome.reason
        if label is not None:
            gas[label] = outcome.gas_used
        ledger.pass_time()

    def draw(number: int) -> Hash32:
        return Hash32(keccak(number.to_bytes(4, "big")))

    schema, now = draw(1), ledger.now
    registered = (schema, draw(2), draw(3), 24, now, NOTHING)
    run("`schemas.register`", bureau, "schemas", "register", *registered)
    for agency in (COMMISSION, LABORATORY):
        run("`schemas.accredit`", bureau, "schemas", "accredit", schema, agency, now)
    until = now + 10**8
    for label, number in (("the issuer's first `attest`", 10), ("`attest`", 11)):
        args = (draw(number), schema, draw(number + 1000), 1, until, now, NOTHING)
        run(label, laboratory, "attestations", "attest", *args)
    args = (draw(12), schema, draw(1012), 1, until, now, draw(11))
    run("`attest` that supersedes", laboratory, "attestations", "attest", *args)
    batch = (draw(13), schema, draw(1013), 50_000, 1, now)
    run("`attest_batch`", laboratory, "attestations", "attest_batch", *batch)
    state = (draw(12), RecordState.SUSPENDED, 5, now)
    run("`attestations.set_state`", laboratory, "attestations", "set_state", *state)
    leaf = (draw(13), 4711, RecordState.REVOKED, 1, now)
    run("`set_leaf_state`", laboratory, "attestations", "set_leaf_state", *leaf)
    ending = (schema, COMMISSION, 3, now)
    label = "`schemas.withdraw_accreditation`"
    run(label, bureau, "schemas", "withdraw_accreditation", *ending)
    run("`schemas.set_state`", bureau, "schemas", "set_state", schema, 2, 3, now)
    key = (Address(draw(20)[:20]), int(Role.ISSUE), now, until)
    run("`add_own_key`", bureau, "agency_registry", "add_own_key", *key)
    run("`revoke_own_key`", bureau, "agency_registry", "revoke_own_key", key[0])
    run("`add_own_pin`", bureau, "agency_registry", "add_own_pin", draw(21), now, until)
    run("`withdraw_own_pin`", bureau, "agency_registry", "withdraw_own_pin", draw(21))
    for kind, values in (
        (DecisionKind.ADD_VALIDATOR, [BUREAU, Address(draw(22)[:20])]),
        (
            DecisionKind.ADMIT_AGENCY,
            [draw(23), draw(24), draw(25), 7, Address(draw(26)[:20]), draw(27)],
        ),
    ):
        name = kind.name.lower().replace("_", " ")
        payload = encode_payload(kind, values)
        proposal = (int(kind), payload, draw(28), now + 86400)
        run(f"`propose` to {name}", bureau, "agency_registry", "propose", *proposal)
        number = ledger.registry("proposal_count")
        run(None, bureau, "agency_registry", "vote", number, True)
        run("`vote`", laboratory, "agency_registry", "vote", number, True)
        label = f"the deciding `vote` to {name}"
        run(label, commission, "agency_registry", "vote", number, True)
    return gas


def test_gas_is_as_documented_and_within_its_limits() -> None:
    measured = measure() | measure_law() | measure_governance()
    documented = {
        row["call"]: int(row["gas"].replace(",", ""))
        for row in ROW.finditer(DOCUMENT.read_text(encoding="utf-8"))
    }
    table = "\n".join(f"| {call} | {gas:,} |" for call, gas in measured.items())
    assert documented == measured, f"docs/contracts.md should list:\n{table}"
    assert max(measured.values()) < LIMIT_PER_TRANSACTION
    assert measured["`attest`"] < LIMIT_PER_ATTESTATION

"""What schemas, attestations, keys and the first kinds of decisions cost, through the proxies."""

from eth_typing import Address

from contracts.codes import RecordState, Role
from contracts.decisions import DecisionKind, encode_payload
from tests.contracts.contract_harness import (
    BUREAU,
    COMMISSION,
    LABORATORY,
    NOTHING,
    bureau,
    commission,
    laboratory,
)
from tests.contracts.gas_meter import Meter, draw


def measure_records(meter: Meter) -> None:
    """Run the calls once, with arguments as long as real ones."""
    now = meter.ledger.now
    _measure_schemas(meter, now)
    _measure_attestations(meter, now)
    ending = (draw(1), COMMISSION, 3, now)
    label = "schemas.withdraw_accreditation"
    meter.run(label, bureau, "schemas", "withdraw_accreditation", *ending)
    meter.run("schemas.set_state", bureau, "schemas", "set_state", draw(1), 2, 3, now)
    _measure_keys(meter, now)
    _measure_decisions(meter, now)


def _measure_schemas(meter: Meter, now: int) -> None:
    registered = (draw(1), draw(2), draw(3), 24, now, NOTHING)
    meter.run("schemas.register", bureau, "schemas", "register", *registered)
    for agency in (COMMISSION, LABORATORY):
        meter.run("schemas.accredit", bureau, "schemas", "accredit", draw(1), agency, now)


def _measure_attestations(meter: Meter, now: int) -> None:
    schema, until = draw(1), now + 10**8
    for label, number in (("attest` as the issuer's `first", 10), ("attest", 11)):
        args = (draw(number), schema, draw(number + 1000), 1, until, now, NOTHING)
        meter.run(label, laboratory, "attestations", "attest", *args)
    args = (draw(12), schema, draw(1012), 1, until, now, draw(11))
    meter.run("attest` in place of an `older", laboratory, "attestations", "attest", *args)
    batch = (draw(13), schema, draw(1013), 50_000, 1, now)
    meter.run("attest_batch", laboratory, "attestations", "attest_batch", *batch)
    state = (draw(12), RecordState.SUSPENDED, 5, now)
    meter.run("attestations.set_state", laboratory, "attestations", "set_state", *state)
    leaf = (draw(13), 4711, RecordState.REVOKED, 1, now)
    meter.run("set_leaf_state", laboratory, "attestations", "set_leaf_state", *leaf)


def _measure_keys(meter: Meter, now: int) -> None:
    until = now + 10**8
    key = (Address(draw(20)[:20]), int(Role.ISSUE), now, until)
    meter.run("add_own_key", bureau, "agency_registry", "add_own_key", *key)
    meter.run("revoke_own_key", bureau, "agency_registry", "revoke_own_key", key[0])
    meter.run("add_own_pin", bureau, "agency_registry", "add_own_pin", draw(21), now, until)
    meter.run("withdraw_own_pin", bureau, "agency_registry", "withdraw_own_pin", draw(21))


def _measure_decisions(meter: Meter, now: int) -> None:
    admitted = [draw(23), draw(24), draw(25), 7, Address(draw(26)[:20]), draw(27)]
    for name, kind, values in (
        ("add_validator", DecisionKind.ADD_VALIDATOR, [BUREAU, Address(draw(22)[:20])]),
        ("admit_agency", DecisionKind.ADMIT_AGENCY, admitted),
    ):
        proposal = (int(kind), encode_payload(kind, values), draw(28), now + 86400)
        label = f"propose` to `{name}"
        meter.run(label, bureau, "agency_registry", "propose", *proposal)
        number = meter.ledger.registry("proposal_count")
        meter.run(None, bureau, "agency_registry", "vote", number, True)
        meter.run("vote", laboratory, "agency_registry", "vote", number, True)
        label = f"vote` that decides to `{name}"
        meter.run(label, commission, "agency_registry", "vote", number, True)

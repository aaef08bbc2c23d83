"""What the smaller calls cost, which the table of documents leaves out."""

from contracts.codes import Role
from contracts.decisions import DecisionKind, encode_payload
from tests.contracts.consent_harness import CONSENT, record
from tests.contracts.contract_harness import (
    BUREAU,
    FIRST_SCHEMA,
    LABORATORY,
    Ledger,
    auditor,
    bureau,
    commission,
    laboratory,
)
from tests.contracts.exchange_harness import build_ledger, request_conditional, request_standing
from tests.contracts.gas_meter import Meter, draw
from tests.contracts.law_harness import INSTRUMENT, ORDINARY, STATUTE_BASIS


def measure_small(meter: Meter) -> None:
    """Run each of them once."""
    meter.ledger = build_ledger()
    _measure_exchanges(meter)
    _measure_law(meter)
    meter.ledger = Ledger()
    _measure_policies(meter)
    _measure_house(meter)


def _measure_exchanges(meter: Meter) -> None:
    ledger = meter.ledger
    request_conditional(ledger, draw(1))
    meter.run(None, laboratory, "exchanges", "cancel", draw(1), ledger.now)
    request_standing(ledger, draw(2))
    meter.run(None, laboratory, "exchanges", "end", draw(2), 1, ledger.now)
    record(ledger, agency=commission)
    meter.run(None, bureau, "consents", "demand_confirmation", CONSENT, ledger.now)
    meter.run(None, laboratory, "consents", "confirm", CONSENT, draw(3), ledger.now)


def _measure_law(meter: Meter) -> None:
    for sender, contract, function, uid in (
        (bureau, "catalogue", "set_dataset_state", ORDINARY),
        (auditor, "bases", "set_basis_state", STATUTE_BASIS),
        (auditor, "bases", "set_instrument_state", INSTRUMENT),
    ):
        meter.run(None, sender, contract, function, uid, 2, 3, meter.ledger.now)


def _measure_policies(meter: Meter) -> None:
    ledger = meter.ledger
    ledger.register_schema()
    sides = [name.ljust(32, b"\0") for name in (b"MO", b"CN-GD")]
    terms = (*sides, FIRST_SCHEMA, 86_400, 2, ledger.now, ledger.now + 10**8, draw(4))
    ledger.do(bureau, "policies", "propose_policy", [draw(5), terms, [LABORATORY], ledger.now])
    ledger.do(commission, "policies", "sign_policy", [draw(5), draw(4), ledger.now])
    ledger.do(bureau, "policies", "suspend_policy", [draw(5), 5, ledger.now])
    meter.run(None, bureau, "policies", "reinstate_policy", draw(5), 5, ledger.now)
    meter.run(None, commission, "policies", "end_policy", draw(5), 3, ledger.now)


def _measure_house(meter: Meter) -> None:
    ledger, key = meter.ledger, draw(9)[:20]
    payload = encode_payload(DecisionKind.SET_PROFILE, [BUREAU, draw(6)])
    kind = int(DecisionKind.SET_PROFILE)
    proposed = [kind, payload, draw(7), ledger.now + 86_400]
    ledger.do(bureau, "agency_registry", "propose", proposed)
    meter.run(None, bureau, "agency_registry", "withdraw_proposal", 1)
    ledger.do(bureau, "posts", "establish", [draw(8), draw(10), ledger.now])
    appointed = (draw(11), 0, 0, draw(12))
    ledger.do(bureau, "posts", "appoint", [draw(8), 0, appointed, ledger.now])
    ledger.do(bureau, "agency_registry", "add_own_key", [key, int(Role.ISSUE), 0, 0])
    meter.run(None, bureau, "posts", "assign_key", draw(8), key, ledger.now)
    meter.run(None, bureau, "posts", "end_key", draw(8), key, ledger.now)

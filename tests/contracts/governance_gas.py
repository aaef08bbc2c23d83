"""What governing costs, through the proxies: waiting decisions, pauses, posts."""

from contracts.codec import encode_call
from contracts.codes import Role
from contracts.decisions import DecisionKind, encode_payload
from contracts.testkeys import get_private_key
from tests.contracts.contract_harness import (
    BUREAU,
    LABORATORY,
    Ledger,
    auditor,
    bureau,
    commission,
    laboratory,
    stranger,
)
from tests.contracts.gas_meter import Meter, draw
from tests.contracts.law_harness import build_domain, relay_args
from tests.contracts.timelock_harness import DAY, ORDINARY, build_ledger

HOLDER = 0
MOST_KEYS = 4


def measure_governance(meter: Meter) -> None:
    """Run the calls once, with arguments as long as real ones."""
    measure_waiting(meter)
    meter.ledger = Ledger()
    measure_pauses(meter)
    measure_posts(meter)


def measure_waiting(meter: Meter) -> None:
    meter.ledger = build_ledger()
    payload = encode_payload(DecisionKind.SET_PROFILE, [BUREAU, draw(1)])
    until = meter.ledger.now + DAY
    proposed = (int(DecisionKind.SET_PROFILE), payload, draw(2), until)
    meter.run(None, bureau, "agency_registry", "propose", *proposed)
    for voter in (bureau, laboratory):
        meter.run(None, voter, "agency_registry", "vote", 1, True)
    vote = encode_call("agency_registry", "vote", [1, False])
    signed = relay_args(
        build_domain(meter.ledger, "agency_registry"),
        laboratory,
        get_private_key(1, "account"),
        vote,
    )
    meter.run("relay` of a `vote", stranger, "agency_registry", "relay", *signed)
    meter.run(None, laboratory, "agency_registry", "vote", 1, True)
    label = "vote` that begins a decision's `wait"
    meter.run(label, commission, "agency_registry", "vote", 1, True)
    meter.ledger.pass_time(ORDINARY)
    meter.run("carry_out` a new `profile", auditor, "agency_registry", "carry_out", 1)


def measure_pauses(meter: Meter) -> None:
    meter.run("pause_own", bureau, "agency_registry", "pause_own", 0)
    meter.run("resume_own", bureau, "agency_registry", "resume_own")
    paused = (LABORATORY, meter.ledger.now + DAY, draw(3))
    meter.run("pause_agency", auditor, "agency_registry", "pause_agency", *paused)
    meter.run("lift_pause", auditor, "agency_registry", "lift_pause", LABORATORY)


def measure_posts(meter: Meter) -> None:
    ledger, until = meter.ledger, meter.ledger.now + 10**8
    meter.run("establish", bureau, "posts", "establish", draw(10), draw(11), ledger.now)
    for seat in range(5):
        appointed = (draw(20 + seat), 0, until, draw(30 + seat))
        label = "appoint" if seat == HOLDER else None
        meter.run(label, bureau, "posts", "appoint", draw(10), seat, appointed, ledger.now)
    for number in range(MOST_KEYS):
        key = (draw(40 + number)[:20], int(Role.ISSUE), until)
        label = None if number else "give_key"
        meter.run(label, bureau, "posts", "give_key", draw(10), key, ledger.now)
    keys = [(draw(50 + number)[:20], int(Role.ISSUE), until) for number in range(MOST_KEYS)]
    # All that can change at once: holder, four deputies, four keys.
    handed = (draw(10), (draw(60), 0, until, draw(61)), keys, True, ledger.now)
    meter.run("hand_over` with four deputies and four `keys", bureau, "posts", "hand_over", *handed)
    ended = (draw(10), HOLDER, 0, draw(62), ledger.now)
    meter.run("end_term` of the holder, with four `keys", bureau, "posts", "end_term", *ended)
    meter.run("abolish", bureau, "posts", "abolish", draw(10), draw(63), ledger.now)

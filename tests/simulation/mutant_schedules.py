"""Schedules in which a certain planted bug can be seen."""

from collections.abc import Callable
from dataclasses import replace

from consensus.genesis_config import QbftConfig
from tests.simulation.keys import CONTRACT
from tests.simulation.schedule import Fault, Schedule, make_schedule


def in_profile(profile: str) -> Callable[[int], Schedule]:
    return lambda seed: make_schedule(seed, profile)


def six_in_halves(seed: int) -> Schedule:
    schedule = make_schedule(seed, "calm")
    names = [f"v{number}" for number in range(1, 7)]
    split = Fault(at_ms=500 + seed, kind="partition", groups=(tuple(names[:3]), tuple(names[3:])))
    return replace(schedule, validators=6, faults=(split, *schedule.faults))


def without_execution(seed: int) -> Schedule:
    """All executors are far too slow for four minutes, so rounds pass without a block."""
    schedule = make_schedule(seed, "calm")
    names = tuple(f"v{number}" for number in range(1, 5))
    stuck = Fault(at_ms=100, kind="execution", targets=names, value=10_000_000)
    return replace(
        schedule,
        validators=4,
        faults=(stuck,),
        fault_time_ms=270_000,
        config=replace(schedule.config, request_timeout_s=1),
    )


def traitors(tactic: str) -> Callable[[int], Schedule]:
    """Four validators, one of them with exactly this tactic."""

    def make(seed: int) -> Schedule:
        schedule = make_schedule(seed, "network" if seed % 2 else "calm")
        traitor = (1 + seed % 4, frozenset({tactic}))
        return replace(schedule, validators=4, faults=_within_four(schedule), traitors=(traitor,))

    return make


def final_at_one(seed: int) -> Schedule:
    """Height 1 becomes final at v1 alone, which then falls silent; the others only prepared it."""
    schedule = make_schedule(seed, "calm")
    return replace(
        schedule,
        validators=4,
        config=QbftConfig(validator_contract=CONTRACT),
        faults=(
            Fault(at_ms=0, kind="delay", value=10),
            Fault(at_ms=1_032 + seed % 5, kind="deafen", targets=("v2", "v3", "v4")),
            Fault(at_ms=1_400, kind="reconnect"),
            Fault(at_ms=1_400, kind="mute", targets=("v1",)),
        ),
    )


def usurped(seed: int) -> Schedule:
    """The same, and the proposer of the next round is a forger."""
    return replace(final_at_one(seed), traitors=((2, frozenset({"forge"})),))


def two_prepared(seed: int) -> Schedule:
    """v3 alone prepares a block in round 0, the others another in round 1, final at v1 alone."""
    return replace(
        final_at_one(seed),
        faults=(
            Fault(at_ms=0, kind="delay", value=10),
            Fault(at_ms=1_022 + seed % 5, kind="deafen", targets=("v1", "v2", "v4")),
            Fault(at_ms=1_500, kind="reconnect"),
            Fault(at_ms=1_500, kind="deafen", targets=("v3",)),
            Fault(at_ms=1_500, kind="mute", targets=("v3",)),
            Fault(at_ms=2_042 + seed % 5, kind="deafen", targets=("v2", "v4")),
            Fault(at_ms=4_050, kind="reconnect"),
            Fault(at_ms=4_050, kind="mute", targets=("v1",)),
        ),
    )


def _within_four(schedule: Schedule) -> tuple[Fault, ...]:
    names = {f"v{number}" for number in range(1, 5)}
    return tuple(
        fault
        for fault in schedule.faults
        if set(fault.targets) <= names and all(set(group) <= names for group in fault.groups)
    )

"""Makes a failing schedule small: leaves out what is not needed for it to fail."""

from collections.abc import Callable
from dataclasses import replace

from tests.simulation.schedule import Schedule, without
from tests.simulation.simulator import Outcome, simulate

MAX_RUNS = 200


def shrink(
    schedule: Schedule, run: Callable[[Schedule], Outcome] = simulate
) -> tuple[Schedule, Outcome]:
    """Return a smaller schedule that breaks the same property, and its outcome."""
    best, outcome = schedule, run(schedule)
    assert not outcome.is_good, "only failing schedules are shrunk"
    kind = outcome.failure.split(":")[0]
    runs = 0
    progress = True
    while progress and runs < MAX_RUNS:
        progress = False
        for candidate in _simplify(best):
            runs += 1
            result = run(candidate)
            if not result.is_good and result.failure.split(":")[0] == kind:
                best, outcome, progress = candidate, result, True
                break
            if runs >= MAX_RUNS:
                break
    return best, outcome


def _simplify(schedule: Schedule) -> list[Schedule]:
    candidates = [without(schedule, index) for index in reversed(range(len(schedule.faults)))]
    if schedule.traitors:
        candidates.append(replace(schedule, traitors=schedule.traitors[1:]))
    if schedule.observers:
        candidates.append(replace(schedule, observers=0))
    if schedule.has_relays:
        candidates.append(replace(schedule, has_relays=False))
    return candidates

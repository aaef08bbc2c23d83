"""Every planted bug is found, by the property that it breaks, and only while it is planted."""

from pathlib import Path

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.runner import main, run_mutant
from tests.simulation.schedule import make_schedule
from tests.simulation.shrink import shrink
from tests.simulation.simulator import Outcome, simulate

EXPECTED = {
    "quorum-2f+1": {"seals", "agreement"},
    "certificate-unchecked": {"agreement"},
    "duplicate-authors": {"agreement"},
    "timer-after-import": {"finality"},
    "old-height-accepted": {"finality"},
    "forgotten-sign-state": {"order", "contradiction"},
    "resumes-too-low": {"order", "contradiction"},
    "torn-state-replaced": {"damage"},
    "slow-write-unawaited": {"durability"},
    "proposes-again": {"order", "contradiction"},
    "wrong-round-digest": {"liveness"},
    "seal-over-block-hash": {"liveness", "validity"},
    "no-jump": {"jump"},
    "jump-after-one": {"runaway"},
    "uncapped-timeout": {"liveness"},
    "certificate-forgotten": {"agreement"},
    "sends-before-it-writes": {"durability"},
    "lowest-prepared-wins": {"agreement"},
    "seal-unchecked": {"validity"},
    "execution-unchecked": {"validity"},
}


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_mutant_is_found_by_its_property(name: str) -> None:
    mutant = MUTANTS[name]
    outcome = run_mutant(mutant, 0, mutant.within)
    assert outcome is not None, f"{name} survived {mutant.within} schedules"
    assert outcome.failure.split(":")[0] in EXPECTED[name]
    genuine = simulate(outcome.schedule)
    assert genuine.is_good, f"without the bug: {genuine.failure}"


def test_mutants_are_at_least_fourteen() -> None:
    assert len(MUTANTS) >= 14
    assert set(EXPECTED) == set(MUTANTS)


def test_shrink_leaves_only_what_is_needed() -> None:
    schedule = make_schedule(3, "network")
    assert len(schedule.faults) > 2

    def run(candidate: object) -> Outcome:
        assert hasattr(candidate, "faults")
        kinds = [fault.kind for fault in candidate.faults]
        is_bad = schedule.faults[0].kind in kinds
        return Outcome(schedule=schedule, violation="toy: it is there" if is_bad else "")

    small, outcome = shrink(schedule, run)
    assert len(small.faults) == 1
    assert outcome.violation


def test_runner_reports_and_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "progress.json"
    arguments = ["--first", "500", "--profile", "calm", "--workers", "1", "--resume", str(state)]
    assert main(["--seeds", "2", *arguments]) == 0
    assert main(["--seeds", "4", *arguments]) == 0
    said = capsys.readouterr().out
    assert "simulated 2 schedules: 0 safety violations, 0 liveness failures" in said
    assert "simulated 4 schedules: 0 safety violations, 0 liveness failures" in said


def test_runner_ends_red_and_names_the_property(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "2", "--inject", "sends-before-it-writes"]) == 1
    said = capsys.readouterr().out
    assert "violated property: durability" in said
    assert "shrunk from" in said

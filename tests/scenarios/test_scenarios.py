"""Plays every scenario file and compares what happens with what is written."""

import os
from pathlib import Path

import pytest

from tests.simulation.scenario import play

FILES = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenario_happens_as_written(path: Path) -> None:
    written = path.read_text(encoding="utf-8")
    happened = play(written)
    if os.environ.get("ATESTA_UPDATE_SCENARIOS"):
        path.write_text(happened, encoding="utf-8")
    assert happened == play(written), "a scenario is the same every time"
    if not os.environ.get("ATESTA_UPDATE_SCENARIOS"):
        assert happened == written


def test_scenario_files_are_there() -> None:
    assert len(FILES) >= 10

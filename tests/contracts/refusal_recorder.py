"""A plugin of pytest that writes down with which texts the contracts refused during a run.

`pytest -p tests.contracts.refusal_recorder tests/contracts`; the file is named by the environment.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import FoundingFailed
from contracts.scratch import Outcome, ScratchState

PATH_VARIABLE = "ATESTA_TEST_REFUSALS"

_heard: set[str] = set()


def pytest_configure(config: pytest.Config) -> None:
    """Listen to every call and every constructor that a scratch state runs."""
    run, create = ScratchState._run, ScratchState.create

    def listen(self: ScratchState, *args: Any) -> Outcome:
        outcome = run(self, *args)
        if outcome.reason is not None:
            _heard.add(outcome.reason)
        return outcome

    def listen_to_constructor(self: ScratchState, *args: Any) -> None:
        try:
            create(self, *args)
        except FoundingFailed as failed:
            _heard.add(str(failed).partition(": ")[2])
            raise

    patch = pytest.MonkeyPatch()
    patch.setattr(ScratchState, "_run", listen)
    patch.setattr(ScratchState, "create", listen_to_constructor)
    config.add_cleanup(patch.undo)


def pytest_sessionfinish() -> None:
    """Write the texts down, in alphabetical order."""
    Path(os.environ[PATH_VARIABLE]).write_text(json.dumps(sorted(_heard)), encoding="utf-8")

"""Every text of the table of refusals is heard from a contract in a run of these tests."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.refusals import load_refusals
from tests.contracts.refusal_recorder import PATH_VARIABLE

ROOT = Path(__file__).parents[2]
UNREACHABLE = {
    "consent: not live": "said only if `consents.check` answered no; it refuses instead",
    "mandate: not live": "said only if `mandates.check` answered no; it refuses instead",
}
"""Texts that no call brings about, and why: they guard against another contract's answer."""


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_every_refusal_is_heard_from_a_contract(tmp_path: Path) -> None:
    heard = tmp_path / "heard.json"
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "tests.contracts.refusal_recorder"),
            *("-p", "no:cacheprovider", "--timeout", "1800", "tests/contracts"),
        ],
        cwd=ROOT,
        env=os.environ | {PATH_VARIABLE: str(heard)},
        check=True,
    )
    texts = set(json.loads(heard.read_text(encoding="utf-8")))
    assert load_refusals().keys() - texts == UNREACHABLE.keys()

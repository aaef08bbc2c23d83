"""The tutorial runs as it stands, block after block, at three agencies of one ledger."""

import re
from pathlib import Path
from typing import Any

import pytest
from atesta_client.rest import Client

from tests.unit.client.served_world import serve_agencies

TUTORIAL = Path(__file__).parents[3] / "client" / "TUTORIAL.md"


def test_tutorial_runs_from_the_first_block_to_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = TUTORIAL.read_text(encoding="utf-8")
    blocks = [
        (text[: match.start()].count("\n") + 2, match.group(1))
        for match in re.finditer(r"```python\n(.*?)```", text, flags=re.DOTALL)
    ]
    assert len(blocks) >= 12
    with serve_agencies(tmp_path, ("laboratory", "bureau", "supervisor")) as urls:
        monkeypatch.setenv("OFFICE", urls["laboratory"])
        monkeypatch.setenv("TAX", urls["bureau"])
        monkeypatch.setenv("SUPERVISOR", urls["supervisor"])
        names: dict[str, Any] = {"__name__": "tutorial"}
        try:
            for line, block in blocks:
                # Faults point to the line of the tutorial.
                exec(compile("\n" * (line - 1) + block, str(TUTORIAL), "exec"), names)
        finally:
            for value in names.values():
                if isinstance(value, Client):
                    value.close()
    printed = capsys.readouterr().out
    assert "received {'income_band': 'B', 'year': 2025}" in printed
    assert "line 21 " in printed
    assert "at once | consent_not_for_these_fields" in printed
    assert "revoked signed by resident" in printed
    assert "tells https://hooks.example.org/atesta" in printed
    assert "valid | /over_18 True on 20" in printed
    assert "was shown before" in printed
    assert "own_ledger_missing | consumer | " in printed

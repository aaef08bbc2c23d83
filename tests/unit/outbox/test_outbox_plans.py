"""The list of operations goes through no more rows than its rarest filter has."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from api.databases import open_database
from api.outbox.store import list_operations
from api.outbox.tables import METADATA


@pytest.mark.parametrize("before", [None, 7])
@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({"state": "final"}, "operations_by_state (state=?"),
        ({"uid": bytes(32)}, "ix_operations_uid (uid=?"),
        ({"state": "final", "uid": bytes(32)}, "ix_operations_uid (uid=?"),
    ],
    ids=["state", "uid", "both"],
)
def test_operations_are_listed_by_their_rarest_filter(
    tmp_path: Path, filters: dict[str, Any], index: str, before: int | None
) -> None:
    sent: list[tuple[str, Any]] = []

    def note(*told: Any) -> None:
        sent.append((told[2], told[3]))

    path = tmp_path / "outbox.sqlite"
    database = open_database(path, METADATA, name="outbox")
    event.listen(Engine, "before_cursor_execute", note)
    wanted: dict[str, Any] = {"state": None, "uid": None} | filters
    database.read_now(lambda c: list_operations(c, limit=101, before=before, **wanted))
    event.remove(Engine, "before_cursor_execute", note)
    database.close()
    with sqlite3.connect(path) as connection:
        plan = [
            row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sent[-1][0]}", sent[-1][1])
        ]
    assert len(plan) == 1
    assert f"SEARCH operations USING INDEX {index}" in plan[0]

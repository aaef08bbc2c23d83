"""Every commit of the API's databases is told to the watch, and happens inside its enclosure."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, create_engine, insert, select

from api.databases import Unwatched, open_database
from node.storage.crashpoints import CrashMoment, CrashPlan, CrashPoints

METADATA = MetaData()
ROWS = Table("rows", METADATA, Column("id", Integer, primary_key=True))


class Died(BaseException):
    """Stands for SIGKILL."""


class Watch:
    """Notes each commit with the rows that another connection sees before and after it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.seen: list[tuple[str, int, int]] = []

    @contextmanager
    def around(self, kind: str) -> Iterator[None]:
        before = count_rows(self._path)
        yield
        self.seen.append((kind, before, count_rows(self._path)))


def count_rows(path: Path) -> int:
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            if not engine.dialect.has_table(connection, "rows"):
                return -1
            return len(connection.execute(select(ROWS)).all())
    finally:
        engine.dispose()


def add(connection: Connection) -> None:
    connection.execute(insert(ROWS))


def test_commits_happen_inside_the_enclosure(tmp_path: Path) -> None:
    path = tmp_path / "watched.sqlite"
    watch = Watch(path)
    database = open_database(path, METADATA, name="outbox", watch=watch)
    database.write_now(add)
    database.write_now(add)
    database.close()
    assert watch.seen == [("outbox", -1, 0), ("outbox", 0, 1), ("outbox", 1, 2)]


@pytest.mark.parametrize(("moment", "rows"), [(CrashMoment.BEFORE, 1), (CrashMoment.AFTER, 2)])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_planned_death_comes_before_or_after_the_commit(
    tmp_path: Path, moment: CrashMoment, rows: int
) -> None:
    def die() -> None:
        raise Died

    path = tmp_path / "planned.sqlite"
    points = CrashPoints(CrashPlan(number=3, kind="index", moment=moment), die=die)
    database = open_database(path, METADATA, name="index", watch=points)
    database.write_now(add)
    never_answered = database._submit(add)
    database._writer.join(timeout=60)
    assert not database._writer.is_alive()
    assert not never_answered.done(), "it was answered although the process had died"
    assert count_rows(path) == rows
    assert points.counts == {"index": 3}


def test_operation_watches_nothing() -> None:
    with Unwatched().around("vault") as enclosure:
        assert enclosure is None

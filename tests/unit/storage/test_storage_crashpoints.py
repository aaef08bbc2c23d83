"""Durable writes are numbered, and the planned one kills the process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from node.errors import UserFault
from node.storage.crashpoints import (
    VARIABLE,
    CrashMoment,
    CrashPlan,
    CrashPoints,
    read_crash_points,
)


class Died(BaseException):
    """What a test throws in place of SIGKILL."""


def die() -> None:
    raise Died


def test_writes_are_counted_by_kind() -> None:
    points = CrashPoints(CrashPlan(number=1_000))
    for kind in ("block", "journal", "block"):
        with points.around(kind) as is_torn:
            assert not is_torn
    assert points.total == 3
    assert points.counts == {"block": 2, "journal": 1}


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("2", ["first"]),
        ("2:before", ["first"]),
        ("2:after", ["first", "second"]),
        ("2:torn", ["first", "half"]),
        ("block:2", ["first", "second"]),
        ("block:2:after", ["first", "second", "third"]),
        ("journal:1:torn", ["first", "half"]),
        ("block:9", ["first", "second", "third"]),
    ],
)
def test_process_dies_at_the_planned_write(text: str, done: list[str]) -> None:
    plan = read_crash_points({VARIABLE: text})._plan
    points = CrashPoints(plan, die=die)
    written: list[str] = []
    try:
        for kind, name in (("block", "first"), ("journal", "second"), ("block", "third")):
            with points.around(kind) as is_torn:
                written.append("half" if is_torn else name)
    except Died:
        assert text != "block:9"
    assert written == done


def test_without_the_variable_nothing_is_planned_or_counted() -> None:
    points = read_crash_points({})
    assert points._plan is None
    with points.around("block") as is_torn:
        assert not is_torn
    assert points.around("block") is points.around("mempool")
    assert points.total == 0
    assert read_crash_points({VARIABLE: "block:3:torn"})._plan == CrashPlan(
        number=3, kind="block", moment=CrashMoment.TORN
    )


@pytest.mark.parametrize("text", ["block", "0", "x:y", "1:never", "block:1:torn:more", ":::"])
def test_malformed_plan_is_refused_by_the_name_of_the_variable(text: str) -> None:
    with pytest.raises(UserFault) as caught:
        read_crash_points({VARIABLE: text})
    assert caught.value.field == VARIABLE


PROGRAM = """
import os, sys
from pathlib import Path
from node.storage.crashpoints import read_crash_points
from node.storage.kv import WriteBatch
from node.storage.level import LevelStore
store = LevelStore(Path(sys.argv[1]), crash_points=read_crash_points(os.environ))
for number in range(5):
    batch = WriteBatch()
    batch.put(b"k%d" % number, b"v")
    store.write(batch, kind="block")
"""


@pytest.mark.processes
@pytest.mark.parametrize(("text", "count"), [("block:3", 2), ("block:3:after", 3)])
def test_real_process_is_killed_at_the_planned_write(tmp_path: Path, text: str, count: int) -> None:
    from node.storage.level import LevelStore

    path = tmp_path / "store"
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)],
        env={**os.environ, VARIABLE: text},
        check=False,
        timeout=180,
    )
    assert result.returncode == -signal.SIGKILL
    store = LevelStore(path)
    assert len(list(store.iterate(b"k"))) == count
    store.close()

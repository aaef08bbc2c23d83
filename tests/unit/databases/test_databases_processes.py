"""Several processes on one database, and a server that goes away and comes back."""

import asyncio
import contextlib
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sized
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, create_engine, insert, select
from sqlalchemy.engine import make_url

from api import database_engines
from api.databases import Database, open_database
from api.errors import InvalidField, UpstreamFault
from scripts.postgresql.server import PostgresMissing, PostgresServer, make_postgres
from tests.engines import NewDatabase
from tests.unit.vault.vault_kit import Kit

METADATA = MetaData()
ROWS = Table("rows", METADATA, Column("id", Integer, primary_key=True, autoincrement=False))
PASSWORD = "Lotus-1999-secret"
ROOT = Path(__file__).parents[3]
WORKER = "tests.unit.databases.competing_process"


def add(number: int, connection: Connection) -> int:
    connection.execute(insert(ROWS).values(id=number))
    return number


def read_rows(connection: Connection) -> set[int]:
    return set(connection.execute(select(ROWS.c.id)).scalars())


@pytest.mark.processes
def test_processes_that_read_decide_and_write_follow_each_other(
    database_urls: NewDatabase, tmp_path: Path
) -> None:
    names, count, certificates = ("north", "south"), 16, 6
    vault = Kit(url=database_urls("vault"), folder=tmp_path)
    uids = {
        name: [vault.put(number).record.uid.hex() for number in range(certificates)]
        for name in names
    }
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [
                        *(sys.executable, "-m", WORKER, database_urls("outbox"), vault.url),
                        *(str(tmp_path), name, str(count), ",".join(uids[name])),
                    ],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=ROOT,
                )
            )
            for name in names
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    vault.close()
    total = len(names) * count
    # Of two claims on one certificate exactly one is earlier.
    assert [sum(pair) for pair in zip(*(a.pop("claims") for a in answers), strict=True)] == (
        [1] * certificates
    )
    got = {key: sorted(item for answer in answers for item in answer[key]) for key in answers[0]}
    assert got == {
        "nonces": list(range(5, 5 + total)),
        "numbers": list(range(1, 1 + total)),
        "taken": list(range(count)),
    }


@pytest.fixture(scope="module")
def guarded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server that waits for its disk and asks for a password."""
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(make_postgres())
        except PostgresMissing as error:
            pytest.skip(str(error))
        folder = tmp_path_factory.mktemp("secrets")
        write_password(folder / "right", PASSWORD)
        write_password(folder / "wrong", "another")
        server.initialise(password=PASSWORD)
        server.password_file = folder / "right"
        server.start()
        yield server


def write_password(path: Path, password: str) -> None:
    """Write a password file as libpq reads it: host, port, database, user, password."""
    path.write_text(f"*:*:*:*:{password}\n")
    path.chmod(0o600)


@pytest.mark.processes
def test_postgresql_that_restarts_loses_nothing_that_was_acknowledged(
    guarded_server: PostgresServer,
) -> None:
    database = open_database(guarded_server.create_database("restarts"), METADATA)
    kept: set[int] = set()
    refused: list[UpstreamFault] = []
    is_done = threading.Event()

    def write(first: int) -> None:
        number = first
        while not is_done.is_set():
            number += 2
            try:
                kept.add(database.write_now(partial(add, number)))
            except UpstreamFault as fault:
                refused.append(fault)
                time.sleep(0.05)

    writers = [threading.Thread(target=write, args=(first,)) for first in (0, 1)]
    for writer in writers:
        writer.start()
    for crash in (True, False):
        wait_for_growth(kept, by=20)
        guarded_server.stop(crash=crash)
        wait_for_growth(refused, by=2)
        with pytest.raises(UpstreamFault):
            database.read_now(read_rows)
        guarded_server.start()
        wait_for_growth(kept, by=20)
    is_done.set()
    for writer in writers:
        writer.join()
    assert kept <= database.read_now(read_rows)
    assert {fault.code for fault in refused} == {"database_failed"}
    assert all("operator" in str(fault.next_step) for fault in refused)
    database.close()


def wait_for_growth(found: Sized, *, by: int) -> None:
    enough, deadline_s = len(found) + by, time.monotonic() + 120
    while len(found) < enough:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


@pytest.mark.processes
def test_postgresql_password_comes_from_a_file_and_is_shown_nowhere(
    guarded_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    address = guarded_server.create_database("guarded")
    open_database(address, METADATA).close()
    url = make_url(address)
    right = str(url.query["passfile"])
    wrong = url.update_query_dict({"passfile": right.replace("right", "wrong")})
    given = url.difference_update_query(["passfile"]).set(password="Wrong-" + PASSWORD)
    for refused in (wrong, given):
        with pytest.raises(UpstreamFault) as failed:
            open_database(refused.render_as_string(hide_password=False), METADATA)
        said = f"{failed.value.reason} {failed.value!r} {failed.value.__cause__!r}"
        assert "password authentication failed" in said
        assert PASSWORD not in said + caplog.text


def test_address_that_is_none_is_refused_without_its_secret() -> None:
    for address in ("Lotus-1999-secret", "mysql://a:Lotus-1999-secret@host/x", "nodb://"):
        with pytest.raises(InvalidField) as refused:
            open_database(address, METADATA)
        assert PASSWORD not in str(refused.value) + repr(refused.value)


@pytest.mark.parametrize("database_urls", ["postgresql"], indirect=True)
def test_postgresql_frees_the_lock_of_a_process_that_hangs(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_engines, "STALL_TIMEOUT_S", 1)
    database = open_database(database_url, METADATA)
    hanging = database_engines.open_engines(make_url(database_url), name="database")
    with (
        hanging.writes.connect() as connection,
        contextlib.suppress(*database_engines.DATABASE_FAULTS),
    ):
        add(1, connection)
        assert database.write_now(partial(add, 2)) == 2
        connection.commit()
    hanging.dispose()
    assert database.read_now(read_rows) == {2}
    database.close()


@pytest.mark.parametrize("database_urls", ["postgresql"], indirect=True)
def test_postgresql_gives_up_what_takes_too_long_and_says_so(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_database(database_url, METADATA).close()
    monkeypatch.setattr(database_engines, "BUSY_TIMEOUT_S", 1)
    monkeypatch.setattr(database_engines, "STATEMENT_TIMEOUT_S", 2)
    database = open_database(database_url, METADATA)
    with pytest.raises(UpstreamFault, match="statement timeout"):
        database.read_now(lambda c: c.exec_driver_sql("SELECT pg_sleep(20)").all())
    other = database_engines.open_engines(make_url(database_url), name="database")
    with other.writes.connect() as connection:
        add(1, connection)
        with pytest.raises(UpstreamFault, match="lock timeout") as failed:
            database.write_now(partial(add, 2))
        connection.commit()
    assert "try again later" in str(failed.value.next_step)
    assert database.write_now(partial(add, 2)) == 2
    other.dispose()
    database.close()


@pytest.mark.parametrize("database_urls", ["postgresql"], indirect=True)
async def test_postgresql_reads_change_nothing_and_see_one_state(database_url: str) -> None:
    database = open_database(database_url, METADATA)
    await database.write(partial(add, 1))

    def read_twice(connection: Connection) -> tuple[set[int], set[int]]:
        before = read_rows(connection)
        database.write_now(partial(add, 2))
        return before, read_rows(connection)

    assert await database.read(read_twice) == ({1}, {1})
    with pytest.raises(UpstreamFault, match="read-only"):
        await database.read(partial(add, 3))
    database.close()


@pytest.mark.parametrize("database_urls", ["postgresql"], indirect=True)
def test_postgresql_commits_wait_for_the_disk_whatever_the_server_says(database_url: str) -> None:
    name = make_url(database_url).database
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    engine.dispose()
    database: Database = open_database(database_url, METADATA)

    def show(connection: Connection) -> str:
        return str(connection.exec_driver_sql("SHOW synchronous_commit").scalar_one())

    assert database.read_now(show) == "on"
    assert database.write_now(show) == "on"
    database.close()


async def test_database_serves_reads_while_a_write_is_under_way(database_url: str) -> None:
    database = open_database(database_url, METADATA)
    await database.write(partial(add, 1))
    entered, may_leave = threading.Event(), threading.Event()

    def wait(connection: Connection) -> None:
        add(2, connection)
        entered.set()
        may_leave.wait(timeout=60)

    writing = asyncio.create_task(database.write(wait))
    await asyncio.to_thread(entered.wait)
    assert await database.read(read_rows) == {1}
    may_leave.set()
    await writing
    assert await database.read(read_rows) == {1, 2}
    database.close()

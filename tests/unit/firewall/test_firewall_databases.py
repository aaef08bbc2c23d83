"""A database that a server keeps is searched through it: every table, every row, every column."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from api.errors import UpstreamFault
from api.firewall.audit.running import ROWS_STORE, AuditSources, run_audit
from api.firewall.audit.values import VaultValues
from api.firewall.search import databases
from api.firewall.search.needles import Needle

Rows = Iterator[list[tuple[str, bytes]]]

NAME = "歐陽美玲子"
NUMBER = "5133414421"
DAY = date(1963, 5, 17)
NEEDLES = [
    Needle(label="name", value=NAME),
    Needle(label="number", value=NUMBER),
    Needle(label="birth date", value=DAY.isoformat()),
]


def audit(url: str) -> dict[str, Any]:
    return run_audit(
        VaultValues(needles=list(NEEDLES)),
        AuditSources(databases={"bureau": url}),
        tell=lambda *_: None,
        today=DAY,
        first_birth=DAY,
        pattern_limit=0,
        sweep_limit=0,
    )


def do(url: str, *statements: str, **values: Any) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement), values)
    engine.dispose()


def list_places(content: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (hit["place"].rpartition(".")[2], hit["label"])
        for hit in content["hits"]
        if hit["store"] == f"bureau/{ROWS_STORE}"
    }


def test_database_without_personal_values_is_clean_and_its_controls_are_found(
    database_url: str,
) -> None:
    do(
        database_url,
        "CREATE TABLE rows (uid VARCHAR(64), height BIGINT)",
        "INSERT INTO rows VALUES ('00ff00ff', 7), (NULL, NULL)",
    )
    content = audit(database_url)
    assert (content["hits"], content["missed"], content["is_clean"]) == ([], [], True)
    assert content["controls"]["planted"] >= len(content["controls"]["methods"])
    assert {row["store"]: row["entries"] for row in content["stores"]}[f"bureau/{ROWS_STORE}"] == 2
    assert database_url not in json.dumps(content), "an address may hold a secret"


def test_values_are_found_in_columns_of_every_type(database_url: str) -> None:
    is_server = database_url.startswith("postgresql")
    kinds = ("BYTEA", "JSONB", "DATE") if is_server else ("BLOB", "TEXT", "TEXT")
    do(
        database_url,
        f"CREATE TABLE rows (a TEXT, b {kinds[0]}, c {kinds[1]}, d BIGINT, e {kinds[2]})",
        "INSERT INTO rows VALUES (:a, :b, :c, :d, :e)",
        a=f"of {NAME}",
        b=b"\xde\xad\xbe\xef" + NAME.encode("utf-16-be").ljust(32, b"\0"),
        c=json.dumps({"who": [NAME]}),
        d=int(NUMBER),
        e=DAY if is_server else DAY.isoformat(),
    )
    content = audit(database_url)
    assert content["missed"] == []
    assert list_places(content) == {
        ("a", "name"),
        ("b", "name"),
        ("c", "name"),
        ("d", "number"),
        ("e", "birth date"),
    }
    assert content["is_clean"] is False


@pytest.mark.parametrize("database_urls", ["postgresql"], indirect=True)
def test_rows_of_other_schemas_and_deleted_rows_are_found(database_url: str) -> None:
    long = f"{NAME} " + "x" * 9_000  # kept out of line, and compressed
    do(
        database_url,
        "CREATE SCHEMA elsewhere",
        "CREATE TABLE elsewhere.rows (a TEXT)",
        "INSERT INTO elsewhere.rows VALUES (:long)",
        "CREATE TABLE rows (gone TEXT)",
        "INSERT INTO rows VALUES (:number)",
        "DELETE FROM rows",
        "CHECKPOINT",
        long=long,
        number=f"no. {NUMBER}.",
    )
    try:
        content = audit(database_url)
        assert list_places(content) == {("a", "name")}
        files = [hit for hit in content["hits"] if hit["store"].startswith("bureau files/")]
        assert "number" in {hit["label"] for hit in files}, content["not_covered"]
        assert content["missed"] == []
    finally:
        do(database_url, "DROP SCHEMA elsewhere CASCADE")


@pytest.mark.parametrize("database_urls", ["postgresql"], indirect=True)
def test_files_that_cannot_be_read_are_named_in_the_report(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.firewall.audit.running.find_files", lambda _database: None)
    content = audit(database_url)
    assert any("write-ahead log of bureau" in line for line in content["not_covered"])
    assert content["is_clean"]


def read_first_page(rows: Rows) -> Rows:
    return (row for place, row in enumerate(rows) if place < 500)


def read_first_column(rows: Rows) -> Rows:
    return (row[:1] for row in rows)


def read_texts_only(rows: Rows) -> Rows:
    return ([(name, value) for name, value in row if value.isascii()] for row in rows)


@pytest.mark.parametrize("fault", [read_first_page, read_first_column, read_texts_only])
def test_search_that_is_blind_for_a_part_of_the_rows_fails(
    fault: Callable[[Rows], Rows], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(database_url, "CREATE TABLE rows (a TEXT)")
    read = databases._iterate_rows
    monkeypatch.setattr(databases, "_iterate_rows", lambda *given: fault(read(*given)))
    content = audit(database_url)
    assert content["is_clean"] is False
    assert {miss["store"] for miss in content["missed"]} == {f"bureau/{ROWS_STORE}"}


def test_database_that_cannot_be_read_is_no_clean_one() -> None:
    with pytest.raises(UpstreamFault):
        audit("postgresql+psycopg://nobody@127.0.0.1:1/nothing")

"""Logs: JSON lines, only listed fields, never what a person submitted."""

import ast
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from node.daemon.log_fields import (
    FIELD_KINDS,
    take_exception,
    take_field,
    take_text,
)
from node.daemon.logs import ALLOWED_FIELDS, configure_logs, keep_allowed_fields
from node.errors import OperationalFault
from node.settings import LogSettings
from tests.unit.log_files import write_logs_to


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    target = tmp_path / "logs" / "node.jsonl"
    with write_logs_to(target, level="info", node="health-bureau") as file:
        yield file


def read(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_logs_are_json_lines_with_typed_fields(log_file: Path) -> None:
    structlog.get_logger("node.chain").info("block_imported", height=7, block_hash=b"\x01\x02")
    (line,) = read(log_file)
    assert line["event"] == "block_imported"
    assert line["height"] == 7
    assert line["block_hash"] == "0x0102"
    assert line["node"] == "health-bureau"
    assert line["level"] == "info"


def test_logs_drop_fields_that_nobody_allowed(log_file: Path) -> None:
    structlog.get_logger("api").warning("refused", holder_name="Chan Tai Man", status=400)
    assert "Chan" not in log_file.read_text(encoding="utf-8")
    assert read(log_file)[0]["fields_dropped"] == "holder_name"


def test_logs_of_other_libraries_take_the_same_way(log_file: Path) -> None:
    logging.getLogger("somewhere").warning("plain")
    logging.getLogger("aiohttp.access").info("GET /v1/credentials/secret")
    assert [line["event"] for line in read(log_file)] == ["plain"]


def test_logs_say_where_a_bug_is_but_not_which_value_it_met(log_file: Path) -> None:
    try:
        int("Chan Tai Man")
    except ValueError:
        structlog.get_logger("node").exception("bug")
    text = str(read(log_file)[0]["exception"])
    assert text.startswith("builtins.ValueError at test_daemon_logs.py:")
    assert "Chan" not in log_file.read_text(encoding="utf-8")


def test_logs_keep_the_text_of_our_own_errors(log_file: Path) -> None:
    try:
        try:
            Path("/proc/none/log").read_bytes()
        except OSError as error:
            raise OperationalFault("the disk is gone", field="node.data_dir") from error
    except OperationalFault as fault:
        structlog.get_logger("node").error("fatal", exc_info=fault)
    text = str(read(log_file)[0]["exception"])
    assert "OperationalFault: node.data_dir: the disk is gone" in text
    assert "; caused by builtins.FileNotFoundError: [Errno 2]" in text


def test_log_values_are_cut() -> None:
    event = keep_allowed_fields(None, "", {"event": "x", "reason": "a" * 1_000})
    assert len(event["reason"]) == 303


CANARIES = (
    "陳大文",
    "Conceição",
    "Maria Chan",
    "12345678",
    "1234567(8)",
    "440106196305171234",
    "+853 66123456",
    "+853 6612 3456",
    "6612-3456",
    "19630517",
    "1963-05-17",
    "17/05/1963",
    "A12345678",
    "MA1234567",
    "E98765432F",
    "AB440106196305171234",
)
"""Names and numbers of nobody."""


@pytest.mark.parametrize("canary", CANARIES)
def test_no_field_takes_a_person(canary: str) -> None:
    taken: dict[str, str] = {}
    for name in ALLOWED_FIELDS:
        for value in (canary, f"of {canary}.", [canary], canary.encode(), {canary: 1}):
            event = keep_allowed_fields(None, "", {"event": "x", name: value})
            if canary in str(event.get(name)) and not isinstance(value, bytes):
                taken.setdefault(name, str(event[name]))
    kinds = {FIELD_KINDS[name] for name in taken}
    # Letters of ASCII that a sentence of ours could consist of are all that no kind can tell.
    assert kinds <= ({take_text, take_exception} if canary == "Maria Chan" else set()), taken


@pytest.mark.parametrize(
    "kept",
    [
        "peer fe8373327c62cb6f1234567890 left",
        "0x" + "12345678" * 7 + "abcdef12",
        "127.0.0.1:8545 refused",
        "round 3, 12 of 345678",
    ],
)
def test_digests_and_places_stay_in_a_text(kept: str) -> None:
    assert take_text(kept) == kept


def test_values_of_another_kind_are_dropped_by_name(log_file: Path) -> None:
    structlog.get_logger("api").warning(
        "refused", status="Chan Tai Man", caller="Chan Tai Man", height="7", reason="66123456"
    )
    (line,) = read(log_file)
    assert line["fields_dropped"] == "caller,height,status"
    assert line["reason"] == "#"


def test_numbers_and_lists_are_bounded() -> None:
    assert take_field("height", 2**128 - 1) == 2**128 - 1
    assert take_field("duration_ms", 1.5) == 1.5
    for value in (2**128, float("nan"), float("inf"), "7", int):
        with pytest.raises(ValueError, match=r"^$"):
            take_field("height", value)
    assert take_field("validators", [b"\x01"] * 99) == ["0x01"] * 64
    assert take_field("parent", None) is None
    assert take_field("operation", "op-" + "0a" * 12) == "op-" + "0a" * 12
    assert take_field("peer", "0c3cb8a5fe8373327c62cb6f1234567890") != ""
    with pytest.raises(KeyError):
        take_field("holder_name", 1)


def test_what_a_library_puts_into_its_text_is_not_written(log_file: Path) -> None:
    logging.getLogger("somewhere").warning("cannot store %s for %r", "Chan Tai Man", 66123456)
    logging.getLogger("somewhere").warning(f"of 陳大文 {66123456}")  # noqa: G004 - a careless one
    assert [line["event"] for line in read(log_file)] == ["cannot store %s for %r", "of ??? #"]


def test_log_file_that_cannot_be_opened_is_named() -> None:
    with pytest.raises(OperationalFault) as caught:
        configure_logs(LogSettings(file=Path("/proc/none/log")), node="x")
    assert caught.value.field == "log.file"


def find_log_calls() -> Iterator[tuple[str, ast.Call]]:
    root = Path(__file__).parents[3]
    for package in ("api", "node"):
        for path in (root / package).rglob("*.py"):
            for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(item, ast.Call)
                    and isinstance(item.func, ast.Attribute)
                    and item.func.attr in {"debug", "info", "warning", "error", "exception"}
                    and isinstance(item.func.value, ast.Name)
                    and item.func.value.id in {"log", "_log"}
                ):
                    yield f"{path.name}:{item.lineno}", item


def test_every_log_call_names_a_fixed_event_and_listed_fields() -> None:
    calls = list(find_log_calls())
    assert len(calls) > 20
    for where, call in calls:
        (event,) = call.args
        assert isinstance(event, ast.Constant), f"{where}: the event is not a fixed name"
        names = {keyword.arg for keyword in call.keywords} - {"exc_info"}
        assert names <= ALLOWED_FIELDS, f"{where}: {names - ALLOWED_FIELDS}"

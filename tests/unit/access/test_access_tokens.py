"""Tokens at rest: what the file keeps, older files, editors at once, the day of last use."""

import stat
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from api.access.callers import Role
from api.access.limits import NO_LIMITS, Limits, Quota
from api.access.token_usage import TokenUsage, load_usage, name_usage_file
from api.access.tokens import (
    TokenStore,
    create_token,
    hash_token,
    load_tokens,
    lock_tokens,
    save_tokens,
)
from api.errors import InvalidField, UpstreamFault


def test_file_of_the_first_form_still_opens(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    entry = {
        "name": "lab",
        "sha256": hash_token("atesta_old").hex(),
        "roles": ["issuer"],
        "expires_at": None,
    }
    path.write_bytes(orjson.dumps({"tokens": [entry]}))
    caller = TokenStore(path).find("atesta_old")
    assert caller is not None
    assert (caller.name, caller.limits) == ("lab", NO_LIMITS)
    assert caller.roles == {Role.ISSUER}
    save_tokens(path, load_tokens(path))
    assert orjson.loads(path.read_bytes()) == {"tokens": [entry]}, "nothing is added unasked"


def test_file_keeps_limits_and_no_token(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    limits = Limits(writes=Quota(amount=5, window_s=60))
    created = datetime(2026, 11, 22, 8, tzinfo=UTC)
    token, record = create_token(
        "lab", [Role.ISSUER], created_at=created, limits=limits, person="staff-7"
    )
    save_tokens(path, [record])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = path.read_text()
    assert token not in content
    assert token.removeprefix("atesta_") not in content
    assert load_tokens(path) == (record,)
    caller = TokenStore(path).find(token)
    assert caller is not None
    assert (caller.limits, caller.person) == (limits, "staff-7")


def test_end_holds_to_the_second(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    end = datetime(2026, 11, 22, 8, tzinfo=UTC)
    token, record = create_token("guest", [Role.READER], expires_at=end)
    save_tokens(path, [record])
    assert TokenStore(path, now=lambda: end - timedelta(seconds=1)).find(token) is not None
    assert TokenStore(path, now=lambda: end).find(token) is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"limits": {"reads": "many"}}, "tokens[0].limits.reads"),
        ({"limits": 7}, "tokens[0].limits"),
        ({"created_at": "2026-11-22T08:00:00"}, "tokens[0].created_at"),
        ({"expires_at": 7}, "tokens[0]"),
        ({"sha256": "00"}, "tokens[0].sha256"),
        ({"roles": ["king"]}, "tokens[0]"),
        ({"person": 7}, "tokens[0].person"),
        ({"person": "two\nlines"}, "tokens[0].person"),
    ],
)
def test_wrong_entry_is_named(tmp_path: Path, change: dict[str, object], field: str) -> None:
    path = tmp_path / "tokens.json"
    entry = {"name": "x", "sha256": "00" * 32, "roles": ["reader"], "expires_at": None}
    path.write_bytes(orjson.dumps({"tokens": [entry | change]}))
    with pytest.raises(InvalidField) as refused:
        load_tokens(path)
    assert refused.value.field == field


def test_file_that_breaks_or_vanishes_lets_nobody_in(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    token, record = create_token("lab", [Role.ISSUER])
    save_tokens(path, [record])
    store = TokenStore(path)
    assert store.find(token) is not None
    path.write_text("{")
    with pytest.raises(UpstreamFault):
        store.find(token)
    path.unlink()
    with pytest.raises(UpstreamFault):
        store.find(token)
    save_tokens(path, [record])
    assert store.find(token) is not None


def test_editors_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"

    def add(name: str) -> None:
        with lock_tokens(path):
            records = load_tokens(path) if path.exists() else ()
            save_tokens(path, [*records, create_token(name, [Role.READER])[1]])

    threads = [threading.Thread(target=add, args=(f"t{number}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(record.name for record in load_tokens(path)) == sorted(
        f"t{number}" for number in range(12)
    )


def test_use_is_noted_by_day_and_no_finer(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    _, record = create_token("lab", [Role.ISSUER])
    days = [date(2026, 11, 22)]
    usage = TokenUsage(path, today=lambda: days[0])
    assert load_usage(path) == {}
    usage.note(record.id)
    first = name_usage_file(path).stat().st_mtime_ns
    usage.note(record.id)
    assert name_usage_file(path).stat().st_mtime_ns == first, "written once a day"
    assert load_usage(path) == {record.id: days[0]}
    days[0] = date(2026, 11, 23)
    usage.note(record.id)
    TokenUsage(path, today=lambda: date(2026, 11, 24)).note("other")
    assert load_usage(path) == {record.id: date(2026, 11, 23), "other": date(2026, 11, 24)}
    assert stat.S_IMODE(name_usage_file(path).stat().st_mode) == 0o600
    assert record.digest.hex() not in name_usage_file(path).read_text()


def test_use_that_cannot_be_written_is_logged_once(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "tokens.json"
    usage = TokenUsage(path)
    with capture_logs() as logs:
        usage.note("a")
        usage.note("b")
    assert [entry["event"] for entry in logs] == ["token_usage_not_written"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"used": {"a": "never"}}'])
def test_damaged_record_of_uses_is_begun_anew(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokens.json"
    name_usage_file(path).write_text(content)
    assert load_usage(path) == {}
    TokenUsage(path, today=lambda: date(2026, 11, 22)).note("b")
    assert load_usage(path) == {"b": date(2026, 11, 22)}

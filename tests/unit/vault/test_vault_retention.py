"""Retention: classes as data, a moved clock, and pruning that takes whole records only."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.acts.forgetting import name_answer
from api.erasing.orders import ErasureOrders
from api.errors import InvalidField
from api.retention.classes import RetentionClass, RetentionPlan, load_plan
from api.retention.pruning import PruneReport, find_due, prune
from tests.unit.vault.vault_kit import NOW_S, SCHEMA, Kit, do

TWO = '[[class]]\nname = "two"\nstart = "created"\nlegal_reference = "law"\nchecked = true\n'
YEAR_S = 366 * 24 * 3600


def build_class(**members: object) -> RetentionClass:
    told = {"name": "one", "start": "created", "legal_reference": "a law", "checked": True}
    return RetentionClass.model_validate(told | {"roles": ["case"]} | members)


def run(kit: Kit, plan: RetentionPlan, now_s: int, *, dry_run: bool = False) -> PruneReport:
    return do(prune(kit.keyring, plan, now_s=now_s, is_dry_run=dry_run))


def get_seconds(*parts: int) -> int:
    return int(dt.datetime(*parts, tzinfo=dt.UTC).timestamp())  # type: ignore[misc,arg-type]


def test_material_is_pruned_when_its_years_are_over_and_not_before(kit: Kit) -> None:
    uid, other = bytes([3]) * 32, bytes([4]) * 32
    kit.put_material(uid, "case 1")
    kit.put_material(other, "a binding", role="key_binding")
    plan = RetentionPlan(classes=(build_class(years=10),))
    early = run(kit, plan, NOW_S + 9 * YEAR_S)
    assert (early.findings.due, early.erased, early.findings.kept) == ((), 0, 2)
    assert early.findings.uncovered == {"role key_binding": 1}
    dry = run(kit, plan, NOW_S + 10 * YEAR_S, dry_run=True)
    assert [due.uid for due in dry.findings.due] == [uid]
    assert kit.keyring.find_erased(uid) is None
    done = run(kit, plan, NOW_S + 10 * YEAR_S)
    assert (done.erased, done.ordered) == (1, 0)
    erased = kit.keyring.find_erased(uid)
    assert erased is not None
    assert (erased.reason, erased.erased_s) == ("ended_by_law", NOW_S + 10 * YEAR_S)
    assert kit.keyring.find_erased(other) is None
    assert done.encode()["records"] == ["0x" + uid.hex()]
    assert run(kit, plan, NOW_S + 10 * YEAR_S).findings.due == ()


def test_record_is_kept_while_anything_of_it_is(lite: Kit) -> None:
    uid = bytes([3]) * 32
    lite.put_material(uid, "case 1")
    lite.put_material(uid, "the officer", role="officer")
    short = build_class(name="short", days=30)
    long = build_class(name="long", years=5, roles=["officer"])
    later = NOW_S + 40 * 24 * 3600
    assert find_due(lite.keyring, RetentionPlan(classes=(short,)), now_s=later).due == ()
    both = RetentionPlan(classes=(short, long))
    assert find_due(lite.keyring, both, now_s=later).due == ()
    (due,) = find_due(lite.keyring, both, now_s=NOW_S + 6 * YEAR_S).due
    assert (due.uid, due.names, due.is_credential) == (uid, ("long", "short"), False)


def test_credential_is_ordered_and_left_for_the_ledger(kit: Kit) -> None:
    credential = kit.put(1)
    schema = "0x" + SCHEMA.uid.hex()
    plan = RetentionPlan(classes=(build_class(years=1, roles=[], schemas=[schema]),))
    report = run(kit, plan, 3 * YEAR_S)
    assert (report.ordered, report.erased) == (1, 0)
    assert kit.opens([credential]) == [True]
    order = do(ErasureOrders(kit.keyring).find(credential.record.uid))
    assert order is not None
    assert (order.caller, order.reason) == ("retention", "ended_by_law")
    again = run(kit, plan, 4 * YEAR_S)
    assert again.ordered == 1
    assert do(ErasureOrders(kit.keyring).find(credential.record.uid)) == order


@given(
    start_s=st.integers(min_value=0, max_value=4_000_000_000),
    years=st.integers(min_value=0, max_value=50),
    months=st.integers(min_value=0, max_value=30),
    days=st.integers(min_value=1, max_value=400),
)
def test_end_never_comes_before_the_calendar_says(
    start_s: int, years: int, months: int, days: int
) -> None:
    end_s = build_class(years=years, months=months, days=days).compute_end(start_s)
    start = dt.datetime.fromtimestamp(start_s, dt.UTC)
    end = dt.datetime.fromtimestamp(end_s, dt.UTC) - dt.timedelta(days=days)
    passed = (end.year - start.year) * 12 + end.month - start.month
    assert (end.hour, end.minute, end.second) == (start.hour, start.minute, start.second)
    if passed == years * 12 + months:
        assert end.day == start.day
    else:
        assert (passed, end.day) == (years * 12 + months + 1, 1)


@pytest.mark.parametrize(
    ("start", "members", "end"),
    [
        ((2024, 2, 29), {"years": 1}, (2025, 3, 1)),
        ((2024, 2, 29), {"years": 4}, (2028, 2, 29)),
        ((2026, 12, 31), {"months": 2}, (2027, 3, 1)),
        ((2026, 11, 22), {"years": 10, "days": 1}, (2036, 11, 23)),
    ],
)
def test_end_is_counted_by_the_calendar(
    start: tuple[int, ...], members: dict[str, int], end: tuple[int, ...]
) -> None:
    assert build_class(**members).compute_end(get_seconds(*start)) == get_seconds(*end)


def test_operators_file_adds_and_replaces(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        '[[class]]\nname = "case-files"\nyears = 20\nstart = "created"\n'
        'legal_reference = "archive plan 7"\nchecked = true\nroles = ["case_file"]\n'
    )
    found = load_plan(file).find_for_role("case_file")
    assert found is not None
    assert (found.years, found.checked) == (20, True)
    numbered = load_plan().find_for_role("response_2")
    assert numbered is not None
    assert numbered.name == "exchange-records"
    assert load_plan().find_for_role(name_answer("a key")) == numbered
    assert load_plan().find_for_role("subject_match") is None


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[[class]]\nname = 1", "class 1"),
        ("[other]", "own.toml"),
        ("class = [", "own.toml"),
        (TWO + 'years = 1\nroles = ["case"]\n', "two"),
        (TWO + 'roles = ["other"]\n', "class 1"),
    ],
)
def test_wrong_classes_are_refused_by_name(tmp_path: Path, text: str, part: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(InvalidField) as refused:
        load_plan(file)
    assert part in str(refused.value.field)

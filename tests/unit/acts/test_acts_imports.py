"""Bulk imports: progress, rejected lines, and going on after the process was killed."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.acts.mandate_items import MandateItem
from api.errors import UserFault
from api.imports.kinds import KINDS, MANDATES
from api.imports.parsing import FileFormat, parse_file
from api.imports.worker import ImportHeld, ImportWorker
from contracts.addresses import MANDATES_NAME
from tests.engines import ON_BOTH_ENGINES
from tests.unit.acts.conftest import NUMBERS
from tests.unit.acts.law_world import ACT_LIST, PAST, PURPOSE, make_uid, read
from tests.unit.acts.test_acts_mandates import build_office, build_power
from tests.unit.rest.ledger_world import Agency, Caller, FakeLedger

NDJSON = "application/x-ndjson"
CSV = "text/csv"


@pytest.fixture
async def act_list(bureau: Caller) -> str:
    return str((await bureau.put("/texts", ACT_LIST))["hash"])


def write_lines(*lines: Any) -> str:
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


async def upload(
    caller: Caller, text: str, *, status: int = 202, key: str = "import", **more: str
) -> Any:
    headers = {"Content-Type": more.pop("type", NDJSON), "Idempotency-Key": key}
    async with caller.client.post(
        "/v1/imports", data=io.BytesIO(text.encode()), params=more, headers=headers
    ) as response:
        told = await response.json()
        assert response.status == status, told
        return told


async def work_off(agency: Agency, started: Any) -> Any:
    """Turn the worker and make blocks until the import is done."""
    store = agency.services.imports
    worker = ImportWorker(agency.services, store)
    for _ in range(60):
        await worker.turn()
        await agency.settle()
        stored = await store.find(started["id"])
        assert stored is not None
        if stored.state == "done":
            return stored
    raise AssertionError(f"the import does not end: {stored}")


async def list_rejects(caller: Caller, started: Any) -> list[tuple[int, str, str | None]]:
    page = await caller.get(f"/imports/{started['id']}/rejects")
    return [(item["line"], item["code"], item["field"]) for item in page["items"]]


@ON_BOTH_ENGINES
async def test_import_groups_lines_and_bad_ones_do_not_stop_the_rest(
    bureau: Caller, act_list: str
) -> None:
    taken = build_office(act_list)
    await bureau.post("/mandates", {"mandates": [taken]})
    await bureau.agency.settle()
    good = [build_office(act_list) for _ in range(17)]
    text = write_lines(
        *good[:3],
        build_office(act_list, acts=["sing-songs"]),
        *good[3:10],
        build_office(act_list, uid=taken["uid"]),
        {"kind": "office"},
        *good[10:],
    )
    text += "no json\n\n" + write_lines([1], good[0])
    started = await upload(bureau, text)
    assert (started["lines"], started["state"], started["waiting"]) == (23, "running", 19)
    # The model, the file and a uid given twice are judged at once.
    assert started["rejected"] == 4
    await work_off(bureau.agency, started)
    told = await bureau.get(f"/imports/{started['id']}")
    assert (told["state"], told["done"], told["rejected"]) == ("done", 17, 6)
    assert told["waiting"] == told["promised"] == 0
    assert await list_rejects(bureau, started) == [
        (4, "field_unknown", "acts.0"),
        (12, "uid_exists", "uid"),
        (13, "invalid_field", "grantee"),
        (21, "malformed_body", None),
        (23, "malformed_body", None),
        (24, "uid_exists", "uid"),
    ]
    for office in good:
        assert (await read(bureau, MANDATES_NAME, "mandate", office["uid"]))["state"] == 1
    operations = (await bureau.get("/operations"))["items"]
    assert len(operations) < 1 + 17


async def test_import_of_csv_reads_cells_as_the_model_wants(bureau: Caller, act_list: str) -> None:
    uid = make_uid()
    text = (
        "uid,kind,body.register_name,body.number,grantee.name,act_list,acts,limit,valid_from,"
        "may_delegate\r\n"
        f'{uid},office,mo-associations,0042,"Chan, Tai Man",{act_list},'
        f"sign-contract; file-return,1000,{PAST},false\r\n"
        f",office,mo-associations,0042,X,{act_list},sign-contract,many,{PAST},false\r\n"
        ",office\r\n"
    )
    started = await upload(bureau, text, type=CSV)
    await work_off(bureau.agency, started)
    terms = (await read(bureau, MANDATES_NAME, "mandate", uid))["terms"]
    assert (terms["scope"], terms["limit"]) == (0b101, 1000)
    grantee = await bureau.agency.materials.find(bytes.fromhex(uid[2:]), "grantee")
    assert grantee is not None
    assert grantee.body == {"name": "Chan, Tai Man"}
    assert await list_rejects(bureau, started) == [
        (3, "invalid_field", "limit"),
        (4, "malformed_body", None),
    ]


async def test_import_of_other_acts_goes_one_by_one(bureau: Caller) -> None:
    lines = [PURPOSE | {"code": f"purpose-{number}"} for number in range(3)]
    started = await upload(bureau, write_lines(*lines), act="purpose.publish")
    stored = await work_off(bureau.agency, started)
    assert (stored.done, stored.rejected) == (3, 0)
    refused = await upload(bureau, "{}", act="purpose.state", key="other", status=400)
    assert refused["field"] == "act"


async def test_import_waits_for_the_mandate_that_is_handed_on(
    bureau: Caller, act_list: str
) -> None:
    power = build_power(act_list, may_delegate=True)
    handed_on = build_power(act_list, parent=power["uid"])
    lost = build_power(act_list, parent=make_uid())
    started = await upload(bureau, write_lines(handed_on, lost, power))
    stored = await work_off(bureau.agency, started)
    assert (stored.done, stored.rejected) == (2, 1)
    assert await list_rejects(bureau, started) == [(2, "mandate_not_found", "parent")]


async def test_import_of_mandates_that_wait_for_each_other_ends(
    bureau: Caller, act_list: str
) -> None:
    one, other = make_uid(), make_uid()
    lines = [
        build_power(act_list, uid=one, parent=other),
        build_power(act_list, uid=other, parent=one),
    ]
    started = await upload(bureau, write_lines(*lines))
    stored = await work_off(bureau.agency, started)
    assert (stored.done, stored.rejected) == (0, 2)


@pytest.mark.parametrize("steps", range(1, 5))
async def test_import_goes_on_after_a_kill_and_repeats_nothing(
    bureau: Caller, ledger: FakeLedger, tmp_path: Path, act_list: str, steps: int
) -> None:
    offices = [build_office(act_list) for _ in range(20)]
    started = await upload(bureau, write_lines(*offices))
    store = bureau.agency.services.imports
    worker = ImportWorker(bureau.agency.services, store)
    # Killed inside a turn: after a group was taken, after it was promised, after it was noted.
    done = 0
    original = store.mark_promised

    async def stop(*arguments: Any) -> None:
        nonlocal done
        done += 1
        if done >= steps:
            raise KeyboardInterrupt
        await original(*arguments)

    store.mark_promised = stop  # type: ignore[assignment, method-assign]
    if steps < 4:
        with pytest.raises(KeyboardInterrupt):
            await worker.turn()
    await bureau.agency.services.outbox.turn()
    # Another process opens the same files, after the lease of the dead one has run out.
    ledger.mine(1, period_s=100)
    again = Agency(ledger, tmp_path / "bureau", NUMBERS["bureau"])
    stored = await work_off(again, started)
    assert (stored.done, stored.rejected) == (20, 0)
    assert (
        len(await again.services.outbox.get_page(limit=50, before=None, state=None, uid=None)) == 3
    )
    again.services.close()


async def test_import_key_is_bound_to_the_file(bureau: Caller, act_list: str) -> None:
    text = write_lines(build_office(act_list))
    first = await upload(bureau, text)
    assert (await upload(bureau, text))["id"] == first["id"]
    other = await upload(bureau, text + text, status=409)
    assert other["code"] == "idempotency_key_reused"
    page = await bureau.get("/imports")
    assert [item["id"] for item in page["items"]] == [first["id"]]


async def test_import_waits_while_the_node_may_not_act(supervisor: Caller) -> None:
    act_list = (await supervisor.put("/texts", ACT_LIST))["hash"]
    started = await upload(supervisor, write_lines(build_office(act_list)))
    services = supervisor.agency.services
    # The supervisor's key may not record mandates, which is no fault of the line.
    with pytest.raises(ImportHeld):
        await ImportWorker(services, services.imports).turn()
    told = await supervisor.get(f"/imports/{started['id']}")
    assert (told["state"], told["rejected"]) == ("running", 0)
    assert "role" in told["problem"]


@pytest.mark.parametrize(
    ("text", "kind", "field"),
    [
        ("", NDJSON, "body"),
        ("\n\n", NDJSON, "body"),
        ("a,a\n1,2\n", CSV, "body"),
        ("a,b\n", CSV, "body"),
    ],
)
async def test_import_without_lines_is_refused(
    bureau: Caller, text: str, kind: str, field: str
) -> None:
    refused = await upload(bureau, text, type=kind, status=400)
    assert refused["field"] == field
    assert (await upload(bureau, "{}", type="text/plain", status=415))["code"] == (
        "unsupported_media_type"
    )


async def test_import_keeps_no_content_of_finished_lines(
    bureau: Caller, act_list: str, tmp_path: Path
) -> None:
    started = await upload(bureau, write_lines(build_office(act_list), {"kind": "Chan Tai Man"}))
    stored = await bureau.agency.services.imports.take_group(started["id"], 8, 10**7)
    assert stored is not None
    assert b"Chan" not in b"".join(
        path.read_bytes() for path in (tmp_path / "bureau").glob("*.sqlite*")
    )
    await work_off(bureau.agency, started)
    assert await bureau.agency.services.imports.take_group(started["id"], 8, 10**7) is None


@given(st.text(max_size=300), st.sampled_from(FileFormat))
def test_import_parser_answers_any_text_with_lines_or_a_refusal(
    text: str, file_format: FileFormat
) -> None:

    try:
        lines = parse_file(text.encode("utf-8", "surrogatepass"), file_format, MandateItem)
    except UserFault:
        return
    assert lines
    assert all((line.body is None) == (line.fault is not None) for line in lines)


async def test_import_takes_lines_that_only_the_ledger_refuses(
    bureau: Caller, act_list: str
) -> None:
    without_body = build_office(act_list, body=None, grantor={"name": "Nobody"})
    without_uid = build_power(act_list, uid=None)
    started = await upload(bureau, write_lines(without_body, without_uid))
    stored = await work_off(bureau.agency, started)
    assert (stored.done, stored.rejected) == (1, 1)
    assert await list_rejects(bureau, started) == [(1, "mandate_body_missing", "body")]


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(sorted(MandateItem.model_fields)),
            st.one_of(
                st.none(),
                st.integers(),
                st.text(max_size=20),
                st.just("0x" + "ab" * 32),
                st.just("office"),
                st.just(PAST),
                st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
                st.lists(st.text(max_size=5), max_size=2),
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_import_parser_weighs_whatever_the_model_takes(lines: list[dict[str, Any]]) -> None:
    kind = KINDS[MANDATES]
    read_lines = parse_file(
        write_lines(*lines).encode("utf-8", "replace"),
        FileFormat.NDJSON,
        kind.model,
        kind.make_scale(),
    )
    assert all(line.weight > 0 for line in read_lines if line.body is not None)


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_import_of_ten_thousand_entities(bureau: Caller, act_list: str) -> None:
    offices = [
        build_office(act_list, body={"register_name": "mo-associations", "number": str(number)})
        for number in range(10_000)
    ]
    offices[4_999]["acts"] = ["sing-songs"]
    started = await upload(bureau, write_lines(*offices))
    store = bureau.agency.services.imports
    worker = ImportWorker(bureau.agency.services, store)
    told = started
    while told["state"] == "running":
        await worker.turn()
        await bureau.agency.settle()
        told = await bureau.get(f"/imports/{started['id']}")
        counted = told["waiting"] + told["promised"] + told["done"] + told["rejected"]
        assert counted == told["lines"] == 10_000
    assert (told["done"], told["rejected"]) == (9_999, 1)
    assert await list_rejects(bureau, started) == [(5_000, "field_unknown", "acts.0")]
    assert (await read(bureau, MANDATES_NAME, "mandate", offices[-1]["uid"]))["state"] == 1

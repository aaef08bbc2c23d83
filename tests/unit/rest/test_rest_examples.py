"""A refused field comes with an example that the field would take, or the words that it knows."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from api.acts.performing import check_body
from api.acts.table import ACTS
from api.errors import UserFault
from api.rest.field_examples import find_example, list_members, write_example
from tests.unit.acts.law_world import DATASET, explain
from tests.unit.rest.ledger_world import Caller
from tests.unit.rest.test_rest_faults import REQUESTS

TIME = "2026-11-22T08:00:00Z"


@pytest.mark.parametrize(
    ("act", "body", "field", "told"),
    [
        ("dataset.register", {}, "title", {"example": "Income bands"}),
        ("dataset.register", {"titel": "x"}, "titel", {"did": "title"}),
        ("dataset.register", DATASET | {"sharing": "notshared"}, "sharing", {"did": "not_shared"}),
        ("dataset.register", DATASET | {"sharing": "Chan"}, "sharing", {"did": None}),
        (
            "basis.enter",
            {"kind": "statute", "law": {"law": "x", "articel": "y"}},
            "law.articel",
            {"did": "article"},
        ),
        (
            "stop.order",
            {"until": "soon", "decision": {}, "dataset": "0x" + "05" * 32},
            "until",
            {"example": TIME},
        ),
    ],
)
def test_refusal_shows_an_example_or_the_nearest_name(
    act: str, body: dict[str, Any], field: str, told: dict[str, Any]
) -> None:
    with pytest.raises(UserFault) as refused:
        check_body(ACTS[act], body)
    fault = refused.value
    assert fault.field == field
    if "example" in told:
        assert fault.extra["example"] == told["example"]
        assert json.dumps(told["example"]) in str(fault.next_step)
    elif told["did"] is None:
        assert "did you mean" not in fault.reason
        assert "Chan" not in str(fault.extra)
    else:
        assert fault.reason.endswith(f"; did you mean {told['did']}?")
        assert told["did"] in fault.extra["known"]


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_example_of_a_missing_member_is_one_that_the_member_takes(name: str) -> None:
    model = REQUESTS[name]
    for member, field in model.model_fields.items():
        if not field.is_required():
            continue
        example = find_example(model, [member])
        assert example is not None, f"{member} has no example"
        with pytest.raises(ValidationError) as left:
            model.model_validate_json(json.dumps({member: example, "no such member": 1}))
        assert all(one["loc"][0] != member for one in left.value.errors()), member


def test_example_is_found_at_any_depth_and_not_where_there_is_no_member() -> None:
    model = ACTS["basis.enter"].model
    assert str(find_example(model, ["scopes", "0", "dataset"])).startswith("0x")
    assert find_example(model, ["scopes", "dataset"]) is None
    assert find_example(model, ["nowhere"]) is None
    assert list_members(model, ["scopes", "0"])[:2] == ("provider", "recipient")
    assert list_members(model, ["valid_from"]) == ()
    assert write_example(None) is None
    assert write_example("x" * 200) is None


async def test_names_of_agencies_acts_and_fields_are_proposed(
    bureau: Caller, laboratory: Caller
) -> None:
    body = {"kind": "dataset", "uid": "0x" + "05" * 32}
    refused = await bureau.post("/explain", {"act": "exchange.requst", "body": {}}, status=404)
    assert refused["next_step"].endswith("did you mean exchange.request?")
    refused = await laboratory.get("/exchanges?agency=mo-health-bureu", status=422)
    assert refused["next_step"].endswith("did you mean mo-health-bureau?")
    refused = await laboratory.get("/exchanges?stat=requested", status=400)
    assert refused["detail"].endswith("did you mean state?")
    refused = await laboratory.get("/exchanges?state=requestet", status=400)
    assert refused["detail"].endswith("did you mean requested?")
    assert "requested" in refused["known"]
    lifted = await explain(bureau, "stop.lift", body, uid="0x" + "05" * 32)
    assert lifted["refusal"]["known"] == ["event_time", "late"]

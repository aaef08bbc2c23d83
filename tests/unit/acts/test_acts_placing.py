"""Every refusal by a rule names a part of the request that this act has."""

import re
from typing import Any

import pytest

from api.acts.act import Act
from api.acts.placing import ACCOUNT, PLACES, place_field
from api.acts.table import ACTS
from api.reading.exchanges import Exchange
from api.rest.refusals import find_step, find_telling, translate_revert
from api.rest.rule_steps import find_rest_step, list_told_rules
from contracts.refusals import load_refusals
from tests.unit.acts.exchange_world import make_law, record_consent
from tests.unit.acts.law_world import (
    ACT_LIST,
    BUREAU,
    COMMISSION,
    DATASET,
    LABORATORY,
    LATER,
    PAST,
    build_basis,
    explain,
    make_uid,
    publish_purpose,
    register_dataset,
)
from tests.unit.rest.ledger_world import Caller

INHERITED = {"exchange.decide", "exchange.release", "period.begin", "exchange.end"}
"""Acts on an exchange, which the law judges as it was asked for: its members are named."""


def list_places(act: Act) -> set[str]:
    parts = set(re.findall(r"\{(\w+)\}", act.path)) | set(act.model.model_fields)
    return parts | {ACCOUNT} | (set(Exchange.model_fields) if act.name in INHERITED else set())


def has_member(act: Act, place: str) -> bool:
    """Tell whether a dotted place is one of the body's members, as far down as it goes."""
    root = act.model.model_json_schema()
    if place.partition(".")[0] not in root["properties"]:
        return True
    found: list[Any] = [root]
    for part in place.split("."):
        options = [option for schema in found for option in expand(root, schema)]
        name = "items" if part in {"*", "0"} else part
        found = [
            schema["items"] if name == "items" else schema["properties"][name]
            for schema in options
            if name in schema.get("properties", {"items": 1} if "items" in schema else {})
        ]
    return bool(found)


def expand(root: Any, schema: Any) -> list[Any]:
    if "$ref" in schema:
        return expand(root, root["$defs"][schema["$ref"].rsplit("/", 1)[-1]])
    return [schema, *(one for option in schema.get("anyOf", ()) for one in expand(root, option))]


def list_rules(act: Act) -> list[str]:
    name = f"{act.contract}.{act.function}"
    return [rule for rule, refusal in load_refusals().items() if name in refusal.functions]


@pytest.mark.parametrize("act", ACTS.values(), ids=lambda act: act.name)
def test_every_rule_is_about_a_part_of_the_request(act: Act) -> None:
    rules, known = list_rules(act), list_places(act)
    assert rules, "the table of refusals knows the function"
    strange = {}
    for rule in rules:
        field = place_field(act.name, rule, find_telling(rule).field, None)
        first = None if field is None else field.partition(".")[0]
        if first is not None and not (first in known and has_member(act, str(field))):
            strange[rule] = field
    assert strange == {}


def test_places_are_of_acts_and_rules_that_there_are() -> None:
    assert set(PLACES) <= set(ACTS)
    for name, places in PLACES.items():
        rules = set(list_rules(ACTS[name]))
        assert {rule for rule in places if ": " in rule} <= rules, name
        told = {find_telling(rule).field for rule in rules}
        unused = {field for field in places if ": " not in field} - told
        assert not unused - {"subject"}, name


def test_steps_for_callers_of_rest_are_of_rules_that_there_are_and_name_no_hash() -> None:
    assert list_told_rules() <= set(load_refusals())
    for rule in load_refusals():
        step = find_step(rule)
        assert step.endswith("."), rule
        if find_rest_step(rule) is not None:
            assert "ommitment" not in step, rule
    for rule in {rule for act in ACTS.values() for rule in list_rules(act)}:
        assert not re.search(r"(?i)\bcommitment to\b|hash of the|zero for", find_step(rule)), rule
    assert "conditions" in str(translate_revert("dataset: conditions missing").next_step)
    assert "holder_request" in str(translate_revert("mandate: reason missing").next_step)
    assert "outage" in str(translate_revert("late: unknown reason").next_step)


async def refuse(caller: Caller, act: str, body: dict[str, Any], **path: str) -> tuple[str, str]:
    refusal = (await explain(caller, act, body, **path))["refusal"]
    return refusal["rule"], refusal["field"]


async def test_refusal_names_the_mandate_among_several(laboratory: Caller) -> None:
    listed = (await laboratory.put("/texts", ACT_LIST))["hash"]
    power = {
        "kind": "power",
        "grantor": {"name": "Example Association"},
        "grantee": {"name": "Example Person"},
        "act_list": listed,
        "acts": ["sign-contract"],
        "valid_from": LATER,
        "valid_until": PAST,
    }
    rule = "mandate: ends before it begins"
    body: dict[str, Any] = {"mandates": [power]}
    assert await refuse(laboratory, "mandate.record", body) == (rule, "mandates.0.valid_until")
    body = {"mandates": [power, power]}
    assert await refuse(laboratory, "mandate.record", body) == (rule, "mandates.*.valid_until")
    unknown = power | {"valid_until": None, "parent": make_uid()}
    assert await refuse(laboratory, "mandate.record", {"mandates": [unknown]}) == (
        "mandate: unknown",
        "mandates.0.parent",
    )
    sent = await laboratory.post("/mandates", {"mandates": [power]}, status=422)
    assert (sent["rule"], sent["field"]) == (rule, "mandates.0.valid_until")


async def test_refusal_of_a_basis_names_its_scope_or_who_enters_it(
    bureau: Caller, supervisor: Caller
) -> None:
    dataset, purpose = await register_dataset(bureau), await publish_purpose(bureau)
    basis = build_basis(dataset, make_uid())
    await supervisor.put(
        "/texts",
        {
            "kind": "fields",
            "language": "en",
            "body": {"title": DATASET["title"], "fields": DATASET["fields"]},
        },
    )
    assert await refuse(supervisor, "basis.enter", basis) == (
        "purpose: not in force",
        "scopes.0.purpose",
    )
    used = build_basis(dataset, purpose)
    assert await refuse(bureau, "basis.enter", used) == (
        "basis: neither supervisor nor vote",
        "account",
    )


async def test_refusal_names_what_a_stop_is_of_and_what_was_withdrawn(
    bureau: Caller, supervisor: Caller
) -> None:
    dataset = await register_dataset(bureau, sharing="unconditional")
    stop = {"dataset": dataset, "until": LATER, "decision": {"number": "3/2026"}}
    for _ in range(8):
        await supervisor.post("/stops", stop)
        await supervisor.agency.settle()
    assert await refuse(supervisor, "stop.order", stop) == ("stop: too many", "dataset")
    gone = {"form": {"form": "F-13"}}
    assert await refuse(bureau, "consent.withdraw", gone, uid=make_uid()) == (
        "consent: unknown",
        "uid",
    )
    pair = {"pair": [BUREAU, LABORATORY], "until": PAST, "decision": {"number": "4/2026"}}
    assert await refuse(supervisor, "stop.order", pair) == ("stop: already over", "until")
    assert COMMISSION not in str(pair)


async def test_withdrawal_ahead_of_its_time_names_the_time_that_was_given(
    bureau: Caller, laboratory: Caller, supervisor: Caller
) -> None:
    law = await make_law(bureau, supervisor, laboratory)
    uid = (await record_consent(laboratory, law))["uid"]
    body = {"form": {"form": "F-13"}}
    for field in ("declared_at", "event_time"):
        refused = await laboratory.post(
            f"/consents/{uid}/withdrawal", body | {field: LATER}, status=400
        )
        assert (refused["code"], refused["field"]) == ("invalid_field", field)
        assert "ahead" in refused["next_step"]
    prepared = f"/consents/{uid}/withdrawal/prepared"
    recorded = await laboratory.post(prepared, {"declared_at": LATER}, status=422)
    assert (recorded["rule"], recorded["field"]) == ("signature: signer missing", "uid")
    unknown = await laboratory.post(f"/consents/{make_uid()}/withdrawal/prepared", {}, status=404)
    assert (unknown["code"], unknown["field"]) == ("consent_not_found", "uid")

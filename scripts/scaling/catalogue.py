"""What a made-up ledger begins with: purposes, notices, datasets, schemas, bases, policies, posts.

They are few, so they are listed at once and cut into blocks.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from contracts.labels import encode_label
from scripts.scaling.logs import Said
from scripts.scaling.sizes import Plan

PURPOSES: Final = 40
NOTICES_EACH: Final = 3
POSTS_EACH: Final = 4
ACCREDITED: Final = 5
"""Agencies that may attest under one schema."""
INSTRUMENTS: Final = 60
STOPS: Final = 24
POLICIES_EACH: Final = 2
NOTICE_KIND: Final = 7
PURPOSE_KIND: Final = 8

SIDES: Final = (bytes(encode_label("MO")), bytes(encode_label("CN-GD")))
"""The two jurisdictions."""


def list_catalogue(plan: Plan) -> list[Said]:
    """Return the first events of the ledger, in order."""
    return list(
        chain(
            _publish_texts(plan),
            _register_datasets(plan),
            _register_schemas(plan),
            _enter_bases(plan),
            _stop(plan),
            _propose_policies(plan),
            _establish_posts(plan),
        )
    )


def _say(plan: Plan, agency: int, contract: str, event: str, args: dict[str, Any]) -> Said:
    key = plan.get_key(agency)
    return Said(contract=contract, event=event, args={**args, "key": key}, sender=key)


def _publish_texts(plan: Plan) -> Iterator[Said]:
    agencies = plan.sizes.agencies
    for word, kind, count in (
        ("purpose", PURPOSE_KIND, PURPOSES),
        ("notice", NOTICE_KIND, NOTICES_EACH * agencies),
    ):
        for number in range(count):
            owner = number % agencies
            args = {
                "uid": plan.name(word, number),
                "owner": plan.get_agency(owner),
                "kind": kind,
                "document_hash": plan.name(f"{word} text", number),
                "language": b"zh-Hant".ljust(32, b"\0"),
                "version": 1,
            }
            yield _say(plan, owner, "catalogue", "TextPublished", args)


def _register_datasets(plan: Plan) -> Iterator[Said]:
    for number in range(plan.sizes.datasets):
        owner = plan.own_dataset(number)
        args = {
            "uid": plan.name("dataset", number),
            "owner": plan.get_agency(owner),
            "terms": {
                "sharing": 1 + number % 3,
                "sensitivity": 1 + number % 2,
                "field_count": 12,
                "fields_hash": plan.name("fields", number),
                "legal_reference": plan.name("law", number % 20),
            },
            "version": 1,
        }
        yield _say(plan, owner, "catalogue", "DatasetRegistered", args)
        if number % 50 == 49:
            changed = {"uid": args["uid"], "owner": args["owner"], "state": 2, "reason": 3}
            yield _say(plan, owner, "catalogue", "DatasetStateChanged", changed)


def _register_schemas(plan: Plan) -> Iterator[Said]:
    agencies = plan.sizes.agencies
    for number in range(agencies):
        uid, owner = plan.name("schema", number), plan.get_agency(number)
        args = {
            "uid": uid,
            "owner": owner,
            "pointers_hash": plan.name("pointers", number),
            "document_hash": plan.name("schema text", number),
            "leaf_count": 16,
        }
        yield _say(plan, number, "schemas", "SchemaRegistered", args)
        for further in range(min(ACCREDITED, agencies)):
            issuer = plan.get_agency((number + further) % agencies)
            given = {"schema": uid, "agency": issuer, "owner": owner}
            yield _say(plan, number, "schemas", "IssuerAccredited", given)


def _enter_bases(plan: Plan) -> Iterator[Said]:
    agencies = plan.sizes.agencies
    for number in range(plan.sizes.datasets):
        owner = plan.own_dataset(number)
        scope = {
            "provider": plan.get_agency(owner),
            "recipient": plan.get_agency((owner + 1) % agencies),
            "dataset": plan.name("dataset", number),
            "purpose": plan.name("purpose", number % PURPOSES),
            "fields": 7,
        }
        args = {
            "uid": plan.name("basis", number),
            "entered_by": plan.get_agency(owner),
            "terms": {
                "kind": 1 + number % 2,
                "law_hash": plan.name("law", number % 20),
                "sensitivity": 1,
                "from_jurisdiction": SIDES[owner % 2],
                "to_jurisdiction": SIDES[1 - owner % 2],
                "valid_from": 1,
            },
            "scopes": [scope],
        }
        yield _say(plan, owner, "bases", "BasisEntered", args)
    for number in range(INSTRUMENTS):
        dataset = plan.choose("instrument", number, plan.sizes.datasets)
        owner = plan.own_dataset(dataset)
        terms = {
            "kind": 1 + number % 3,
            "filing": plan.name("filing", number),
            "provider": plan.get_agency(owner),
            "recipient": plan.get_agency((owner + 1) % agencies),
            "dataset": plan.name("dataset", dataset),
            "valid_from": 1,
        }
        entered = {"uid": plan.name("instrument", number), "entered_by": terms["provider"]}
        yield _say(plan, owner, "bases", "InstrumentEntered", {**entered, "terms": terms})


def _stop(plan: Plan) -> Iterator[Said]:
    for number in range(STOPS):
        subjects = (
            plan.name("dataset", number % plan.sizes.datasets),
            plan.name("pair", number),
            plan.name("basis", number % plan.sizes.datasets),
        )
        args = {
            "uid": plan.name("stop", number),
            "entered_by": plan.get_agency(0),
            "subject": subjects[number % 3],
            "kind": 1 + number % 3,
            "until": 2**40,
            "decision_hash": plan.name("decision", number),
        }
        yield _say(plan, 0, "bases", "Stopped", args)
        if number % 2:
            lifted = {name: args[name] for name in ("uid", "entered_by")}
            yield _say(plan, 0, "bases", "StopLifted", lifted)


def _propose_policies(plan: Plan) -> Iterator[Said]:
    agencies = plan.sizes.agencies
    for number in range(POLICIES_EACH * agencies):
        owner, other = number % agencies, (number + 1) % agencies
        uid = plan.name("policy", number)
        terms = {
            "from_jurisdiction": SIDES[owner % 2],
            "to_jurisdiction": SIDES[1 - owner % 2],
            "schema": plan.name("schema", owner),
            "assurance": 2,
            "valid_from": 1,
            "document_hash": plan.name("agreement", number),
        }
        args = {
            "uid": uid,
            "agency": plan.get_agency(owner),
            "terms": terms,
            "issuers": [plan.get_agency(owner)],
        }
        yield _say(plan, owner, "policies", "PolicyProposed", args)
        if number % 3:
            signed = {"uid": uid, "agency": plan.get_agency(other)}
            yield _say(plan, other, "policies", "PolicySigned", signed)


def _establish_posts(plan: Plan) -> Iterator[Said]:
    for number in range(POSTS_EACH * plan.sizes.agencies):
        owner = number % plan.sizes.agencies
        args = {
            "uid": plan.name("post", number),
            "agency": plan.get_agency(owner),
            "duties_hash": plan.name("duties", number),
        }
        yield _say(plan, owner, "posts", "PostEstablished", args)

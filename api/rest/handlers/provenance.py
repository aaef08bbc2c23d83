"""Provenance over REST: the story of one record, as JSON or as W3C PROV-JSON."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection

from api.acts.key_bindings import place_binding
from api.errors import NotFound, UpstreamFault
from api.index import law_queries, queries
from api.provenance.attested import collect_attested
from api.provenance.law import collect_law
from api.provenance.prov_json import build_prov_json
from api.reading.surroundings import gather_surroundings
from api.rest.answers import (
    Activity,
    Agent,
    Entity,
    ErasedEntity,
    ProvDocument,
    Provenance,
)
from api.rest.call import Call, Reply
from api.rest.services import RestServices
from api.rest.values import Reason, encode_hex, parse_time
from contracts.labels import decode_label

FORMATS: Final = ("json", "prov-json")
"""Values of the query parameter `format`."""

_TITLES: Final = {
    "dataset": ("terms", "fields_hash"),
    "notice": ("document_hash",),
    "purpose": ("document_hash",),
}


async def get_provenance(call: Call) -> Reply:
    """Tell who did what to a record, and to those tied to it; asked of the own ledger, of all."""
    uid = call.get_digest("uid")
    wanted = call.find_choice("format", FORMATS)
    services, story = await _find_story(call.services, uid)
    call = replace(call, services=services)
    entities, activities, parties, indexed = story
    head = await call.services.ledger.get_block(indexed)
    assert head is not None, "the index stands on a known block"
    activities = await _name_actors(call, activities, indexed)
    agencies = dict.fromkeys(entity.attributed_to for entity in entities)
    agencies |= dict.fromkeys(activity.agent for activity in activities)
    agencies |= dict.fromkeys(party for pair in parties.values() for party in pair)
    told = Provenance(
        uid=encode_hex(uid),
        entities=await _tell_erased(call, await _add_titles(call, entities)),
        activities=activities,
        agents=[await _read_agent(call, agency, indexed) for agency in agencies],
        block=indexed,
        block_time=parse_time(head.time_s),
        ledger=services.ledger_name,
    )
    if wanted == "prov-json":
        return Reply(model=ProvDocument(**build_prov_json(told, parties)))
    return Reply(model=told)


Story = tuple[list[Entity], list[Activity], dict[str, Sequence[str]], int]
"""Entities, acts, the parties of each exchange, and the block that all rests on."""


async def _find_story(services: RestServices, uid: bytes) -> tuple[RestServices, Story]:
    """Return what a ledger tells of a record, and the ledger; raises `NotFound`.

    Raises `UpstreamFault` where no ledger that answers has it, and one does not answer.
    """
    away: UpstreamFault | None = None
    for one in services.ledgers.list_gathered(services):
        story = await one.index.read(lambda c: _collect(c, uid))
        if story[0]:
            return one, story
        if one is not services:
            try:
                await one.ledger.get_head()
            except UpstreamFault as fault:
                away = fault
    if away is not None:
        raise away
    raise NotFound("the ledger has no such record", field="uid", code="record_not_found")


def _collect(connection: Connection, uid: bytes) -> Story:
    block = queries.get_block(connection)
    entities, activities = collect_law(connection, uid)
    if not entities:
        entities, activities = collect_attested(connection, uid)
        return entities, activities, {}, block
    exchanges = [bytes.fromhex(entity.id[2:]) for entity in entities if entity.type == "exchange"]
    rows = law_queries.get_law_records(connection, exchanges, kinds=("exchange",))
    parties: dict[str, Sequence[str]] = {
        encode_hex(exchange): (
            encode_hex(bytes(row.agency)),
            encode_hex(bytes(row.counterparty)),
        )
        for exchange, row in rows.items()
    }
    return entities, activities, parties, block


async def _name_actors(call: Call, activities: list[Activity], block: int) -> list[Activity]:
    """Name who acted by the key that signed.

    An event names the parties of its record; which of them acted, only the key tells. A key of no
    agency is a resident's own: its agent is the key itself, by the uid of the key's binding.
    """
    actors: dict[str | None, str] = {}
    for key in dict.fromkeys(activity.key for activity in activities):
        if key is not None:
            account = bytes.fromhex(key[2:])
            found = await call.services.records.get_key(account, block)
            actors[key] = encode_hex(place_binding(account) if found is None else found.agency)
    return [
        activity.model_copy(update={"agent": actors.get(activity.key, activity.agent)})
        for activity in activities
    ]


async def _add_titles(call: Call, entities: list[Entity]) -> list[Entity]:
    """Name what public texts of this node name."""
    named = [bytes.fromhex(entity.id[2:]) for entity in entities if entity.type in _TITLES]
    rows = await call.services.index.read(
        lambda c: list(law_queries.get_law_records(c, named, kinds=sorted(_TITLES)).values())
    )
    around = await gather_surroundings(call.services, rows)
    titles: dict[str, Any] = {}
    for row in rows:
        body = around.find_body(_find_text(row.kind, row.terms))
        titles[encode_hex(bytes(row.uid))] = None if body is None else body.get("title")
    return [entity.model_copy(update={"title": titles.get(entity.id)}) for entity in entities]


async def _tell_erased(call: Call, entities: list[Entity]) -> list[Entity]:
    """Say of each record whether this agency's vault has erased what it had of it."""
    vault = call.services.maybe_vault
    if vault is None:
        return entities
    told = []
    for entity in entities:
        erased = await vault.find_erased(bytes.fromhex(entity.id[2:]))
        if erased is not None:
            seen = ErasedEntity(time=parse_time(erased.erased_s), reason=Reason(erased.reason))
            entity = entity.model_copy(update={"erased": seen})  # noqa: PLW2901 - the same, told
        told.append(entity)
    return told


def _find_text(kind: str, terms: str) -> str | None:
    value: Any = json.loads(terms)
    for name in _TITLES[kind]:
        value = value[name]
    return str(value)


async def _read_agent(call: Call, agency: str, block: int) -> Agent:
    agency_id = bytes.fromhex(agency[2:])
    found = await call.services.records.get_agency(agency_id, block)
    return Agent(
        id=agency,
        name=call.services.names.get(agency_id) or decode_label(agency_id),
        jurisdiction=None if found is None else encode_hex(found.jurisdiction),
    )

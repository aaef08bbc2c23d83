"""Where a record came from, told to people: who did what to it and to all that it rests on."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection, Row, select

from api.access.callers import Role, requires
from api.explorer import requests
from api.explorer.law.asking import ask
from api.explorer.law.kinds import get_page_path
from api.explorer.law.moments import Places
from api.explorer.law.naming import name_records
from api.explorer.law.showing import Named
from api.explorer.law.telling import tell_row
from api.explorer.page import show_page
from api.explorer.rendering import find_language
from api.explorer.services import SERVICES
from api.index.tables import EVENTS, LOGS_PER_BLOCK
from contracts.labels import format_identifier

_CHUNK: Final = 500
"""Positions asked for at once; engines bound the number of parameters."""


@requires(Role.READER)
async def show_story(request: web.Request) -> web.Response:
    """Show the provenance of one record."""
    services = request.config_dict[SERVICES]
    uid = requests.read_hash(request, "uid")
    told = await ask(request, "get_provenance", path={"uid": uid})
    there = services.explorers.get(told["ledger"], services)
    if there is not services:
        # The own ledger's answer may be of another one, which alone knows its events and agencies.
        raise web.HTTPSeeOther(f"{there.root}/provenance/{uid}")
    registry = await services.chain.get_registry()
    language = find_language(request)
    rows = await _load_rows(request, [_find_position(act) for act in told["activities"]])
    kinds = {entity["id"]: (entity["type"],) for entity in told["entities"]}
    named = await name_records(services.rest, kinds)
    entities = {
        entity["id"]: _view_entity(services.root, entity, named) for entity in told["entities"]
    }
    places = Places(services.rest.deadlines, registry)
    acts = []
    for act in told["activities"]:
        row = rows.get(_find_position(act))
        about = next((one for one in [*act["generated"], *act["used"]] if one in entities), None)
        acts.append(
            {
                **act,
                "text": act["type"] if row is None else tell_row(language, registry, row),
                "who": _label_agent(act["agent"]) or language.say("resident_key"),
                "about": entities.get(about),
                "place": places.find(act["agent"]),
            }
        )
    return await show_page(
        request,
        "law_story.html",
        json=f"/provenance/{uid}",
        uid=uid,
        told=told,
        acts=acts,
        entities=list(entities.values()),
        agents=[
            {
                **agent,
                "label": _label_agent(agent["id"]),
                "jurisdiction": None
                if agent["jurisdiction"] is None
                else format_identifier(bytes.fromhex(agent["jurisdiction"][2:])),
            }
            for agent in told["agents"]
        ],
        place=places.find(told["entities"][0]["attributed_to"]),
    )


async def _load_rows(request: web.Request, positions: list[int]) -> dict[int, Row[Any]]:
    def load(connection: Connection) -> dict[int, Row[Any]]:
        found: dict[int, Row[Any]] = {}
        for start in range(0, len(positions), _CHUNK):
            part = positions[start : start + _CHUNK]
            rows = connection.execute(select(EVENTS).where(EVENTS.c.position.in_(part)))
            found |= {row.position: row for row in rows}
        return found

    return await request.config_dict[SERVICES].index.read(load)


def _find_position(act: dict[str, Any]) -> int:
    """Return where the index has an act: its id ends with the place of its log in the block."""
    return int(act["block"]) * LOGS_PER_BLOCK + int(act["id"].rpartition("#")[2])


def _view_entity(root: str, entity: dict[str, Any], named: Mapping[str, Named]) -> dict[str, Any]:
    found = named.get(entity["id"])
    return {
        **entity,
        "title": entity["title"] or (None if found is None else found.title),
        "path": get_page_path(root, entity["type"], entity["id"]),
        "owner": format_identifier(bytes.fromhex(entity["attributed_to"][2:])),
    }


def _label_agent(agent_id: str) -> str | None:
    """Return an agency's label; None for a resident's key."""
    if agent_id.startswith("0x" + "00" * 12):
        return None
    return format_identifier(bytes.fromhex(agent_id[2:]))

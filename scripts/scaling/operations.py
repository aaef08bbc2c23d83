"""Every list of REST that rests on the index, with every filter and pairs of them.

The lists and their filters are taken from the routes, so that a new one is measured without being
named here. Values of filters come from the plan: things that much depends on, and rare ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from typing import Any, Final

from api.index.law_records import compute_period_uid
from api.index.tables import LOGS_PER_BLOCK
from api.rest.cursors import encode_cursor
from api.rest.route import Route
from api.rest.routes import ROUTES
from scripts.scaling.catalogue import INSTRUMENTS, NOTICES_EACH, PURPOSES, STOPS
from scripts.scaling.chain import MadeChain
from scripts.scaling.sizes import Plan

LISTS_OF_OTHERS: Final = frozenset(
    {
        "list_credentials",
        "list_operations",
        "list_reads",
        "list_webhooks",
        "list_acts",
        "list_evidence",
        "list_imports",
        "list_import_rejects",
        "list_deadline_profiles",
        "list_deadline_calendars",
        "list_ledgers",
        "list_merges",
    }
)
"""Lists that tell of the vault and the outbox (`own_lists`) or of files, not of the ledger."""

_NOT_FILTERS: Final = frozenset({"limit", "cursor", "case"})
"""Parameters of paging, and the one that asks the vault."""
_PERIOD: Final = ("from", "until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request."""

    name: str
    """The operation with its filters."""
    path: str
    query: dict[str, str]
    pages: int = 1
    """How many pages are asked for, each by the cursor of the one before."""


def list_measured_routes() -> list[Route]:
    """Return the lists that rest on the ledger, and the histories of its records."""
    return [
        route
        for route in ROUTES
        if route.method == "GET"
        and (
            (route.name.startswith("list_") and route.name not in LISTS_OF_OTHERS)
            or route.name.endswith("_history")
        )
    ]


def list_requests(chain: MadeChain, turn: int) -> Iterator[Asked]:
    """Return every request of one turn: other turns take other values of the filters."""
    for route in list_measured_routes():
        for chosen in list_filters(route):
            yield from _page(chain, route, chosen, turn)


def list_filters(route: Route) -> list[tuple[str, ...]]:
    """Return no filter, every filter and every pair of them, each also within a period."""
    names = [one.name for one in route.query if one.name not in _NOT_FILTERS]
    filters = [name for name in names if name not in _PERIOD]
    sets: list[tuple[str, ...]] = [(), *((name,) for name in filters)]
    sets += combinations(filters, 2)
    if set(_PERIOD) <= set(names):
        sets += [(*one, *_PERIOD) for one in list(sets)]
    return sets


def _page(chain: MadeChain, route: Route, chosen: tuple[str, ...], turn: int) -> Iterator[Asked]:
    name = " ".join([route.name, *chosen])
    query = {one: _choose(chain, route, one, turn) for one in chosen}
    path = route.path
    for part in ("uid", "id"):
        if f"{{{part}}}" in path:
            path = path.replace(f"{{{part}}}", _write(_name(chain.plan, _get_kind(route), turn)))
    if route.name == "list_alerts":
        # In the order of due times; where a page ends is known from the page alone.
        yield Asked(name=name, path=path, query=query, pages=4)
        return
    yield Asked(name=name, path=path, query=query)
    if not any(one.name == "cursor" for one in route.query):
        return
    if route.name in {"list_agencies", "list_proposals"}:
        # These are numbered, not placed in blocks.
        yield Asked(name=name, path=path, query={**query, "cursor": encode_cursor(10) or ""})
        return
    for block in (2, chain.last_block // 2, chain.last_block - 1):
        cursor = encode_cursor(block * LOGS_PER_BLOCK)
        yield Asked(name=name, path=path, query={**query, "cursor": cursor or ""})


def _get_kind(route: Route) -> str:
    if route.name == "list_accreditations":
        return "schema"
    return route.name.removeprefix("get_").removesuffix("_history")


def _choose(chain: MadeChain, route: Route, name: str, turn: int) -> str:
    plan = chain.plan
    if name in _PERIOD:
        middle = chain.last_block // 2 + turn
        number = middle if name == "from" else min(middle + 500, chain.last_block)
        return datetime.fromtimestamp(chain.get_time_s(number), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    schema: dict[str, Any] = next(dict(one.schema) for one in route.query if one.name == name)
    words = schema.get("enum") or schema.get("items", {}).get("enum")
    if words:
        return str(words[turn % len(words)])
    kinds = {
        "owner": "agency",
        "issuer": "agency",
        "previous": "superseded",
        "uid": "consent",
        "parent": "office",
        "onward_of": "onward",
        "subject": "stopped",
    }
    return _write(_name(plan, kinds.get(name, name), turn))


def _name(plan: Plan, kind: str, turn: int) -> bytes:
    """Return the uid of a thing; the first of each kind are the ones that most depends on."""
    sizes = plan.sizes
    match kind:
        case "agency":
            return plan.get_agency(turn % sizes.agencies)
        case "jurisdiction":
            return (b"MO" if turn % 2 else b"CN-GD").ljust(32, b"\0")
        case "key_binding":
            place = plan.choose("measured holder", turn, sizes.consents) // 2 * 2
            return bytes(12) + plan.address("holder", place)
        case "period":
            return compute_period_uid(plan.name("exchange", 20), 1)
        case "superseded":
            return plan.name("attestation", 18)
        case "onward":
            return plan.name("exchange", 0)
        case "stopped":
            return plan.name("dataset", 0)
        case "mandate":
            return plan.name("office", plan.choose("measured", turn, sizes.entities))
        case "body" | "office":
            place = plan.choose("measured body", turn, sizes.entities) // 10 * 10
            return plan.name(kind, place)
        case "exchange":
            return plan.name(kind, plan.choose("measured", turn, sizes.consents) // 5 * 5)
        case "batch":
            return plan.name(
                kind, plan.choose("measured", turn, sizes.attestations) // 100 * 100 + 50
            )
    counts = {
        "dataset": sizes.datasets,
        "basis": sizes.datasets,
        "schema": sizes.agencies,
        "policy": sizes.agencies,
        "post": sizes.agencies,
        "purpose": PURPOSES,
        "notice": NOTICES_EACH * sizes.agencies,
        "instrument": INSTRUMENTS,
        "stop": STOPS,
        "consent": sizes.consents,
        "attestation": sizes.attestations,
    }
    count = counts[kind]
    return plan.name(kind, plan.choose_unevenly("measured", turn, count) if turn else 0)


def _write(value: bytes) -> str:
    return "0x" + value.hex()

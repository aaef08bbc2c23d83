"""Every list of REST over the agency's vault and outbox, with every filter and pairs of them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from api.rest.cursors import encode_cursor
from api.rest.route import Route
from api.rest.routes import ROUTES
from scripts.scaling.operations import Asked, list_filters
from scripts.scaling.own_rows import LINES_EACH, START_S, OwnSizes, iterate_words, name_import
from scripts.scaling.sizes import Plan

OWN_LISTS: Final = frozenset(
    {
        "list_credentials",
        "list_operations",
        "list_reads",
        "list_imports",
        "list_import_rejects",
        "list_merges",
    }
)
"""Lists that grow with what the agency does."""

_STATES: Final = {
    "list_operations": ("final", "failed"),
    "list_merges": ("applied", "refused", "proposed"),
}
_DAY_S: Final = 86_400


def list_own_requests(plan: Plan, sizes: OwnSizes, turn: int) -> Iterator[Asked]:
    """Return every request of one turn: other turns take other values of the filters."""
    for route in ROUTES:
        if route.name not in OWN_LISTS:
            continue
        path = route.path.replace("{id}", name_import(plan, turn % sizes.imports))
        for chosen in list_filters(route):
            name = " ".join([route.name, *chosen])
            query = {one: _choose(plan, sizes, route, one, turn) for one in chosen}
            yield Asked(name=name, path=path, query=query)
            count = _count_rows(sizes, route)
            for place in (2, count // 2, count - 1):
                yield Asked(
                    name=name, path=path, query={**query, "cursor": encode_cursor(place) or ""}
                )


def _count_rows(sizes: OwnSizes, route: Route) -> int:
    return {
        "list_credentials": sizes.credentials,
        "list_operations": sizes.operations,
        "list_reads": sizes.reads,
        "list_imports": sizes.imports,
        "list_import_rejects": LINES_EACH,
        "list_merges": sizes.merges,
    }[route.name]


def _choose(plan: Plan, sizes: OwnSizes, route: Route, name: str, turn: int) -> str:
    if name in {"from", "until"}:
        middle_s = START_S + sizes.reads * 15 // 2 + turn * _DAY_S
        time_s = middle_s if name == "from" else middle_s + _DAY_S
        return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if name == "state":
        states = _STATES[route.name]
        return states[turn % len(states)]
    if name in {"record", "uid"}:
        return (
            "0x" + plan.name("credential", plan.choose("asked", turn, sizes.operations) // 4).hex()
        )
    if name == "schema":
        return "0x" + plan.name("schema", turn % plan.sizes.agencies).hex()
    # Words of two different lines each, so that some of them hardly ever meet.
    words = ("caller", "purpose", "operation", "what")
    place = words.index(name)
    return list(iterate_words(plan, turn * (place + 1)))[place]

"""Whatever is read has an ETag, which holds for as long as the content does."""

from typing import Any

import pytest

from api.openapi.document import build_document
from api.rest.routes import ROUTES
from tests.unit.reading.conftest import reader, stage
from tests.unit.reading.test_reading_filters import world
from tests.unit.rest.ledger_world import Caller

__all__ = ["reader", "stage", "world"]

READS = [route for route in ROUTES if route.method == "GET"]
DOCUMENT = build_document()


async def read(reader: Caller, path: str, etag: str | None = None) -> tuple[int, str, Any]:
    headers = {} if etag is None else {"If-None-Match": etag}
    async with reader.client.get("/v1" + path, headers=headers) as response:
        body = await response.read()
        if response.status == 304:
            assert body == b""
        told = await response.json() if response.status == 200 else None
        return response.status, response.headers.get("ETag", ""), told


async def list_paths(reader: Caller) -> dict[str, str]:
    """Return a path that can be read for every operation that has something to read here."""
    found: dict[str, str] = {}
    for route in READS:
        if "{" in route.path or route.media_type != "application/json":
            continue
        status, _, told = await read(reader, route.path)
        if status != 200:
            continue
        found[route.path] = route.path
        items = told.get("items") or []
        if items:
            name = next((name for name in ("uid", "id", "number") if name in items[0]), None)
            for single in READS:
                if name and single.path.startswith(route.path + "/{"):
                    parts = single.path.split("{")[1:]
                    if len(parts) == 1:
                        first, _, rest = single.path.partition("{")
                        after = rest.partition("}")[2]
                        found[single.path] = f"{first}{items[0][name]}{after}"
    found.pop("/mandates/{uid}/check", None)  # asks about a day, and this mandate has ended
    uid = found["/datasets/{uid}"].rsplit("/", 1)[1]
    found["/provenance/{uid}"] = f"/provenance/{uid}"
    return found


async def test_whatever_is_read_keeps_its_etag_until_it_changes(world: Caller, stage: Any) -> None:
    await world.post("/webhooks", {"url": "https://hooks.example.org/a"}, status=201)
    file = {"number": "HS-1", "procedure": "p", "purpose": "0x" + "11" * 32, "needs": []}
    await world.post("/cases", file, status=201)
    paths = await list_paths(world)
    paths["/cases/{case}"] = "/cases/HS-1"
    assert len(paths) > 60
    etags = {}
    for template, path in paths.items():
        status, etags[template], _ = await read(world, path)
        assert status == 200, template
        assert etags[template].startswith('W/"'), template
    # Another block, in which nothing happens.
    stage.pass_time()
    await world.agency.services.index.catch_up()
    for template, path in paths.items():
        if template in {"/status", "/reads"}:  # a new block; and this very test reads the vault
            continue  # it tells the last block
        status, etag, _ = await read(world, path, etags[template])
        assert (status, etag) == (304, etags[template]), template
    assert (await read(world, "/datasets", '"other", ' + etags["/datasets"]))[0] == 304
    assert (await read(world, "/datasets", '"other"'))[0] == 200


async def test_list_gets_another_etag_when_an_item_changes(world: Caller) -> None:
    before = (await read(world, "/webhooks"))[1]
    await world.post("/webhooks", {"url": "https://hooks.example.org/b"}, status=201)
    status, after, _ = await read(world, "/webhooks", before)
    assert status == 200
    assert after != before


@pytest.mark.parametrize("route", READS, ids=lambda route: route.name)
def test_document_says_that_reads_have_etags(route: Any) -> None:
    operation = DOCUMENT["paths"][route.path]["get"]
    named = {entry["name"] for entry in operation["parameters"]}
    streams = route.media_type != "application/json"
    assert ("If-None-Match" in named) == (not streams)
    assert ("304" in operation["responses"]) == (not streams)
    assert ("ETag" in operation["responses"]["200"]["headers"]) == (not streams)

"""The auditor's part: who attested what, read on the auditor's own node, with no name in sight."""

from collections import Counter

import aiohttp
from atesta_client import requests
from atesta_client.answers import Agency
from atesta_client.rest import AsyncClient

from api.firewall.search.needles import NeedleSet
from scripts.demos.prov_reading import read_provenance
from scripts.demos.stage import Stage, require


async def audit(stage: Stage) -> None:
    """Read agencies, every attestation and one history; show them as a table."""
    network, narrator = stage.network, stage.narrator
    with narrator.step("The auditor reads who attested what, on a node of its own"):
        auditor = await network.get_client(network.auditor)
        agencies = (await auditor.send(requests.list_agencies())).items
        names = {agency.id: _get_name(agency) for agency in agencies}
        read: list[object] = [agencies]
        titles: dict[str, str] = {}
        tally: Counter[tuple[str, str, str]] = Counter()
        cursor: str | None = None
        while True:
            page = await auditor.send(requests.list_attestations(limit=100, cursor=cursor))
            read.append(page)
            for item in page.items:
                uid = item.schema_uid
                titles[uid] = titles.get(uid) or await _get_title(auditor, uid)
                tally[names.get(item.issuer, item.issuer), titles[uid], item.state] += 1
            cursor = page.next
            if cursor is None:
                break
        rows = [(*what, str(count)) for what, count in sorted(tally.items())]
        narrator.show(("issuer", "schema", "state", "records"), rows)
        provenance = await read_provenance(auditor, stage.revoked_uid)
        history = provenance.told
        read.append(history)
        acts = [
            (
                act.type,
                names.get(act.agent, act.agent),
                act.reason or "",
                f"block {act.block}, {act.block_time:%Y-%m-%dT%H:%M:%SZ}",
            )
            for act in history.activities
        ]
        narrator.say(f"the history of one record, {stage.revoked_uid[:18]}…:")
        narrator.show(("act", "by", "reason", "final in"), acts)
        narrator.confirm(provenance.sentence)
        pages = await _read_explorer(stage)
        read += pages
        narrator.say(
            f"{len(pages)} pages of the explorer for people, at {network.auditor.url}/explorer"
        )
        found = list(NeedleSet(stage.list_needles()).find_inside(repr(read).encode()))
        require(not found, "the auditor's answers hold personal values")
        narrator.confirm(f"{sum(tally.values())} records, and no resident's name among them")


async def _read_explorer(stage: Stage) -> list[str]:
    """Read the explorer's pages about one record, as a person would, in a browser."""
    address = f"{stage.network.auditor.url}/explorer"
    uid = stage.revoked_uid
    pages = []
    async with aiohttp.ClientSession() as session:
        for path in ("", "/agencies", "/attestations", f"/attestations/{uid}", f"/search?q={uid}"):
            async with session.get(f"{address}{path}") as response:
                text = await response.text()
                require(response.status == 200, f"the explorer's page {path!r} cannot be read")
                pages.append(text)
    require(uid in pages[3], "the explorer's page of a record does not show it")
    return pages


def _get_name(agency: Agency) -> str:
    """Return the agency's name, or its identifier in readable form."""
    if agency.name:
        return agency.name
    label = bytes.fromhex(agency.id.removeprefix("0x")).strip(b"\x00")
    return label.decode("ascii") if label.isascii() else agency.id


async def _get_title(client: AsyncClient, uid: str) -> str:
    return (await client.send(requests.get_schema(uid))).title or f"schema {uid[:18]}…"

"""The last step: searching all that the agencies keep and sent for what should be nowhere.

A search that finds nothing proves something only if it would have found it. So each node first gets
values planted through its own ways of writing: a record that travels to every agency's chain and
index, a credential in its vault, a challenge in its outbox, a request in its log. The search must
find one of them in every store, after LevelDB has compacted what it held.
"""

import asyncio
import secrets
from collections import defaultdict
from typing import Final

import aiohttp
from atesta_client import requests

from api.firewall.search.folders import SearchReport, search_folder
from api.firewall.search.needles import Needle, NeedleSet
from node.cli.devnet import DevnetNode
from scripts.demos.documents import make_control_certificate
from scripts.demos.stage import Stage, StoryFailed, require

CONTROL: Final = "control"
"""Label of the needles that must be found."""

_MUST_HOLD_CONTROL: Final = (
    *("LevelDB", "SQLite", "traffic", "log.jsonl: lines", "network.jsonl: lines", "raw files"),
)


async def search_agencies(stage: Stage) -> None:
    """Stop all nodes and search every folder, the issuer's included."""
    network, narrator = stage.network, stage.narrator
    title = "Stores, logs and traffic of every agency are searched for the residents"
    with narrator.step(title, total=len(network.nodes)) as step:
        personal = stage.list_needles()
        narrator.say(
            f"{len(personal)} names, birth dates and identifiers in "
            f"{NeedleSet(personal).form_count:,} forms: composed and decomposed UTF-8 and UTF-16, "
            "hex, base64, JSON escapes; in raw files and in every decoded key, value, column, "
            "frame and log line. Values under six bytes count as whole decoded fields."
        )
        controls = {node.name: await _plant_controls(stage, node) for node in network.nodes}
        for node in network.nodes:
            await network.stop(node)
            await asyncio.to_thread(network.databases.bring_back, node)
            await asyncio.to_thread(network.ground.bring_back, node)
        rows, leaks = [], []
        for node in network.nodes:
            needles = NeedleSet([*personal, *controls[node.name]])
            report = await asyncio.to_thread(search_folder, node.folder, needles)
            leaks += [(node.name, hit) for hit in report.hits if hit.label != CONTROL]
            rows += _describe(node.name, report)
            step.advance()
        narrator.show(("agency", "store", "searched", "personal", "control"), rows)
        if leaks:
            name, hit = leaks[0]
            raise StoryFailed(
                f"{len(leaks)} personal values found; first: {hit.label} at {name}, {hit.store}, "
                f"{hit.place}, as {hit.encoding}"
            )
        narrator.confirm(
            "nothing personal anywhere: not at the other agencies, and in clear not even at the "
            "issuer, whose vault is encrypted"
        )


async def _plant_controls(stage: Stage, node: DevnetNode) -> tuple[Needle, ...]:
    """Have a node write values that the search must find, each by its own ordinary way."""
    client = await stage.network.get_client(node)
    in_vault = secrets.token_bytes(32)
    await client.send(
        requests.create_credential(
            schema_uid=stage.schema_uid,
            document=make_control_certificate(),
            uid="0x" + in_vault.hex(),
        )
    )
    challenge = await client.send(requests.create_challenge("privacy-search"))
    async with aiohttp.ClientSession() as session, session.get(f"{node.url}/health") as response:
        request_id = response.headers["X-Request-Id"]
    values = (stage.control_uid, in_vault, bytes.fromhex(challenge.nonce[2:]), request_id)
    return tuple(Needle(label=CONTROL, value=value) for value in values)


def _describe(name: str, report: SearchReport) -> list[tuple[str, str, str, str, str]]:
    """Return a row for each store; fail if a store that must hold the control does not."""
    found: dict[str, int] = defaultdict(int)
    for hit in report.hits:
        if hit.label != CONTROL:
            found[hit.store] += 1
    with_control = report.get_stores_with(CONTROL)
    rows = []
    for store, count in sorted(report.stores.items()):
        must = store.endswith(_MUST_HOLD_CONTROL)
        has = store in with_control
        require(
            has or not must,
            f"the search missed the control in {store} of {name}: it would miss a leak too",
        )
        unit = " bytes" if store == "raw files" else ""
        rows.append((name, store, f"{count:,}{unit}", str(found[store]), "found" if has else "-"))
    return rows

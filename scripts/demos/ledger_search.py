"""The search at the end of the story of three ledgers: what may not be across the border.

Collected from Macao's own ledger while it runs: the uid of every record, every commitment and root,
the hash and state root of every block, its genesis, every transaction, the heads over its agencies'
acts, and a count. Then every folder of Guangdong's nodes, stores, traffic and logs, is searched for
them, raw and decoded. A search that finds nothing proves something only if it would have found it:
so controls in every encoding are planted into each store of the copy that is searched, a record of
Guangdong's own must be found in every chain and index, and in the folder of a Macao node every kind
of value.
"""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, Final

from atesta_client import requests

from api.firewall.search.controls import Controls
from api.firewall.search.folders import SearchReport, search_folder
from api.firewall.search.guesses import GuessTable
from api.firewall.search.needles import Needle, NeedleSet
from api.firewall.search.report import CONTROL as LABEL
from node.cli.devnet import NodeRpc
from node.cli.devnet.plan import DevnetNode
from scripts.demos.ledger_stage import (
    EDUCATION,
    HOUSING,
    IDENTIFICATION,
    MACAO,
    LedgerStage,
    get_id,
)
from scripts.demos.stage import StoryFailed, require

CONTROL: Final = LABEL + "record"
"""Label of what must be found at Guangdong: it stands on the ledger concerned."""

_MUST_HOLD_CONTROL: Final = ("LevelDB", "SQLite", "raw files")
_ZERO: Final = "0x" + 64 * "0"


async def collect(stage: LedgerStage, count: int) -> tuple[Needle, ...]:
    """Collect what Macao's own ledger holds, labelled by kind; `count` is a batch's."""
    needles: dict[str | bytes, str] = {}

    def add(kind: str, value: str | None) -> None:
        if value is not None and value != _ZERO:
            needles.setdefault(bytes.fromhex(value[2:]), kind)

    client = stage.get_client(MACAO, HOUSING)
    add("genesis", (await client.send(requests.get_status())).genesis_hash)
    async for schema in client.list_all(requests.list_schemas()):
        add("uid", schema.uid)
        add("root", schema.pointers_hash)
    async for record in client.list_all(requests.list_attestations()):
        add("uid", record.uid)
        add("commitment", record.commitment)
    async for batch in client.list_all(requests.list_batches()):
        add("uid", batch.uid)
        add("root", batch.root)
    for agency in (IDENTIFICATION, HOUSING):
        add("agency head", (await client.send(requests.get_agency(get_id(agency)))).head)
    rpc = NodeRpc(stage.get_node(MACAO, HOUSING).url)
    for kind, value in await asyncio.to_thread(lambda: list(_iterate_blocks(rpc))):
        add(kind, value)
    # An agency that is on Macao's own ledger only, and a count that nothing else has.
    needles[HOUSING.label] = "agency"
    needles[str(count)] = "count"
    needles[count.to_bytes(32, "big")] = "count"
    return tuple(Needle(label=kind, value=value) for value, kind in needles.items())


async def search(
    stage: LedgerStage, needles: tuple[Needle, ...], controls: dict[str, tuple[str, ...]]
) -> None:
    """Search Guangdong's nodes, which must stand still; `controls` are uids in hex by ledger."""
    narrator = stage.narrator
    kinds = sorted({needle.label for needle in needles})
    narrator.say(
        f"{len(needles)} values of Macao's own ledger ({', '.join(kinds)}), as bytes, hex, base64 "
        "and escapes, in raw files and in every decoded key, value, column, frame and log line."
    )
    rows: list[tuple[str, str, str, str, str]] = []
    found = planted = 0
    for node in stage.get_nodes_of(EDUCATION):
        ledger = node.folder.parent.name
        own = tuple(_make_control(uid) for uid in controls[ledger])
        made = Controls()
        report = await _search(node, (*needles, *own, *made.needles), made)
        for hit in report.hits:
            if not hit.label.startswith(LABEL):
                found += 1
                narrator.say(f"found: {hit.label} in {hit.store}, {hit.place}, as {hit.encoding}")
        missed = made.find_missed(report)
        require(not missed, f"the search misses {len(missed)} controls, first {missed[:1]}")
        require(report.further_hits == 0, "the search found more than it could keep")
        planted += made.count()
        rows += _describe(ledger, report)
    columns = ("ledger", "store of Guangdong's node", "searched", "of Macao's own", "own record")
    narrator.show(columns, rows)
    require(found == 0, f"{found} places at Guangdong hold something of Macao's own ledger")
    narrator.confirm(f"0 found at Guangdong; {planted} of {planted} planted controls found")
    at_home = await _search(stage.get_node(MACAO, HOUSING), needles)
    absent = [kind for kind in kinds if not at_home.get_stores_with(kind)]
    require(not absent, f"the search misses {', '.join(absent)} even on Macao's own node")
    places = len([hit for hit in at_home.hits if hit.label in kinds])
    narrator.confirm(
        f"the same search of a node of Macao's own ledger finds every kind, in {places} places"
    )


def _iterate_blocks(rpc: NodeRpc) -> Iterator[tuple[str, str]]:
    """Yield hash and state root of every final block, and its transactions with their roots."""
    for height in range(rpc.get_height() + 1):
        block: Any = rpc.call("eth_getBlockByNumber", hex(height), False)
        yield ("genesis" if height == 0 else "block"), block["hash"]
        yield "root", block["stateRoot"]
        # The roots of an empty block are the same constants on every ledger.
        if block["transactions"]:
            yield "root", block["transactionsRoot"]
            for transaction in block["transactions"]:
                yield "transaction", transaction


async def _search(
    node: DevnetNode, needles: tuple[Needle, ...], controls: Controls | None = None
) -> SearchReport:
    return await asyncio.to_thread(
        search_folder,
        node.folder,
        NeedleSet(needles),
        guesses=None if controls is None else GuessTable(controls.guesses),
        controls=controls,
    )


def _make_control(uid: str) -> Needle:
    return Needle(label=CONTROL, value=bytes.fromhex(uid[2:]))


def _describe(ledger: str, report: SearchReport) -> list[tuple[str, str, str, str, str]]:
    """Return a row for each store; fail if one that must hold a control does not."""
    with_control = report.get_stores_with(CONTROL)
    rows = []
    for store, count in sorted(report.stores.items()):
        must = store.endswith(_MUST_HOLD_CONTROL) and "vault" not in store
        has = store in with_control
        if must and not has:
            raise StoryFailed(f"the search misses the control in {store} of {json.dumps(ledger)}")
        hits = sum(hit.store == store and not hit.label.startswith(LABEL) for hit in report.hits)
        unit = " bytes" if store == "raw files" else ""
        rows.append((ledger, store, f"{count:,}{unit}", str(hits), "found" if has else "-"))
    return rows

"""The last step: searching all that the agencies keep and sent for what should be nowhere."""

import asyncio
from collections import defaultdict
from typing import Final

from scripts.demos.privacy_needles import Needle, NeedleSet
from scripts.demos.privacy_search import SearchReport, search_folder
from scripts.demos.stage import Stage, StoryFailed, require

CONTROL: Final = "control"
"""Label of the needle that must be found."""

_MUST_HOLD_CONTROL: Final = ("LevelDB", "SQLite", "traffic")


async def search_agencies(stage: Stage) -> None:
    """Stop all nodes and search every folder, the issuer's included."""
    network, narrator = stage.network, stage.narrator
    needles = NeedleSet([*stage.list_needles(), Needle(label=CONTROL, value=stage.control_uid)])
    title = "Stores, logs and traffic of every agency are searched for the residents"
    with narrator.step(title, total=len(network.nodes)) as step:
        narrator.say(
            f"{len(needles.needles) - 1} names, birth dates and identifiers in "
            f"{needles.form_count} forms: composed and decomposed UTF-8 and UTF-16, hex, base64, "
            "JSON escapes."
        )
        narrator.say(
            "Raw files, and every decoded key, value, column, frame and log line. Values under six "
            "bytes count as whole decoded fields."
        )
        for node in network.nodes:
            await network.stop(node)
        rows, leaks = [], []
        for node in network.nodes:
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
        rows.append((name, store, f"{count:,}", str(found[store]), "found" if has else "-"))
    return rows

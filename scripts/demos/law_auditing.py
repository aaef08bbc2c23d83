"""What remains to be seen: provenance in both forms, the answer to a case number, and no person.

An auditor asks afterwards. The provenance of a record comes as JSON and as W3C PROV-JSON, which the
``prov`` package must read back; a case number gives one answer about everything that was exchanged
for it. At the end every agency's stores are searched for what should be nowhere in clear.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from atesta_client.answers import Provenance, read_object
from atesta_client.requests import Request

from api.firewall.search.folders import search_folder
from api.firewall.search.needles import Needle, NeedleSet
from contracts.development import DevelopmentAgency
from scripts.demos.law_stage import LawStage
from scripts.demos.prov_reading import read_provenance
from scripts.demos.stage import require

_CONTROL: Final = "control"
_WORDS: Final = {True: "yes", False: "no", None: "nothing to compare"}


async def show_provenance(
    stage: LawStage, auditor: DevelopmentAgency, uid: str, *, rests_on: Iterable[str]
) -> Provenance:
    """Read a record's provenance in both forms, on the auditor's own node, and show its acts."""
    read = await read_provenance(await stage.get_auditor(auditor), uid, rests_on=rests_on)
    told = read.told
    names = {agent.id: agent.name or "a resident's own key" for agent in told.agents}
    rows = [
        (act.type, names.get(act.agent, act.agent[:18]), act.state or "", f"block {act.block}")
        for act in told.activities
    ]
    stage.narrator.show(("act", "by", "state", "final in"), rows)
    stage.narrator.confirm(read.sentence)
    return told


async def show_case(
    stage: LawStage, agency: DevelopmentAgency, number: str, *, missing: Iterable[str] = ()
) -> dict[str, Any]:
    """Ask an agency about a case, as its auditor; show and check the answer."""
    client = await stage.get_auditor(agency)
    started = time.monotonic()
    answer = await client.send(get_case(number))
    duration_s = time.monotonic() - started
    require(
        answer["missing"] == list(missing),
        f"case {number} lacks {answer['missing']}, not {list(missing)}",
    )
    for exchange in answer["exchanges"]:
        basis = exchange["basis"] or {}
        officer = ", ".join(map(str, (exchange["officer"] or {}).values()))
        consents = [
            f"{consent['kind']}, notice version {consent['notice_version']}"
            for consent in exchange["consents"]
        ]
        stage.narrator.show(
            (f"case {number}", exchange["uid"][:18] + "…"),
            [
                ("who asked", f"{exchange['requester']}, officer {officer}"),
                ("whom, for what", f"{exchange['provider']}, {exchange['dataset_title']}"),
                ("fields", ", ".join(exchange["fields"] or ())),
                ("why", str(exchange["purpose_title"])),
                ("on which law", f"{basis.get('law')}, {basis.get('article')}"),
                ("in force then", "yes" if basis.get("live_then") else "no"),
                ("consents", "; ".join(consents) or "none needed"),
                ("state", str(exchange["state"])),
                ("released", str(exchange["released"] or "no")),
                ("received", str(exchange["received"] or "no")),
                ("received equal", _WORDS[exchange["received_equal"]]),
                ("kept until", str(exchange["kept_until"])),
                ("missing", ", ".join(one["code"] for one in exchange["missing"]) or "nothing"),
            ],
        )
    stage.narrator.confirm(f"one call, {duration_s * 1000:.0f} ms")
    return answer


async def search_for_people(stage: LawStage, personal: Mapping[str, str], *, control: str) -> None:
    """Stop all nodes and search every folder for personal values, as text, in all encodings.

    ``control`` is the uid of a record that the search must find at every agency: a search that
    finds nothing proves something only if it would have found it.
    """
    title = "Stores, index, vault and logs of every agency are searched for the people"
    with stage.narrator.step(title, total=len(stage.nodes)) as step:
        needles = NeedleSet(
            [
                *(Needle(label=label, value=value) for label, value in personal.items()),
                Needle(label=_CONTROL, value=bytes.fromhex(control[2:])),
            ]
        )
        await asyncio.to_thread(stage.stop_all)
        for node in stage.nodes:
            await asyncio.to_thread(stage.databases.bring_back, node)
            await asyncio.to_thread(stage.ground.bring_back, node)
            report = await asyncio.to_thread(search_folder, node.folder, needles)
            leaks = [hit for hit in report.hits if hit.label != _CONTROL]
            require(
                not leaks,
                f"{leaks[0].label if leaks else ''} stands in clear at {node.name}, "
                f"{leaks[0].store if leaks else ''}, {leaks[0].place if leaks else ''}",
            )
            found = report.get_stores_with(_CONTROL)
            require(
                any(store.endswith(stage.ground.chain_store) for store in found)
                and any(store.endswith("SQLite") for store in found),
                f"the search missed the control at {node.name}: it would miss a leak too",
            )
            step.advance()
        stage.narrator.confirm(
            f"{len(personal)} names, numbers and values in {needles.form_count:,} forms: none at "
            f"any of {len(stage.nodes)} agencies, in clear not even in their own encrypted vaults"
        )


def create_case(
    number: str, *, procedure: str, purpose: str, needs: Mapping[str, Iterable[str]]
) -> Request[dict[str, Any]]:
    """Build the request that opens a case file; ``needs`` has the fields of each dataset."""
    told = [{"dataset": dataset, "fields": list(fields)} for dataset, fields in needs.items()]
    return Request(
        method="POST",
        path="/cases",
        body={"number": number, "procedure": procedure, "purpose": purpose, "needs": told},
        read=read_object,
    )


def get_case(number: str) -> Request[dict[str, Any]]:
    """Build the request for everything about a case."""
    return Request(method="GET", path=f"/cases/{number}", read=read_object)


def list_askable(number: str, dataset: str) -> Request[dict[str, Any]]:
    """Build the question what a case may ask of a dataset."""
    return Request(
        method="GET", path="/bases", query={"case": number, "dataset": dataset}, read=read_object
    )

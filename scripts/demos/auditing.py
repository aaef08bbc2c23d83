"""The auditor's part: who attested what, read on the auditor's own node, with no name in sight."""

from collections import Counter

from atesta_client import requests
from atesta_client.rest import AsyncClient

from scripts.demos.stage import Stage


async def audit(stage: Stage) -> None:
    """Read agencies, every attestation and one history; show them as a table."""
    network, narrator = stage.network, stage.narrator
    with narrator.step("The auditor reads who attested what, on a node of its own"):
        auditor = await network.get_client(network.auditor)
        names = {
            agency.id: agency.name or agency.id
            for agency in (await auditor.send(requests.list_agencies())).items
        }
        titles: dict[str, str] = {}
        tally: Counter[tuple[str, str, str]] = Counter()
        cursor, seen = None, 0
        while True:
            page = await auditor.send(requests.list_attestations(limit=100, cursor=cursor))
            for item in page.items:
                uid = item.schema_uid
                titles[uid] = titles.get(uid) or await _name_schema(auditor, uid)
                tally[names.get(item.issuer, item.issuer), titles[uid], item.state] += 1
                seen += 1
            cursor = page.next
            if cursor is None:
                break
        rows = [
            (issuer, schema, state, str(count))
            for (issuer, schema, state), count in sorted(tally.items())
        ]
        narrator.show(("issuer", "schema", "state", "records"), rows)
        provenance = await auditor.send(requests.get_provenance(stage.residents[0].uid))
        narrator.confirm(
            f"{seen} records, each with issuer, key, times and state; the history of one has "
            f"{len(provenance.activities)} act(s); not a name among them"
        )


async def _name_schema(client: AsyncClient, uid: str) -> str:
    return (await client.send(requests.get_schema(uid))).title or f"{uid[:18]}…"

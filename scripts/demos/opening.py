"""How it begins: agencies start their nodes and agree on a schema."""

import asyncio

from atesta_client import requests

from scripts.demos.conversion import CONVERTED_PURPOSE, CONVERTED_SHOWN
from scripts.demos.documents import NEEDED, POINTERS, PURPOSES, REFERENCE, SCHEMA_TITLE
from scripts.demos.network import Policy
from scripts.demos.stage import Stage


async def open_network(stage: Stage) -> None:
    """Make and start every agency's node."""
    network, narrator = stage.network, stage.narrator
    title = "Agencies start their nodes, each a process with its own keys and disk"
    with narrator.step(title, total=network.agencies) as step:
        await asyncio.to_thread(network.make, _list_policies(stage))
        await network.start(network.nodes, lambda _: step.advance())
        parts = (
            ("laboratory (Macao): issues", network.laboratory),
            ("health bureau (Macao): owns the schema", network.bureau),
            ("health commission (Guangdong): verifies", network.commission),
            ("auditor: reads", network.auditor),
        )
        rows = [(part, node.name, node.url) for part, node in parts]
        rows += [("takes part in consensus", node.name, node.url) for node in network.nodes[4:]]
        narrator.show(("part", "agency", "address"), rows)
        count = len(network.nodes)
        agree = "1 agency keeps" if count == 1 else f"{count} agencies agree on"
        narrator.confirm(f"{agree} one chain")
        if len(network.nodes) < 4:
            narrator.say(
                "With fewer than four agencies some parts share a node, and the chain "
                "tolerates no faulty node."
            )


async def agree_on_schema(stage: Stage) -> None:
    """Register the schema, accredit the issuer, and hand the list of fields to every agency."""
    network, narrator = stage.network, stage.narrator
    with narrator.step("The health bureau registers the schema and accredits the laboratory"):
        bureau = await network.get_client(network.bureau)
        laboratory_id = (await (await stage.get_issuer()).send(requests.get_status())).agency
        assert laboratory_id is not None, "the laboratory is a member"
        await stage.settle(
            bureau,
            requests.create_schema(
                uid=stage.schema_uid,
                title=SCHEMA_TITLE,
                pointers=POINTERS,
                reference=REFERENCE,
            ),
        )
        await stage.settle(bureau, requests.accredit(stage.schema_uid, laboratory_id))
        for node in {node.name: node for node in network.nodes}.values():
            if node != network.bureau:
                await stage.hand_over_schema(
                    await network.get_client(node),
                    stage.schema_uid,
                    title=SCHEMA_TITLE,
                    pointers=POINTERS,
                    reference=REFERENCE,
                )
        narrator.confirm(
            f"{len(POINTERS)} fields, one leaf each; the chain holds the hash of the list"
        )


def _list_policies(stage: Stage) -> tuple[Policy, ...]:
    """List what is asked of residents at the border, and of holders of a converted code."""
    at_border = (
        Policy(purpose=purpose, required=NEEDED[kind], schemas=[stage.schema_uid])
        for kind, purpose in PURPOSES.items()
    )
    converted = Policy(
        purpose=CONVERTED_PURPOSE, required=CONVERTED_SHOWN, schemas=[stage.converted_uid]
    )
    return (*at_border, converted)

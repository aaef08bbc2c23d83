"""D1: a health certificate made in Macao is checked in Guangdong, and nothing personal is shared.

    python -m scripts.demos.d1 [--documents FILE.ndjson] [--agencies N] [--database postgresql]

The story, with real node processes: a Macao laboratory issues certificates under a schema of the
Macao health bureau; residents carry them; a Guangdong health commission checks them on its own node
while the laboratory's is stopped; what should be refused is refused, each with its reason; a node
that is cut off says that it cannot say; the commission issues a converted attestation, which Macao
checks in turn; an auditor reads who attested what; at the end everything that the agencies keep and
sent is searched for the residents' names, birth dates and certificate identifiers.

Ends with ``demo: ok`` and exit code 0, or ``demo: failed: <reason>`` and exit code 1.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.demos.auditing import audit
from scripts.demos.checking import check_while_issuer_is_down, cut_off_verifier
from scripts.demos.conversion import convert
from scripts.demos.databases import DemoDatabases, add_options, check_options
from scripts.demos.documents import load_documents
from scripts.demos.ground import DemoGround, add_network_option
from scripts.demos.issuing import carry_certificates, make_credentials
from scripts.demos.narrator import Narrator
from scripts.demos.network import DemoNetwork
from scripts.demos.opening import agree_on_schema, open_network
from scripts.demos.privacy_step import search_agencies
from scripts.demos.refusals import show_refusals
from scripts.demos.stage import Stage
from scripts.demos.telling import tell_to_the_end

OWN_DOCUMENTS = Path(__file__).parent / "data" / "certificates.ndjson"
"""The project's own dozen certificates of people who do not exist."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration; return the exit code."""
    options = _parse(arguments)
    narrator = Narrator()
    failure = asyncio.run(_run(options, narrator))
    narrator.finish(failure)
    return 0 if failure is None else 1


async def _run(options: argparse.Namespace, narrator: Narrator) -> str | None:
    """Tell the story; return why it failed, or None."""
    databases = DemoDatabases(options.database)
    ground = DemoGround(options.network)
    narrator.words = ground.words
    network = DemoNetwork(options.agencies, keep=options.keep, databases=databases, ground=ground)

    async def tell() -> None:
        documents = load_documents(options.documents)
        own = load_documents(OWN_DOCUMENTS)
        with databases, ground:
            for note in (databases.note, ground.note):
                if note is not None:
                    narrator.say(note)
            async with network:
                await _tell(Stage(network, narrator, documents, own), keep=options.keep)
                network.is_finished = True

    failure = await tell_to_the_end(narrator, network, tell)
    if options.keep and failure is None:
        narrator.say("The nodes keep running; to stop them:")
        narrator.say(f".venv/bin/atesta devnet down --dir {network.folder}")
        for node in network.nodes:
            narrator.say(f"{node.name}: {node.url}/explorer")
    return failure


async def _tell(stage: Stage, *, keep: bool) -> None:
    """Tell it all, step by step."""
    await open_network(stage)
    await agree_on_schema(stage)
    await make_credentials(stage)
    await carry_certificates(stage)
    await check_while_issuer_is_down(stage)
    await show_refusals(stage)
    await cut_off_verifier(stage)
    await convert(stage)
    await audit(stage)
    await search_agencies(stage)
    if keep:
        with stage.narrator.step("The nodes are started again, because of --keep"):
            await stage.network.start(stage.network.nodes)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="A health certificate made in Macao is checked in Guangdong (D1).",
    )
    parser.add_argument(
        "--documents",
        type=_resolve,
        default=OWN_DOCUMENTS,
        metavar="FILE.ndjson",
        help="certificates, one JSON object a line (default: a dozen fictional ones)",
    )
    parser.add_argument(
        "--agencies",
        type=int,
        choices=range(1, 11),
        default=4,
        metavar="N",
        help="agencies, 1 to 10, each with a node of its own (default 4)",
    )
    add_options(parser)
    add_network_option(parser)
    options = parser.parse_args(arguments)
    check_options(parser, options)
    return options


def _resolve(path: str) -> Path:
    # scripts/demo changes to the project's folder; a relative path means the caller's.
    return Path(os.environ.get("ATESTA_STARTED_IN", ".")) / path


if __name__ == "__main__":
    sys.exit(main())

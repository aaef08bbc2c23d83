"""Running a demonstration of the ledger's law: one story, told to its end or to its failure.

Every script ends with ``NAME: ok`` and exit code 0, or ``NAME: failed: REASON`` and exit code 1,
and leaves no process behind, also when it is interrupted.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from contracts.development import SHARER, DevelopmentAgency, list_development_agencies
from contracts.testkeys import AGENCIES
from scripts.demos.databases import DemoDatabases, add_options, check_options
from scripts.demos.ground import DemoGround, add_network_option
from scripts.demos.law_stage import LawStage
from scripts.demos.narrator import Narrator
from scripts.demos.telling import tell_to_the_end


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A demonstration."""

    name: str
    """As its script is called, such as ``d2``."""
    summary: str
    """One sentence."""
    parties: tuple[DevelopmentAgency, ...]
    """Who takes part."""
    tell: Callable[[LawStage], Awaitable[None]]
    """Tells it, step by step; raises `StoryFailed`."""


def run(story: Story, arguments: Sequence[str] | None = None) -> int:
    """Tell a story; return the exit code."""
    parser = argparse.ArgumentParser(prog=f"scripts/demos/{story.name}", description=story.summary)
    add_options(parser)
    add_network_option(parser)
    fewest = len(story.parties)
    parser.add_argument(
        "--agencies",
        type=int,
        default=fewest,
        metavar="N",
        help=f"agencies on the ledger, {fewest} to {AGENCIES}; {fewest} of them tell the story",
    )
    options = parser.parse_args(arguments)
    check_options(parser, options)
    if not fewest <= options.agencies <= AGENCIES:
        names = ", ".join(party.name for party in story.parties)
        parser.error(
            f"--agencies is {fewest} to {AGENCIES}: the story needs {names}, each an agency of its "
            "own, for nobody decides what they asked for or enters the law that they use"
        )
    narrator = Narrator(name=story.name)
    narrator.say(story.summary)
    failure = asyncio.run(_run(story, narrator, options))
    narrator.finish(failure)
    return 0 if failure is None else 1


def list_parties(story: Story, count: int) -> tuple[DevelopmentAgency, ...]:
    """Return the agencies of a story, and so many others that there are `count`.

    The others run nodes, take part in making blocks, and must not learn anything.
    """
    taken = {party.label for party in story.parties}
    others = [
        replace(agency, roles=SHARER)
        for agency in list_development_agencies(AGENCIES)
        if agency.label not in taken
    ]
    return (*story.parties, *others[: count - len(story.parties)])


async def _run(story: Story, narrator: Narrator, options: argparse.Namespace) -> str | None:
    """Tell the story; return why it failed, or None."""
    databases = DemoDatabases(options.database)
    ground = DemoGround(options.network)
    narrator.words = ground.words
    parties = list_parties(story, options.agencies)
    stage = LawStage(narrator, parties, keep=options.keep, databases=databases, ground=ground)

    async def tell() -> None:
        with databases, ground:
            for note in (databases.note, ground.note):
                if note is not None:
                    narrator.say(note)
            async with stage:
                await stage.open()
                await story.tell(stage)
                if options.keep:
                    with narrator.step("The nodes are started again, because of --keep"):
                        await stage.restart()
                stage.is_finished = True

    failure = await tell_to_the_end(narrator, stage, tell)
    if options.keep and failure is None:
        narrator.say("The nodes keep running; to stop them:")
        narrator.say(f".venv/bin/atesta devnet down --dir {stage.folder / 'net'}")
    return failure

"""Running a demonstration of the ledger's law: one story, told to its end or to its failure.

Every script ends with ``NAME: ok`` and exit code 0, or ``NAME: failed: REASON`` and exit code 1,
and leaves no process behind, also when it is interrupted.
"""

import argparse
import asyncio
import contextlib
import signal
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from atesta_client.errors import ClientError

from contracts.development import SHARER, DevelopmentAgency, list_development_agencies
from contracts.testkeys import AGENCIES
from node.errors import NodeError
from scripts.demos.databases import DemoDatabases, add_options, check_options
from scripts.demos.ground import DemoGround, add_network_option
from scripts.demos.law_stage import LawStage
from scripts.demos.narrator import Narrator
from scripts.demos.network import NodeGone
from scripts.demos.stage import StoryFailed
from scripts.postgresql.server import PostgresMissing

_INTERRUPTS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in _INTERRUPTS:
        loop.add_signal_handler(number, task.cancel)
    databases = DemoDatabases(options.database)
    ground = DemoGround(options.network)
    narrator.words = ground.words
    parties = list_parties(story, options.agencies)
    stage = LawStage(narrator, parties, keep=options.keep, databases=databases, ground=ground)
    try:
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
    except asyncio.CancelledError:
        return "interrupted; every node that it started is stopped"
    except (StoryFailed, NodeGone, PostgresMissing, ClientError, NodeError, OSError) as error:
        narrator.say(f"The nodes are stopped; their folders and logs are in {stage.folder}.")
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever happens, the last line says why
        traceback.print_exc()
        return f"{type(error).__name__}: {error}"
    finally:
        for number in _INTERRUPTS:
            with contextlib.suppress(ValueError):
                loop.remove_signal_handler(number)
    if options.keep:
        narrator.say("The nodes keep running; to stop them:")
        narrator.say(f".venv/bin/atesta devnet down --dir {stage.folder / 'net'}")
    return None

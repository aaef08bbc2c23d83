"""Telling a story to its end or to its failure.

Whatever happens, the last line says it, and no process is left behind: an interrupt cancels the
story, whose stage then stops what it started.
"""

import asyncio
import contextlib
import signal
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Protocol

from atesta_client.errors import ClientError

from node.errors import NodeError
from scripts.demos.documents import DocumentsUnusable
from scripts.demos.narrator import Narrator
from scripts.demos.network import NodeGone
from scripts.demos.stage import StoryFailed
from scripts.postgresql.server import PostgresMissing

INTERRUPTS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What ends a story early."""

_EXPECTED: Final = (
    StoryFailed,
    NodeGone,
    DocumentsUnusable,
    PostgresMissing,
    ClientError,
    NodeError,
    OSError,
)


class Folder(Protocol):
    """Where a story takes place."""

    folder: Path
    """Of everything that it keeps; ``Path()`` before it is made."""


async def tell_to_the_end(
    narrator: Narrator, stage: Folder, tell: Callable[[], Awaitable[None]]
) -> str | None:
    """Tell the story; return why it failed, or None."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in INTERRUPTS:
        loop.add_signal_handler(number, task.cancel)
    try:
        await tell()
    except asyncio.CancelledError:
        return "interrupted; every node that it started is stopped"
    except _EXPECTED as error:
        if stage.folder != Path() and stage.folder.is_dir():
            narrator.say(f"The nodes are stopped; their folders and logs are in {stage.folder}.")
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever happens, the last line says why
        traceback.print_exc()
        return f"{type(error).__name__}: {error}"
    finally:
        for number in INTERRUPTS:
            with contextlib.suppress(ValueError):
                loop.remove_signal_handler(number)
    return None

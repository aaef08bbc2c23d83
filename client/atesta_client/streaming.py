"""Server-sent events, as the HTML standard writes them, taken apart piece by piece.

A stream is lines of UTF-8; a name and a colon lead each field, an empty line ends an event, a line
that begins with a colon says only that the server is alive. Pieces from the network end anywhere,
also inside a character; what is not ended by a line break waits for the next piece.
"""

import re
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import Final

from atesta_client.errors import RestAnswerMalformed

MAX_EVENT_SIZE: Final = 1 << 20
"""Largest event accepted, in bytes; a stream with a larger one is refused."""

_LINE_END: Final = re.compile(rb"\r\n|\n|\r(?!\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamedEvent:
    """One event of a stream."""

    id: str | None
    """Sent as ``Last-Event-ID`` to go on behind it."""
    kind: str
    """What it is; ``message`` where the server does not say."""
    data: str
    """Its content."""


async def read_events(pieces: AsyncIterable[bytes]) -> AsyncIterator[StreamedEvent]:
    """Put the pieces of a stream together; an event that was cut off at the end is not told.

    Raises :class:`RestAnswerMalformed` for one that is too large or is not UTF-8.
    """
    waiting = b""
    fields: dict[str, list[str]] = {}
    size = 0
    async for piece in pieces:
        *lines, waiting = _LINE_END.split(waiting + piece)
        for line in lines:
            size += len(line)
            if line:
                _note_field(fields, line)
                continue
            if "data" in fields:
                yield _build_event(fields)
            fields, size = {}, 0
        if size + len(waiting) > MAX_EVENT_SIZE:
            raise RestAnswerMalformed(f"an event is longer than {MAX_EVENT_SIZE} bytes")


def _note_field(fields: dict[str, list[str]], line: bytes) -> None:
    try:
        name, _, value = line.decode("utf-8").partition(":")
    except UnicodeDecodeError as error:
        raise RestAnswerMalformed("the node's events are not UTF-8") from error
    if name:
        fields.setdefault(name, []).append(value.removeprefix(" "))


def _build_event(fields: dict[str, list[str]]) -> StreamedEvent:
    return StreamedEvent(
        id=fields["id"][-1] if "id" in fields else None,
        kind=fields.get("event", ["message"])[-1],
        data="\n".join(fields["data"]),
    )

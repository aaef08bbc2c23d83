"""Structured logs that can be shown to anybody.

One JSON object a line: time, level, logger, event, and fields. An event is a fixed name in the
code, never a sentence with values in it; a field is written only if its name is on the list of
`log_fields` and its value is of the kind that stands there. So a personal datum cannot reach the
log by a careless f-string: such a field is dropped, and its name, not its value, is noted. Of what
other libraries log, the text is written as it stands in their code, without what they put into it.
"""

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import orjson
import structlog

from api.errors import ApiError
from consensus.errors import ConsensusError
from contracts.errors import ContractError
from node.daemon.log_fields import FIELD_KINDS, MAX_TEXT, clean_text, take_field
from node.errors import NodeError, OperationalFault
from node.settings import LogSettings

_MAX_FRAMES = 12

ALLOWED_FIELDS = frozenset(FIELD_KINDS)
"""The names under which a value may be written. None of them holds what a person submitted."""

_STANDARD = frozenset({"event", "level", "timestamp", "logger"})


def configure_logs(settings: LogSettings, *, node: str) -> None:
    """Send every log of the process to the places in the settings.

    Raises OperationalFault if the file cannot be opened.
    """
    handlers: list[logging.Handler] = []
    if settings.file is not None:
        handlers.append(_open_file(settings.file))
    if settings.stderr or settings.file is None:
        handlers.append(logging.StreamHandler(sys.stderr))
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        format_exception,
        keep_allowed_fields,
    ]

    def add_node(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["node"] = node
        return event

    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, add_node],
        use_get_message=False,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(serializer=_serialize),
        ],
    )
    for handler in handlers:
        handler.setFormatter(formatter)
    # A full disk must not fill the console with tracebacks of each line that found no room.
    logging.raiseExceptions = False
    logging.basicConfig(handlers=handlers, level=settings.level.upper(), force=True)
    for noisy in ("aiohttp", "asyncio", "web3", "sqlalchemy", "aiosqlite", "eth", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            add_node,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def format_exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace `exc_info` by where it happened and what it was.

    The text of an error is written only if it is one of ours or the system's: a library's may quote
    the value that it stumbled over, and that value may be a person's.
    """
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["exception"] = "; caused by ".join(_describe(part) for part in _unwind(error))
    return event


def keep_allowed_fields(
    _: Any, __: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop every field that is not on the list, and every value that is none of its kind."""
    dropped = []
    for name in list(event):
        if name in _STANDARD or name.startswith("_"):
            continue
        try:
            event[name] = take_field(name, event[name])
        except (KeyError, ValueError):
            del event[name]
            dropped.append(name)
    if dropped:
        event["fields_dropped"] = ",".join(sorted(dropped))
    if "event" in event:
        event["event"] = clean_text(str(event["event"]), MAX_TEXT)
    return event


def _unwind(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _describe(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-_MAX_FRAMES:]
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    text = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, NodeError | ApiError | ConsensusError | ContractError | OSError):
        text += f": {error}"
    return f"{text} at {' < '.join(reversed(places))}" if places else text


def _serialize(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


def _open_file(path: Path) -> logging.Handler:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise OperationalFault(
            f"{path} cannot be written: {error.strerror}",
            field="log.file",
            next_step="Choose another file, or free the disk",
        ) from error

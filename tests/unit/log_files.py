"""A file that a test's log lines go to, as a node writes them; the settings before come back."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from node.daemon.logs import configure_logs
from node.settings import LogSettings


@contextmanager
def write_logs_to(file: Path, *, level: str, node: str) -> Iterator[Path]:
    """Write logs to a file for as long as the context lasts."""
    root = logging.getLogger()
    handlers, level_before = list(root.handlers), root.level
    configure_logs(LogSettings(level=level, file=file, stderr=False), node=node)
    try:
        yield file
    finally:
        for handler in root.handlers:
            if handler not in handlers:
                handler.close()
        root.handlers[:] = handlers
        root.setLevel(level_before)
        structlog.reset_defaults()

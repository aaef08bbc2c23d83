"""Closing a connection at once, also one that is gone already."""

import asyncio
import contextlib


def abort_connection(writer: asyncio.StreamWriter) -> None:
    """Close without waiting for what is unsent; harmless on a connection that has ended.

    The first releases of Python 3.11 (3.11.2, as Debian 12 has it) raise AttributeError where the
    TLS transport has let go of its protocol before.
    """
    with contextlib.suppress(AttributeError):
        writer.transport.abort()

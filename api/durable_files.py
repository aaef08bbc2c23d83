"""Writing a file whole or not at all, so that a loss of power leaves the old one or the new one."""

import os
from pathlib import Path
from typing import Final

PUBLIC: Final = 0o666
"""Mode of a file that others may read, less what the process takes off (umask)."""


def replace_file(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put a file in place of another, or of none, durably; only its owner reads it by default.

    Raises OSError; then the old file stays.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names that were added to, changed in or taken from a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Making what was done to the names of a folder survive a loss of power.

A file that is new, renamed or removed is on disk only once its folder is: flushing the file alone
keeps its content, not its name.
"""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make names that were added to, changed in or taken from a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

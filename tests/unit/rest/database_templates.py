"""An agency's empty databases, made once for a run of tests and copied for each agency of them.

Most of the time that an agency of the tests takes to open went into making the same tables. How
they are made and migrated, the tests of `tests/unit/databases` and `tests/unit/vault` look at.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from api.databases import open_database
from api.index import tables as index_tables
from api.migrations.migrating import OUTBOX_MIGRATIONS, VAULT_MIGRATIONS
from api.outbox import tables as outbox_tables
from api.vault import tables as vault_tables

_OPENED: Final = {
    "index": (index_tables.METADATA, None),
    "outbox": (outbox_tables.METADATA, OUTBOX_MIGRATIONS),
    "vault": (vault_tables.METADATA, VAULT_MIGRATIONS),
}


def copy_template(path: Path, name: str) -> None:
    """Put the empty database of this name at a path, unless there is one already."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_make_template(name))


@cache
def _make_template(name: str) -> bytes:
    """Return the file as the API itself makes it when it first opens."""
    metadata, migrations = _OPENED[name]
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        open_database(path, metadata, migrations=migrations, name=name).close()
        assert not path.with_name(name + "-wal").exists(), "all of it is in the file"
        return path.read_bytes()

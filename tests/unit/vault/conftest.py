"""A vault on either engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.vault.vault_kit import Kit


@pytest.fixture
def kit(database_url: str, tmp_path: Path) -> Iterator[Kit]:
    """A vault on SQLite, then one on PostgreSQL; four records to an epoch."""
    made = Kit(url=database_url, folder=tmp_path)
    yield made
    made.close()


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Kit]:
    """A vault on SQLite only."""
    made = Kit(url=f"sqlite:///{tmp_path}/vault.sqlite", folder=tmp_path)
    yield made
    made.close()

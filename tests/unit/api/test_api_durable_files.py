"""A file is replaced whole or not at all, and read by whom it is for."""

import os
import stat
from pathlib import Path

import pytest

from api.durable_files import PUBLIC, replace_file


def test_replaced_file_has_the_new_content_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    for content in (b"one", b"two, longer", b""):
        replace_file(path, content)
        assert path.read_bytes() == content
        assert list(tmp_path.iterdir()) == [path]


def test_file_is_its_owners_unless_it_is_public(tmp_path: Path) -> None:
    replace_file(tmp_path / "own", b"")
    replace_file(tmp_path / "public", b"", mode=PUBLIC)
    assert stat.S_IMODE((tmp_path / "own").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "public").stat().st_mode) & 0o444


def test_old_file_stays_if_the_new_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tokens.json"
    replace_file(path, b"old")

    def fail(_descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]

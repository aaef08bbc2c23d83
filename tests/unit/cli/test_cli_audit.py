"""`atesta audit privacy` looks at what it is asked to search before it opens anything."""

from pathlib import Path

import pytest

from node.cli import audit_commands
from node.errors import UserFault


def find(*folders: str) -> dict[str, Path]:
    found = audit_commands._find_sources(
        None, folders=list(folders), databases=[], chains=[], token_file=None
    )
    return dict(found.folders)


def test_audit_takes_folders_and_files_that_are_there(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.touch()
    assert find(f"bureau={tmp_path}", f"log={log}") == {"bureau": tmp_path, "log": log}


def test_audit_refuses_a_folder_that_is_not_there_before_it_opens_the_vault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_commands, "_read_values", lambda *_: pytest.fail("it opened it"))
    with pytest.raises(UserFault, match="does not exist") as refused:
        find(f"bureau={tmp_path}", f"traffic={tmp_path / 'nowhere'}")
    assert str(tmp_path / "nowhere") in str(refused.value)
    assert "--folder" in str(refused.value)


@pytest.mark.parametrize("text", ["bureau", "=x", "bureau="])
def test_audit_refuses_a_folder_without_a_name(text: str) -> None:
    with pytest.raises(UserFault, match="NAME=PATH"):
        find(text)

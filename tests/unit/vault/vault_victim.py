"""A process that is killed again and again, each time at another durable step of the vault.

It reads jobs as JSON on standard input. For each it forks a child, which fills a new vault, then
does the job's action and dies by SIGKILL at the planned step. It prints for each job whether the
child was killed, or had no step left to die at.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from api.databases import Unwatched
from api.vault.backup import write_backup
from api.vault.ciphers import KEY_SIZE
from api.vault.keys import MasterKey, write_master_key
from api.vault.restoring import restore_backup
from api.vault.rotation import change_master_key, rotate
from node.storage.crashpoints import CrashMoment, CrashPlan, CrashPoints
from tests.unit.vault.test_vault_upgrade import fill_first_version
from tests.unit.vault.vault_kit import Kit

RECORDS = 6


class Armed:
    """Watches nothing until it is armed."""

    def __init__(self, points: CrashPoints) -> None:
        self._points = points
        self.is_armed = False

    def around(self, kind: str) -> AbstractContextManager[object]:
        return self._points.around(kind) if self.is_armed else Unwatched().around(kind)


def fill(kit: Kit) -> list[bytes]:
    """Put records in, with a material for each, over several epochs; return their uids."""
    uids = []
    for number in range(RECORDS):
        uid = kit.put(number).record.uid
        kit.put_material(uid, f"case {number}")
        uids.append(uid)
    return uids


def erase(kit: Kit) -> None:
    uids = json.loads((kit.folder / "uids.json").read_text())
    kit.erase(*(bytes.fromhex(uid) for uid in uids[:2]))


def restore(kit: Kit) -> None:
    """Bring an older backup back over a vault that has one more and two fewer."""
    restore_backup(kit.keyring, kit.folder / "old.backup", replace=True)


def write_first_version(url: str, folder: Path) -> None:
    """Make a vault that was not under epochs yet."""
    key = MasterKey(os.urandom(KEY_SIZE))
    write_master_key(folder / "vault.key", key)
    made, _ = fill_first_version(url, key)
    (folder / "uids.json").write_text(json.dumps([c.record.uid.hex() for c in made]))


def prepare_restore(kit: Kit) -> None:
    write_backup(kit.keyring, kit.folder / "old.backup")
    erase(kit)
    extra = kit.put(50).record.uid
    (kit.folder / "extra.json").write_text(json.dumps(extra.hex()))


ACTIONS: dict[str, Callable[[Kit], Any]] = {
    "erase": erase,
    "master": lambda kit: change_master_key(kit.keyring, kit.keys.key_file),
    "rotate": lambda kit: rotate(kit.keyring, kit.keys.key_file),
    "restore": restore,
}


def live(job: dict[str, Any]) -> None:
    plan = CrashPlan(number=job["number"], kind=job.get("kind"), moment=CrashMoment(job["moment"]))
    armed = Armed(CrashPoints(plan))
    folder = Path(job["folder"])
    if job["action"] in {"begin", "upgrade"}:
        if job["action"] == "upgrade":
            write_first_version(job["url"], folder)
        armed.is_armed = True
        Kit(url=job["url"], folder=folder, watch=armed, mirrors=(folder / "mirror",)).close()
        return
    kit = Kit(url=job["url"], folder=folder, watch=armed, mirrors=(folder / "mirror",))
    uids = fill(kit)
    (folder / "uids.json").write_text(json.dumps([uid.hex() for uid in uids]))
    (folder / "vault.key.before").write_bytes((folder / "vault.key").read_bytes())
    if job["action"] == "restore":
        prepare_restore(kit)
    armed.is_armed = True
    ACTIONS[job["action"]](kit)
    kit.close()


def main() -> None:
    for job in json.load(sys.stdin):
        child = os.fork()
        if child == 0:
            try:
                live(job)
            except BaseException as error:  # noqa: BLE001 - the parent only sees the code
                sys.stderr.write(f"{job}: {error!r}\n")
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        outcome = "killed" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
        sys.stdout.write(outcome + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(asyncio.DefaultEventLoopPolicy())
    main()

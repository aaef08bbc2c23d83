"""The vault against a model: whatever is done in whatever order, it answers as the model does."""

import os
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path

import pytest
from atesta_client.credentials import Credential
from atesta_client.envelopes import Envelope, EnvelopeKind, seal_envelope
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from api.vault.backup import write_backup
from api.vault.checking import check_vault
from api.vault.erasure import renew_epochs
from api.vault.key_folder import KeyFolder
from api.vault.key_places import add_place
from api.vault.materials import Material
from api.vault.restoring import restore_backup
from api.vault.rotation import change_master_key, rotate
from api.vault.vault import UidTaken
from tests.unit.vault.vault_kit import NOW_S, Kit, do, make, wrap

STEPS = 20


class VaultMachine(RuleBasedStateMachine):
    """Documents, envelopes and backups, put, superseded, erased, rotated, kept and brought back."""

    backups = Bundle("backups")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="atesta-model-"))
        self.kit = Kit(
            url=f"sqlite:///{self.folder}/vault.sqlite",
            folder=self.folder,
            mirrors=(self.folder / "mirror",),
        )
        self.order: list[bytes] = []
        self.living: dict[bytes, Credential] = {}
        self.cases: dict[bytes, Envelope] = {}
        self.erased: dict[bytes, Credential] = {}
        self.stale: set[int] = set()
        """Backups that hold what a restored older one took out of the vault."""
        self.kept: dict[int, tuple[dict[bytes, Credential], dict[bytes, Envelope]]] = {}

    def _in_order(self, uids: Collection[bytes]) -> list[bytes]:
        """Return uids as they were made: they are random, and a run must be repeatable."""
        return [uid for uid in self.order if uid in uids]

    @initialize()
    def begin(self) -> None:
        self.put(1)

    @rule(number=st.integers(1, 3))
    def put(self, number: int) -> None:
        """Put a document; the same certificate may come again."""
        credential = make(number)
        do(self.kit.vault.put(wrap(credential)))
        self.living[credential.record.uid] = credential
        self.order.append(credential.record.uid)

    @precondition(lambda self: self.living)
    @rule(data=st.data())
    def supersede(self, data: st.DataObject) -> None:
        previous = data.draw(st.sampled_from(self._in_order(self.living)))
        credential = make(9)
        stored = do(self.kit.vault.put(wrap(credential, previous=previous)))
        assert stored.previous == previous
        self.living[credential.record.uid] = credential
        self.order.append(credential.record.uid)

    @precondition(lambda self: self.living)
    @rule(data=st.data())
    def add_case(self, data: st.DataObject) -> None:
        free = self._in_order(self.living.keys() - self.cases.keys())
        if free:
            uid = data.draw(st.sampled_from(free))
            case = seal_envelope(EnvelopeKind.CASE, {"number": uid.hex()}, os.urandom)
            do(
                self.kit.materials.put(
                    (Material(uid=uid, role="case", envelope=case, reference="r"),), now_s=NOW_S
                )
            )
            self.cases[uid] = case

    @precondition(lambda self: self.living)
    @rule(data=st.data())
    def claim(self, data: st.DataObject) -> None:
        uid = data.draw(st.sampled_from(self._in_order(self.living)))
        rivals = do(self.kit.vault.claim(uid, NOW_S)).rivals
        assert all(rival.uid in self.living for rival in rivals), "the erased are no rivals"

    @precondition(lambda self: self.living)
    @rule(data=st.data())
    def erase(self, data: st.DataObject) -> None:
        uids = data.draw(
            st.lists(st.sampled_from(self._in_order(self.living)), min_size=1, max_size=3)
        )
        report = self.kit.erase(*uids)
        assert report.erased == len(set(uids))
        for uid in set(uids):
            self.erased[uid] = self.living.pop(uid)
            self.cases.pop(uid, None)

    @precondition(lambda self: self.erased)
    @rule(data=st.data())
    def put_an_erased_one_again(self, data: st.DataObject) -> None:
        uid = data.draw(st.sampled_from(self._in_order(self.erased)))
        with pytest.raises(UidTaken):
            do(self.kit.vault.put(wrap(self.erased[uid])))

    @rule()
    def rotate_everything(self) -> None:
        rotate(self.kit.keyring, self.kit.keys.key_file)

    @rule()
    def change_the_master_key(self) -> None:
        change_master_key(self.kit.keyring, self.kit.keys.key_file)

    @rule(data=st.data())
    def renew_some_epochs(self, data: st.DataObject) -> None:
        numbers = data.draw(st.lists(st.sampled_from(self.kit.keyring.list_keys()), unique=True))
        renew_epochs(self.kit.keyring, numbers)

    @rule(target=backups)
    def back_up(self) -> int:
        number = len(self.kept)
        write_backup(self.kit.keyring, self.folder / f"{number}.backup")
        self.kept[number] = dict(self.living), dict(self.cases)
        return number

    @rule(number=backups)
    def restore(self, number: int) -> None:
        living, cases = self.kept[number]
        report = restore_backup(self.kit.keyring, self.folder / f"{number}.backup", replace=True)
        expected = {u: c for u, c in living.items() if u not in self.erased}
        awaited = {u: c for u, c in cases.items() if u not in self.erased}
        if number not in self.stale:
            assert report.lost == 0
        elif report.lost:
            # What was not in the vault when its epoch ended has no wrap any more.
            expected = {u: c for u, c in expected.items() if do(self.kit.vault.open(u)) == c}
            awaited = {u: c for u, c in awaited.items() if do(self.kit.materials.get_all(u))}
        self.stale = {
            other
            for other, (others, theirs) in self.kept.items()
            if (others.keys() - self.erased.keys()) - expected.keys()
            or any(
                awaited.get(uid) != case for uid, case in theirs.items() if uid not in self.erased
            )
        }
        self.living, self.cases = expected, awaited

    @rule(number=consumes(backups))
    def lose_a_backup(self, number: int) -> None:
        (self.folder / f"{number}.backup").unlink()

    @rule()
    def open_again(self) -> None:
        self.kit.reopen()

    @rule()
    def lose_the_second_place(self) -> None:
        mirror = self.folder / "mirror"
        shutil.rmtree(mirror)
        add_place(KeyFolder(self.kit.keys.places), mirror)
        self.kit.reopen()

    @invariant()
    def answers_as_the_model(self) -> None:
        vault = self.kit.vault
        for uid, credential in self.living.items():
            assert do(vault.open(uid)) == credential
            found = do(self.kit.materials.find(uid, "case"))
            assert found == self.cases.get(uid)
            assert do(vault.find_erased(uid)) is None
        for uid in self.erased:
            assert do(vault.open(uid)) is None
            assert do(vault.find_erased(uid)) is not None
        assert len(do(vault.get_page(limit=1000, before=None, schema_uid=None))) == len(self.living)

    def teardown(self) -> None:
        report = check_vault(self.kit.keyring)
        assert report.is_whole
        assert report.rows == len(self.living) + len(self.cases)
        self.kit.close()
        shutil.rmtree(self.folder)


TestVaultModel = VaultMachine.TestCase
TestVaultModel.settings = settings(
    max_examples=4,
    stateful_step_count=STEPS,
    suppress_health_check=list(HealthCheck),
    deadline=None,
)


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_vault_answers_as_the_model_for_long() -> None:
    run_state_machine_as_test(
        VaultMachine,
        settings=settings(
            max_examples=40,
            stateful_step_count=60,
            suppress_health_check=list(HealthCheck),
            deadline=None,
        ),
    )

"""Fingerprints find records again and die with them."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from api.vault.epoch_keys import EpochKey
from api.vault.tables import CLAIMS, MATERIALS, RECORDS
from tests.unit.vault.vault_kit import NOW_S, SCHEMA, Kit, do, make, wrap


@given(secret=st.binary(min_size=32, max_size=32), value=st.binary(min_size=32, max_size=32))
def test_veil_is_lifted_by_its_own_key_only(secret: bytes, value: bytes) -> None:
    key = EpochKey(number=1, created_s=0, secret=secret)
    other = EpochKey(number=1, created_s=0, secret=bytes(b ^ 1 for b in secret))
    stored = key.veil(value)
    assert len(stored) == 32
    assert stored == key.veil(value)
    assert stored != value
    assert key.unveil(stored) == value
    assert other.unveil(stored) != value


def test_references_are_found_over_all_epochs_and_after_moves(kit: Kit) -> None:
    made = [do(kit.vault.put(wrap(make(5, name=f"Chan {n}")))) for n in range(10)]
    for stored in made:
        kit.put_material(stored.uid, "2026/7")
        do(kit.vault.claim(stored.uid, NOW_S))
    assert len(kit.keyring.list_keys()) > 3
    kit.erase(made[0].uid)
    for _ in range(2):
        uids = do(kit.materials.list_by_reference("case", "2026/7"))
        assert uids == tuple(stored.uid for stored in made[1:])
        rivals = do(kit.vault.claim(made[9].uid, NOW_S)).rivals
        assert [rival.uid for rival in rivals] == [stored.uid for stored in made[1:9]]
        kit.reopen()


def test_running_process_finds_references_under_an_epoch_of_another(kit: Kit) -> None:
    other = Kit(url=kit.url, folder=kit.folder)
    kit.erase(kit.put(1).record.uid)
    stored = do(kit.vault.put(wrap(make(5))))
    do(kit.vault.claim(stored.uid, NOW_S))
    kit.put_material(stored.uid, "2026/7")
    other.keyring._looked_s = float("inf")  # it does not look by itself
    assert do(other.materials.list_by_reference("case", "2026/7")) == (stored.uid,)
    rival = do(other.vault.put(wrap(make(5, name="Another"))))
    assert [r.uid for r in do(other.vault.claim(rival.uid, NOW_S)).rivals] == [stored.uid]
    other.close()


def test_fingerprints_of_erased_records_cannot_be_tested(tmp_path: Path) -> None:
    """An old copy of the database, with every key that is left, answers no guess."""
    kit = Kit(url=f"sqlite:///{tmp_path}/vault.sqlite", folder=tmp_path)
    made = [kit.put(number) for number in range(2)]
    for credential in made:
        kit.put_material(credential.record.uid, "2026/7")
        do(kit.vault.claim(credential.record.uid, NOW_S))
    gone = made[0].record.uid
    copies = {
        table.name: kit.database.read_now(
            lambda c, t=table: c.execute(  # type: ignore[misc]
                select(t.c.reference).where(t.c.uid == gone)
            ).scalar_one()
        )
        for table in (RECORDS, CLAIMS, MATERIALS)
    }
    fingerprints = kit.keyring.fingerprints
    guesses = {
        "records": fingerprints.compute_reference(SCHEMA.uid, b'[["MO-0"]]'),
        "claims": fingerprints.compute_reference(SCHEMA.uid, b'[["MO-0"]]'),
        "materials": fingerprints.compute_reference(b"case".ljust(32, b"\0"), b"2026/7"),
    }

    def is_confirmed(name: str) -> bool:
        keys = [kit.keyring.find_key(number) for number in kit.keyring.list_keys()]
        veils = {key.veil(guesses[name]) for key in keys if key is not None}
        return bytes(copies[name]) in veils | {guesses[name]}

    assert all(is_confirmed(name) for name in copies), "a right guess is confirmed before"
    kit.erase(gone)
    assert not any(is_confirmed(name) for name in copies)
    kit.close()

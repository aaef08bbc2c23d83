"""Orders to erase and restrictions outlive the database: they come back from the erasure list."""

from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select

from api.databases import Database
from api.erasing.orders import ErasureOrder, ErasureOrders, PersonErasure
from api.retention.classes import RetentionPlan
from api.retention.pruning import find_due
from api.vault.backup import write_backup
from api.vault.decisions import CALLER
from api.vault.erasure import ErasureReason
from api.vault.key_folder import PlaceAway
from api.vault.restoring import restore_backup
from api.vault.restrictions import (
    RecordRestricted,
    Restriction,
    RestrictionCause,
    find_restrictions,
    list_restrictions,
    put_restrictions,
)
from api.vault.tables import ERASURE_ORDERS, MEMBERS, RESTRICTIONS
from tests.unit.vault.vault_kit import NOW_S, Kit, do

UNTIL_S = NOW_S + 1_000_000
ACT = bytes([9]) * 32
BATCH = bytes([8]) * 32


class Clerk:
    """Reads for the service that the record was made for."""

    def note(self, opened: object) -> None:
        del opened

    def is_for(self, purpose: str) -> bool:
        return purpose == "service"


def restrict(uid: bytes, cause: RestrictionCause = RestrictionCause.REQUEST) -> Restriction:
    return Restriction(
        uid=uid,
        cause=cause,
        basis=None,
        legal_reference="Law 8/2005",
        restricted_s=NOW_S,
        until_s=UNTIL_S,
    )


def order(uid: bytes) -> ErasureOrder:
    return ErasureOrder(
        uid=uid, reason=ErasureReason.HOLDER_REQUEST, caller="counter", ordered_s=NOW_S
    )


def erase_person(kit: Kit, going: bytes, kept: bytes) -> None:
    """Order one record to be erased and keep the other by law, as the erasure of a person does."""
    act = PersonErasure(
        id=ACT,
        reason=ErasureReason.HOLDER_REQUEST,
        caller="counter",
        ordered_s=NOW_S,
        records=1,
        kept=1,
    )
    do(ErasureOrders(kit.keyring).put_person(act, [order(going)], [restrict(kept)]))


def find_orders(kit: Kit) -> list[ErasureOrder]:
    return do(ErasureOrders(kit.keyring).list_open(10))


def check_decided(kit: Kit, going: bytes, kept: bytes) -> None:
    """The order stands, and the record that is kept opens for its law only, until its date."""
    (found,) = find_orders(kit)
    assert (found.uid, found.reason, found.ordered_s) == (going, "holder_request", NOW_S)
    assert kit.database.read_now(list_restrictions) == [restrict(kept)]
    with pytest.raises(RecordRestricted):
        do(kit.vault.under(Clerk()).open(kept))
    plan = RetentionPlan(classes=())
    assert find_due(kit.keyring, plan, now_s=UNTIL_S - 1).due == ()
    assert [due.uid for due in find_due(kit.keyring, plan, now_s=UNTIL_S).due] == [kept]


def test_restoring_keeps_the_orders_and_restrictions_made_since(kit: Kit, tmp_path: Path) -> None:
    going, kept = (kit.put(number).record.uid for number in range(2))
    write_backup(kit.keyring, tmp_path / "vault.backup")
    erase_person(kit, going, kept)
    for _ in range(2):
        restore_backup(kit.keyring, tmp_path / "vault.backup", replace=True)
        check_decided(kit, going, kept)
        assert find_orders(kit)[0].caller == CALLER
    assert find_orders(kit)[0].act is None, "who belonged together is not on the list"


def test_lost_database_gets_them_back_before_and_with_its_backup(lite: Kit, tmp_path: Path) -> None:
    going, kept = (lite.put(number).record.uid for number in range(2))
    write_backup(lite.keyring, tmp_path / "vault.backup")
    erase_person(lite, going, kept)
    lite.close()
    for path in tmp_path.glob("vault.sqlite*"):
        path.unlink()
    lite.open()
    assert [found.uid for found in find_orders(lite)] == [going]
    restore_backup(lite.keyring, tmp_path / "vault.backup")
    check_decided(lite, going, kept)


def test_older_copy_of_the_database_gets_them_at_the_next_start(lite: Kit) -> None:
    going, kept = (lite.put(number).record.uid for number in range(2))
    member = {"uid": going, "batch": BATCH, "place": 3, "size": 4, "path": b""}
    lite.database.write_now(lambda c: c.execute(insert(MEMBERS).values(**member)))
    erase_person(lite, going, kept)
    forget(lite.database)
    lite.reopen()
    check_decided(lite, going, kept)
    assert (find_orders(lite)[0].batch, find_orders(lite)[0].place) == (BATCH, 3)


def forget(database: Database) -> None:
    """Take all decisions from the database, as if it were from before them."""
    for table in (ERASURE_ORDERS, RESTRICTIONS):
        database.write_now(lambda c, table=table: c.execute(delete(table)))  # type: ignore[misc]


def test_decisions_of_an_earlier_version_are_listed_at_the_next_start(lite: Kit) -> None:
    going, kept = (lite.put(number).record.uid for number in range(2))
    row = {"uid": going, "reason": "holder_request", "caller": "x", "ordered_s": NOW_S}
    lite.database.write_now(lambda c: c.execute(insert(ERASURE_ORDERS).values(attempt=0, **row)))
    lite.database.write_now(lambda c: put_restrictions(c, [restrict(kept)]))
    assert lite.keyring.erasures.ordered == {}
    lite.reopen()
    size = (lite.folder / "vault.epochs/erasures.journal").stat().st_size
    lite.reopen()
    assert (lite.folder / "vault.epochs/erasures.journal").stat().st_size == size, "listed once"
    forget(lite.database)
    lite.reopen()
    check_decided(lite, going, kept)


def test_restriction_ends_with_its_record_and_does_not_come_back(kit: Kit, tmp_path: Path) -> None:
    uid = kit.put().record.uid
    do(ErasureOrders(kit.keyring).restrict([restrict(uid, RestrictionCause.WITHDRAWAL)]))
    write_backup(kit.keyring, tmp_path / "vault.backup")
    kit.erase(uid)
    restore_backup(kit.keyring, tmp_path / "vault.backup", replace=True)
    kit.reopen()
    assert kit.database.read_now(list_restrictions) == []


def test_order_is_listed_before_the_database_has_it(
    lite: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = lite.put().record.uid

    async def die(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(Database, "write", die)
        with pytest.raises(RuntimeError, match="killed"):
            do(ErasureOrders(lite.keyring).put(order(uid)))
    assert find_orders(lite) == []
    lite.reopen()
    assert [found.uid for found in find_orders(lite)] == [uid]


def test_without_a_place_of_the_keys_nothing_is_ordered_but_storage_only_counts(
    tmp_path: Path,
) -> None:
    mirror = tmp_path / "mirror"
    kit = Kit(url=f"sqlite:///{tmp_path}/vault.sqlite", folder=tmp_path, mirrors=(mirror,))
    going, kept = (kit.put(number).record.uid for number in range(2))
    mirror.rename(tmp_path / "away")
    with pytest.raises(PlaceAway):
        erase_person(kit, going, kept)
    assert find_orders(kit) == []
    assert kit.database.read_now(list_restrictions) == []
    with pytest.raises(PlaceAway):
        do(ErasureOrders(kit.keyring).restrict([restrict(kept)]))
    assert kit.database.read_now(lambda c: find_restrictions(c, [kept])) != {}
    (tmp_path / "away").rename(mirror)
    kit.reopen()
    assert kit.keyring.erasures.list_restricted().keys() == {kept}
    kit.close()


def test_list_names_no_caller(lite: Kit) -> None:
    uid = lite.put().record.uid
    do(ErasureOrders(lite.keyring).put(order(uid)))
    journal = (lite.folder / "vault.epochs/erasures.journal").read_bytes()
    assert uid in journal
    assert b"counter" not in journal
    assert read_callers(lite) == ["counter"]


def read_callers(kit: Kit) -> list[str]:
    return list(
        kit.database.read_now(lambda c: c.execute(select(ERASURE_ORDERS.c.caller)).scalars().all())
    )

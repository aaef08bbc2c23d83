"""What the vault keeps of envelopes, and finds again."""

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from atesta_client.envelopes import Envelope, EnvelopeKind, seal_envelope

from api.databases import open_database
from api.vault.ciphers import VaultDamaged
from api.vault.materials import Material, Materials
from api.vault.opening import VaultKeys, open_keyring
from api.vault.tables import METADATA

UID, OTHER = bytes([1]) * 32, bytes([2]) * 32
NUMBER = "2026/HS/00417"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.sqlite"


@pytest.fixture
def materials(path: Path) -> Iterator[Materials]:
    database = open_database(path, METADATA)
    yield Materials(open_keyring(database, VaultKeys(key_file=path.with_name("vault.key"))))
    database.close()


def seal_case(number: str = NUMBER) -> Envelope:
    return seal_envelope(EnvelopeKind.CASE, {"number": number}, os.urandom)


def put(materials: Materials, *kept: Material) -> None:
    asyncio.run(materials.put(kept, now_s=1))


def test_material_is_found_by_place_commitment_and_reference(materials: Materials) -> None:
    case = seal_case()
    put(materials, Material(uid=UID, role="case", envelope=case, reference=NUMBER))
    assert asyncio.run(materials.find(UID, "case")) == case
    assert asyncio.run(materials.find_by_commitment(case.commitment)) == case
    assert asyncio.run(materials.list_by_reference("case", NUMBER)) == (UID,)
    assert asyncio.run(materials.list_by_reference("officer", NUMBER)) == ()
    assert asyncio.run(materials.find(OTHER, "case")) is None


def test_all_records_of_a_case_are_listed_in_order(materials: Materials) -> None:
    for uid in (UID, OTHER):
        put(materials, Material(uid=uid, role="case", envelope=seal_case(), reference=NUMBER))
    assert asyncio.run(materials.list_by_reference("case", NUMBER)) == (UID, OTHER)


def test_later_material_takes_the_place_of_the_earlier(materials: Materials) -> None:
    first, second = seal_case("1"), seal_case("2")
    put(materials, Material(uid=UID, role="case", envelope=first, reference="1"))
    put(materials, Material(uid=UID, role="case", envelope=second, reference="2"))
    assert asyncio.run(materials.get_all(UID)) == {"case": second}
    assert asyncio.run(materials.list_by_reference("case", "1")) == ()


def test_discarded_material_is_gone(materials: Materials) -> None:
    put(materials, Material(uid=UID, role="case", envelope=seal_case(), reference=NUMBER))
    asyncio.run(materials.discard(UID))
    assert asyncio.run(materials.get_all(UID)) == {}


def test_database_tells_neither_content_nor_reference(materials: Materials, path: Path) -> None:
    put(materials, Material(uid=UID, role="case", envelope=seal_case(), reference=NUMBER))
    stored = b"".join(file.read_bytes() for file in path.parent.glob("vault.sqlite*"))
    assert UID in stored
    assert NUMBER.encode() not in stored


def test_material_moved_to_another_place_does_not_open(materials: Materials, path: Path) -> None:
    put(materials, Material(uid=UID, role="case", envelope=seal_case()))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE materials SET role = 'officer'")
    connection.close()
    with pytest.raises(VaultDamaged):
        asyncio.run(materials.find(UID, "officer"))

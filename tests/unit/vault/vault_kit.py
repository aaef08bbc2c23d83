"""A vault with its keys, opened, closed and opened again by tests; documents to put into it."""

import asyncio
import os
import secrets
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from atesta_client.credentials import Credential, LedgerReference, make_credential
from atesta_client.envelopes import EnvelopeKind, seal_envelope
from atesta_client.schemas import Schema

from api.databases import CommitWatch, Database, open_database
from api.migrations.migrating import VAULT_MIGRATIONS
from api.vault.erasure import ErasureReason, ErasureReport
from api.vault.keyring import EpochLimits, Keyring
from api.vault.materials import Material, Materials
from api.vault.opening import VaultKeys, open_keyring
from api.vault.tables import METADATA
from api.vault.vault import NewCredential, Vault

SCHEMA = Schema(uid=bytes([7]) * 32, pointers=("/certificate", "/name", "/born"))
NAME = "Chan Tai Man 陳大文"
NOW_S = 1_800_000_000

Result = TypeVar("Result")


def make(number: int = 1, **members: str) -> Credential:
    return make_credential(
        {"certificate": f"MO-{number}", "name": NAME, "born": "1990-01-01"} | members,
        schema=SCHEMA,
        issuer=bytes([1]) * 32,
        ledger=LedgerReference(chain_id=7, genesis_hash=bytes([2]) * 32),
        random_bytes=secrets.token_bytes,
    )


def wrap(
    credential: Credential,
    *,
    key: str | None = None,
    body: int = 1,
    previous: bytes | None = None,
) -> NewCredential:
    return NewCredential(
        credential=credential,
        previous=previous,
        reference=("/certificate",),
        idempotency_key=key,
        body_fingerprint=bytes([body]) * 32,
        created_s=1,
    )


def do(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


@dataclass(kw_only=True)
class Kit:
    """One vault on disk."""

    url: str
    folder: Path
    limits: EpochLimits = field(default_factory=lambda: EpochLimits(records=4))
    mirrors: tuple[Path, ...] = ()
    watch: CommitWatch | None = None
    now: Callable[[], float] = lambda: NOW_S

    def __post_init__(self) -> None:
        self.database: Database
        self.keyring: Keyring
        self.open()

    @property
    def keys(self) -> VaultKeys:
        return VaultKeys(
            key_file=self.folder / "vault.key",
            folders=(self.folder / "vault.epochs", *self.mirrors),
            limits=self.limits,
        )

    def open(self) -> None:
        self.database = open_database(
            self.url,
            METADATA,
            migrations=VAULT_MIGRATIONS,
            secure_delete=True,
            name="vault",
            watch=self.watch,
        )
        try:
            self.keyring = open_keyring(self.database, self.keys, now=self.now, watch=self.watch)
        except BaseException:
            self.database.close()
            raise
        self.vault = Vault(self.keyring)
        self.materials = Materials(self.keyring)

    def close(self) -> None:
        self.database.close()

    def reopen(self) -> None:
        self.close()
        self.open()

    def put(self, number: int = 1, *, previous: bytes | None = None) -> Credential:
        credential = make(number)
        do(self.vault.put(wrap(credential, previous=previous)))
        return credential

    def put_material(
        self, uid: bytes, text: str, role: str = "case", *, now_s: int = NOW_S
    ) -> None:
        envelope = seal_envelope(EnvelopeKind.CASE, {"number": text}, os.urandom)
        material = Material(uid=uid, role=role, envelope=envelope, reference=text)
        do(self.materials.put((material,), now_s=now_s))

    def erase(self, *uids: bytes) -> ErasureReport:
        return do(self.vault.erase(uids, reason=ErasureReason.HOLDER_REQUEST, now_s=NOW_S))

    def opens(self, credentials: Collection[Credential]) -> list[bool]:
        return [do(self.vault.open(c.record.uid)) == c for c in credentials]

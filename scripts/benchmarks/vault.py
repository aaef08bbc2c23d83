"""The benchmark `vault`: documents a second through the vault, kept durably and opened again.

For each engine, writers put credentials into a vault as REST does, each waiting until its document
is on disk before it puts the next; then readers open all of them. A document has eight fields, as a
health or housing certificate has. Making the credential itself (salts, leaves, commitment) is not
in the measured time: the client library does it, and it costs the same with any vault. Every
thousand documents the epoch changes, as in operation every five thousand.

The rate is taken by the wall clock, with the wait for the disk, once for each group of up to 128
documents. The rate per second of one core, by the processor time of all threads of this process, is
printed beside it: other programs on the machine disturb it less.

At the end a sixth of the documents, spread over all epochs, is erased: ten one by one, each at the
cost of its whole epoch, and the rest at once, as the turns of `api.erasing` and pruning do.
"""

import argparse
import asyncio
import contextlib
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from atesta_client.credentials import Credential, LedgerReference, make_credential
from atesta_client.schemas import Schema

from api.databases import open_database
from api.migrations.migrating import VAULT_MIGRATIONS
from api.vault.erasure import ErasureReason
from api.vault.keyring import EpochLimits
from api.vault.opening import VaultKeys, open_keyring
from api.vault.tables import METADATA
from api.vault.vault import NewCredential, Vault
from scripts.benchmarks.engines import list_engines
from scripts.benchmarks.figures import Figure

TARGET_DOCUMENTS = 1_000.0
WRITERS = 64
_SINGLY = 10
FIELDS = ("certificate", "name", "born", "issued", "office", "kind", "result", "remark")
SCHEMA = Schema(uid=bytes([7]) * 32, pointers=tuple(f"/{name}" for name in FIELDS))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Offer another size, and another engine."""
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument(
        "--url", help="address of an empty database; absent: SQLite, and PostgreSQL of our own"
    )


def run(arguments: argparse.Namespace) -> list[Figure]:
    """Measure; takes about a minute."""
    made = [_make(number) for number in range(arguments.documents)]
    figures: list[Figure] = []
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="atesta-bench-")))
        for name, url in list_engines("vault", folder, stack, url=arguments.url):
            (folder / name).mkdir()
            figures += asyncio.run(_measure(made, name, url, folder / name))
    return figures


async def _measure(made: Sequence[Credential], name: str, url: str, folder: Path) -> list[Figure]:
    database = open_database(
        url, METADATA, migrations=VAULT_MIGRATIONS, secure_delete=True, name="vault"
    )
    try:
        keys = VaultKeys(key_file=folder / "vault.key", limits=EpochLimits(records=1_000))
        vault = Vault(open_keyring(database, keys))
        put = await _time_all(made, lambda c: vault.put(_wrap(c)))
        opened = await _time_all(made, lambda c: _open(vault, c))
        started, core = time.perf_counter(), time.process_time()
        report = await vault.erase(
            [made[0].record.uid], reason=ErasureReason.HOLDER_REQUEST, now_s=1
        )
        erased = _Spent(wall_s=time.perf_counter() - started, core_s=time.process_time() - core)
        spread = [credential.record.uid for credential in made[1::6]]
        singly, at_once, others = await _erase_many(vault, spread)
    finally:
        database.close()
    count, both = len(made), put + opened
    figures = [
        Figure(
            name="documents put and opened",
            value=count / both.wall_s,
            unit="/s",
            target=TARGET_DOCUMENTS,
        ),
        Figure(name="the same, a core", value=count / both.core_s, unit="/s"),
        Figure(name="documents put, durable", value=count / put.wall_s, unit="/s"),
        Figure(name="the same, a core", value=count / put.core_s, unit="/s"),
        Figure(name="documents opened", value=count / opened.wall_s, unit="/s"),
        Figure(name="the same, a core", value=count / opened.core_s, unit="/s"),
        Figure(name="erasing one record", value=erased.wall_s, unit="s"),
        Figure(name="rows wrapped anew for that", value=report.rewrapped, unit="rows"),
        Figure(name="erasing ten one by one, a core", value=singly.core_s, unit="s"),
        Figure(name=f"erasing {others} at once, a core", value=at_once.core_s, unit="s"),
    ]
    return [replace(figure, name=f"{name}: {figure.name}") for figure in figures]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spent:
    """Time by the wall clock, and of one core."""

    wall_s: float
    core_s: float

    def __add__(self, other: "_Spent") -> "_Spent":
        return _Spent(wall_s=self.wall_s + other.wall_s, core_s=self.core_s + other.core_s)


async def _erase_many(vault: Vault, uids: Sequence[bytes]) -> tuple[_Spent, _Spent, int]:
    """Erase ten records one by one and the others at once; returns both times, and how many."""
    singly = await _time_erasing(vault, [[uid] for uid in uids[:_SINGLY]])
    rest = uids[_SINGLY:]
    return singly, await _time_erasing(vault, [rest]), len(rest)


async def _time_erasing(vault: Vault, groups: Sequence[Sequence[bytes]]) -> _Spent:
    started, core = time.perf_counter(), time.process_time()
    for uids in groups:
        await vault.erase(uids, reason=ErasureReason.HOLDER_REQUEST, now_s=1)
    return _Spent(wall_s=time.perf_counter() - started, core_s=time.process_time() - core)


async def _time_all(
    made: Sequence[Credential], act: Callable[[Credential], Awaitable[object]]
) -> _Spent:
    waiting = list(reversed(made))

    async def work() -> None:
        while waiting:
            await act(waiting.pop())

    started, core = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(WRITERS)))
    return _Spent(wall_s=time.perf_counter() - started, core_s=time.process_time() - core)


async def _open(vault: Vault, credential: Credential) -> None:
    found = await vault.open(credential.record.uid)
    assert found is not None, "it was just put"
    assert found.record.commitment == credential.record.commitment, "it is the same"


def _make(number: int) -> Credential:
    document = {name: f"{name} of document {number}, 文件" for name in FIELDS}
    return make_credential(
        document,
        schema=SCHEMA,
        issuer=bytes([1]) * 32,
        ledger=LedgerReference(chain_id=7, genesis_hash=bytes([2]) * 32),
        random_bytes=secrets.token_bytes,
    )


def _wrap(credential: Credential) -> NewCredential:
    return NewCredential(
        credential=credential,
        previous=None,
        reference=("/certificate",),
        idempotency_key=secrets.token_hex(16),
        body_fingerprint=secrets.token_bytes(32),
        created_s=1,
    )

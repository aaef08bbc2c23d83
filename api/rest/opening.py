"""From settings to services: the databases of every ledger opened, and everything put together.

A node without a vault key keeps no documents, and one without an account writes nothing; both still
read and verify. Each database has its own address, so that each can move to an engine of its own.
What belongs to a person (the vault) or to this verifier (its challenges) is opened once; index and
outbox are opened once for each ledger. If one of them cannot be opened, none stays open.
"""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from api.acts.forgetting import forget_failed
from api.acts.prepared import PreparedActs
from api.databases import CommitWatch, Database, open_database, open_replica
from api.deadlines.loading import load_deadlines
from api.feeds.delivery import Deliverer
from api.feeds.streams import OpenStreams
from api.feeds.webhook_store import PlainSealer, Sealer, VaultSealer, WebhookStore
from api.imports.store import ImportStore
from api.index import tables as index_tables
from api.index.index import Index
from api.leadership import Leadership
from api.ledger import Ledger
from api.migrations.migrating import OUTBOX_MIGRATIONS
from api.networks.network import OURS, Network
from api.outbox import tables as outbox_tables
from api.outbox.account import Account
from api.outbox.outbox import Outbox
from api.records import Records
from api.rest.identity import Identity
from api.rest.ledgers import OWN_NAME, PREFIX, ServedLedgers, build_prefix
from api.rest.purpose_register import PurposeRegister
from api.rest.refusals import translate_revert
from api.rest.schema_texts import SchemaTexts
from api.rest.services import RestServices
from api.rest.vault_parts import VaultParts, open_vault_database, open_vault_parts
from api.retention.classes import load_plan
from api.retention.job import RetentionJob
from api.texts.store import PublicTexts
from api.vault.keyring import EpochLimits
from api.vault.opening import VaultKeys
from api.vault.witness import NOBODY, UNWITNESSED
from api.verification.challenges import Challenges
from api.verification.policies import VerificationSettings
from api.verification.verifier import Verifier
from api.web3_provider import RawRpc


@dataclass(frozen=True, slots=True, kw_only=True)
class RestSettings:
    """Where REST keeps its state and how it verifies."""

    index: Path | str
    """File, or SQLAlchemy address, of the index."""
    outbox: Path | str
    """File, or SQLAlchemy address, of the outbox."""
    vault: Path | str
    """File, or SQLAlchemy address, of the vault."""
    index_replica: str | None = None
    """Address of a read replica of the index, which then answers all its queries."""
    vault_key_file: Path | None = None
    """The vault's master key, made for a new vault; None for a node without a vault."""
    vault_keys_dirs: tuple[Path, ...] = ()
    """Places of the vault's epoch keys; none: beside the key file."""
    vault_limits: EpochLimits = field(default_factory=EpochLimits)
    """How many records share an epoch key, and for how long."""
    verification: VerificationSettings = field(default_factory=VerificationSettings)
    names: Mapping[bytes, str] = field(default_factory=dict)
    """This node's address book: names of agencies by id."""
    deadlines: Path | None = None
    """Folder of the operator's calendars, profiles and closures; None for the shipped ones only."""
    retention: Path | None = None
    """File of the operator's classes of retention; None for the shipped ones only."""
    retention_job: RetentionJob | None = None
    """When this API prunes by itself; None: never."""
    ledger_name: str = OWN_NAME
    """What the own ledger is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPlace:
    """One ledger as services are opened on it."""

    name: str
    raw: RawRpc
    network: Network
    accounts: Sequence[Account]
    """The agency's accounts on it."""
    index: Path | str
    """File, or SQLAlchemy address, of its index."""
    outbox: Path | str
    """File, or SQLAlchemy address, of its outbox; another one for each ledger."""
    index_replica: str | None = None


def open_services(
    settings: RestSettings,
    *,
    raw: RawRpc,
    network: Network = OURS,
    accounts: Sequence[Account] = (),
    further: Sequence[LedgerPlace] = (),
    now: Callable[[], float] = time.time,
    watch: CommitWatch | None = None,
) -> RestServices:
    """Open the databases and put everything together; `watch` is told of every commit.

    Returns the services of the own ledger; its `ledgers` leads to the `further` ones. Raises
    `InvalidField` for an unusable vault key and `UpstreamFault` for a database that cannot be
    opened; then nothing stays open.
    """
    own = LedgerPlace(
        name=settings.ledger_name,
        raw=raw,
        network=network,
        accounts=accounts,
        index=settings.index,
        outbox=settings.outbox,
        index_replica=settings.index_replica,
    )
    with contextlib.ExitStack() as opened:
        opening = _Opening(settings=settings, now=now, watch=watch, opened=opened)
        parts = opening.open_vault()
        ledgers = ServedLedgers()
        for place in (own, *further):
            ledgers.add(opening.open_ledger(place, parts, ledgers))
        opened.pop_all()
        return ledgers.own


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """Opens databases, and closes them if it does not come to an end."""

    settings: RestSettings
    now: Callable[[], float]
    watch: CommitWatch | None
    opened: contextlib.ExitStack
    databases: list[Database] = field(default_factory=list)

    def open_vault(self) -> VaultParts | None:
        """Open the vault; None for a node without one."""
        settings = self.settings
        if settings.vault_key_file is None:
            return None
        database = open_vault_database(settings.vault, self._keep, self.watch)
        keys = VaultKeys(
            key_file=settings.vault_key_file,
            folders=settings.vault_keys_dirs,
            limits=settings.vault_limits,
        )
        return open_vault_parts(database, keys, now=self.now, watch=self.watch)

    def open_ledger(
        self, place: LedgerPlace, parts: VaultParts | None, ledgers: ServedLedgers
    ) -> RestServices:
        """Open index and outbox of a ledger, and make its services."""
        settings, now = self.settings, self.now
        databases = self._open_databases(place)
        ledger = Ledger(place.raw, place.network)
        records = Records(ledger)
        accounts = place.accounts
        identity = Identity(
            ledger=ledger, records=records, accounts=[account.address for account in accounts]
        )
        index = Index(database=databases.index, ledger=ledger, replica=databases.replica)
        sealer: Sealer = PlainSealer() if parts is None else VaultSealer(parts.keyring)
        webhooks = WebhookStore(databases.outbox, sealer)
        webhooks.seal_anew()
        schema_texts = SchemaTexts(databases.outbox)
        is_own = not len(ledgers)
        challenges = (
            Challenges(databases.outbox, ttl_s=settings.verification.challenge_ttl_s)
            if is_own
            else ledgers.own.challenges
        )
        return RestServices(
            ledger=ledger,
            ledger_name=place.name,
            prefix=PREFIX if is_own else build_prefix(place.name),
            ledgers=ledgers,
            records=records,
            identity=identity,
            index=index,
            webhooks=webhooks,
            deliverer=Deliverer(store=webhooks, index=index, now=now),
            streams=OpenStreams(),
            outbox=self._make_outbox(databases.outbox, ledger, accounts, parts),
            schema_texts=schema_texts,
            texts=PublicTexts(databases.outbox),
            prepared_acts=PreparedActs(databases.outbox),
            challenges=challenges,
            verifier=Verifier(
                find_agency=identity.find_agency,
                ledger=ledger,
                challenges=challenges,
                settings=settings.verification,
                find_predicates=schema_texts.find_predicates,
                now=now,
            ),
            issuer_keys={account.address: account.issuer_key for account in accounts},
            names=settings.names,
            deadlines=(load_deadlines(settings.deadlines) if is_own else ledgers.own.deadlines),
            retention=load_plan(settings.retention),
            now=now,
            maybe_vault=None if parts is None else parts.vault,
            maybe_materials=None if parts is None else parts.materials,
            maybe_imports=(
                None if parts is None else ImportStore(parts.keyring, ledger, is_own=is_own)
            ),
            maybe_keyring=None if parts is None else parts.keyring,
            maybe_reads=None if parts is None else parts.reads,
            purposes=PurposeRegister(ledger),
            witness=NOBODY,
            databases=self.databases,
            index_lead=Leadership(databases.index, "index"),
            webhook_lead=Leadership(databases.outbox, outbox_tables.LEADING),
        )

    def _open_databases(self, place: LedgerPlace) -> "_LedgerDatabases":
        index = open_database(place.index, index_tables.METADATA, name="index", watch=self.watch)
        self._keep(index)
        outbox = open_database(
            place.outbox,
            outbox_tables.METADATA,
            migrations=OUTBOX_MIGRATIONS,
            secure_delete=True,
            name="outbox",
            watch=self.watch,
        )
        self._keep(outbox)
        replica = None
        if place.index_replica is not None:
            replica = self._keep(open_replica(place.index_replica, name="index replica"))
        return _LedgerDatabases(index=index, outbox=outbox, replica=replica)

    def _make_outbox(
        self,
        database: Database,
        ledger: Ledger,
        accounts: Sequence[Account],
        parts: VaultParts | None,
    ) -> Outbox:
        # It shows nothing to anybody: what belongs to a refused act is found and deleted.
        unseen = None if parts is None else parts.materials.under(UNWITNESSED)
        return Outbox(
            database=database,
            ledger=ledger,
            accounts=accounts,
            translate=translate_revert,
            now=self.now,
            forget=None if unseen is None else partial(forget_failed, unseen),
        )

    def _keep(self, database: Database) -> Database:
        self.opened.callback(database.close)
        self.databases.append(database)
        return database


@dataclass(frozen=True, slots=True, kw_only=True)
class _LedgerDatabases:
    """The databases of one ledger, open."""

    index: Database
    outbox: Database
    replica: Database | None

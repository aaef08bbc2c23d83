"""What the handlers of one ledger work with; `api.rest.opening` makes it.

What a handler can reach is what is named here. The services open nothing of the vault by
themselves: whoever reads there does it in `read_as`, under a name and for a purpose.
"""

import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from atesta_client.formats.jose import IssuerKey
from eth_typing import Address

from api.access.reads import ReadBook, Reading
from api.acts.prepared import PreparedActs
from api.databases import Database
from api.deadlines.deadlines import Deadlines
from api.feeds.delivery import Deliverer
from api.feeds.streams import OpenStreams
from api.feeds.webhook_store import WebhookStore
from api.imports.store import ImportStore
from api.index.index import Index
from api.leadership import Leadership
from api.ledger import Ledger
from api.outbox.outbox import Outbox
from api.records import Records
from api.rest.identity import Identity
from api.rest.ledgers import ServedLedgers
from api.rest.no_vault import NoVault
from api.rest.purpose_register import PurposeRegister
from api.rest.schema_texts import SchemaTexts
from api.retention.classes import RetentionPlan
from api.texts.store import PublicTexts
from api.vault.keyring import Keyring
from api.vault.materials import Materials
from api.vault.subjects import Subjects
from api.vault.vault import Vault
from api.vault.witness import Witness
from api.verification.challenges import Challenges
from api.verification.verifier import Verifier

__all__ = ["NoVault", "RestServices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestServices:
    """Everything behind the handlers, on one ledger."""

    ledger: Ledger
    ledger_name: str
    prefix: str
    """Before the paths of its routes."""
    ledgers: ServedLedgers
    """All ledgers of this API; these services are one of them."""
    records: Records
    identity: Identity
    index: Index
    outbox: Outbox
    schema_texts: SchemaTexts
    texts: PublicTexts
    prepared_acts: PreparedActs
    challenges: Challenges
    """The nonces of this verifier, on whichever ledger a document stands."""
    verifier: Verifier
    issuer_keys: Mapping[Address, IssuerKey]
    """What each of this agency's accounts signs tokens of credentials with."""
    names: Mapping[bytes, str]
    deadlines: Deadlines
    retention: RetentionPlan
    now: Callable[[], float]
    webhooks: WebhookStore
    deliverer: Deliverer
    streams: OpenStreams
    maybe_vault: Vault | None
    maybe_materials: Materials | None
    maybe_imports: ImportStore | None
    maybe_keyring: Keyring | None
    maybe_reads: ReadBook | None
    purposes: PurposeRegister
    witness: Witness
    """Who is told of what is opened; refuses it outside `read_as`."""
    databases: Sequence[Database]
    """All databases of this API; they are closed together."""
    index_lead: Leadership
    """Whether this process follows the chain for all that share the index."""
    webhook_lead: Leadership
    """Whether this process tells the webhooks for all that share the outbox."""

    @property
    def vault(self) -> Vault:
        """The vault; raises `NoVault` where the node has none."""
        if self.maybe_vault is None:
            raise NoVault
        return self.maybe_vault

    @property
    def materials(self) -> Materials:
        """The envelopes behind this agency's commitments; raises `NoVault`."""
        if self.maybe_materials is None:
            raise NoVault
        return self.maybe_materials

    @property
    def subjects(self) -> Subjects:
        """The handles of persons between this agency and others; raises `NoVault`."""
        return Subjects(self.materials)

    @property
    def imports(self) -> ImportStore:
        """The bulk imports for this ledger; raises `NoVault`."""
        if self.maybe_imports is None:
            raise NoVault
        return self.maybe_imports

    @property
    def reads(self) -> ReadBook:
        """The record of what was opened in the vault; raises `NoVault`."""
        if self.maybe_reads is None:
            raise NoVault
        return self.maybe_reads

    @contextlib.asynccontextmanager
    async def read_as(self, reading: Reading) -> AsyncIterator["RestServices"]:
        """Yield these services with a vault that opens under a name and for a purpose.

        On leaving the block, all that was opened is on disk in the record of reads; raises
        `UpstreamFault` if it cannot be. The services themselves open nothing.
        """
        if self.maybe_vault is None or self.maybe_materials is None:
            yield self
            return
        async with self.reads.read_as(reading) as witness:
            yield replace(
                self,
                witness=witness,
                maybe_vault=self.maybe_vault.under(witness),
                maybe_materials=self.maybe_materials.under(witness),
            )

    def beside(self, other: "RestServices") -> "RestServices":
        """Return the services of another ledger, opening before the witness of these."""
        if self.maybe_vault is None or other.maybe_materials is None:
            return other
        return replace(
            other,
            witness=self.witness,
            maybe_vault=self.maybe_vault,
            maybe_materials=other.maybe_materials.under(self.witness),
        )

    def compute_body_fingerprint(self, body: bytes) -> bytes:
        """Return what an idempotency key is bound to.

        With a vault it is keyed, because a body may hold a document, and a plain hash of a
        document can be guessed. Without a vault no document is ever accepted.
        """
        if self.maybe_vault is None:
            return hashlib.sha256(body).digest()
        return self.maybe_vault.compute_body_fingerprint(body)

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Follow the chain, empty the outbox and tell webhooks for as long as the context lasts.

        Of several processes that share the databases, one follows and one tells; all empty.
        """
        async with (
            self.index.watch(),
            self.index_lead.run(self.index.run),
            self.outbox.run(),
            self.webhook_lead.run(self.deliverer.run),
        ):
            yield

    def close(self) -> None:
        """Finish accepted writes and close the databases; call it after `run` has ended."""
        for database in self.databases:
            database.close()

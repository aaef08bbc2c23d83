"""The credential file: what the issuer hands over and the resident carries.

It holds everything that proves a document against the ledger: the document itself, one salt per
field, the schema's fields in order, and where to look: ledger, issuer, uid. Whoever has the file
can read the document, so it stays with its holder, who shows a ``presentation`` of some fields
instead. Making a credential leaves no trace on the ledger; only when the resident asks to carry it
does the issuer attest the commitment, alone or under a batch root. Then the credential may hold the
path to that root.

The file is one JSON object, UTF-8, at most 1 MiB::

    {"type": "atesta-credential", "version": 1,
     "ledger": {"chain_id": 7777, "genesis_hash": "0x…"},
     "issuer": "0x…", "schema": {"uid": "0x…", "pointers": ["/nam/fn", …]},
     "uid": "0x…", "algorithm": "sha-256", "commitment": "0x…", "valid_until": 1790000000,
     "batch": null | {"uid": "0x…", "index": 3, "count": 1000, "path": ["0x…", …]},
     "document": {…}, "salts": ["0x…", …]}

Times are seconds since 1970; ``valid_until`` 0 means no end. Every ``0x…`` is 32 bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from atesta_client.canonical import MAX_DOCUMENT_SIZE, dump_canonical, load_json
from atesta_client.commitments import (
    BatchRecord,
    DocumentCommitment,
    RandomBytes,
    commit_document,
    compute_batch_leaf,
    draw_salts,
)
from atesta_client.errors import CredentialRefused, DocumentRefused, ProofRefused, ReasonCode
from atesta_client.hashing import DIGEST_SIZE, HashAlgorithm
from atesta_client.holder_keys import HOLDER_KEY_POINTER, HolderPublicKey
from atesta_client.pointers import Absent, JsonValue, get_value, parse_pointer
from atesta_client.schemas import MAX_POINTERS, Schema
from atesta_client.trees import MAX_TREE_SIZE, compute_root_from_path
from atesta_client.wire import ObjectReader, format_digest, refuse_file

CREDENTIAL_TYPE: Final = "atesta-credential"
"""The ``type`` member of a credential file."""

FORMAT_VERSION: Final = 1
"""The version of the file format written, and the only one read."""

MAX_CHAIN_ID: Final = 2**53 - 1
"""Largest chain id that a file can hold; JSON numbers are exact up to it."""

_MAX_PATH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerReference:
    """Which ledger a record stands on."""

    chain_id: int
    """The chain id."""
    genesis_hash: bytes
    """The hash of the genesis block, 32 bytes: no other ledger has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPath:
    """The way from one record to the root of the batch that was attested."""

    uid: bytes
    """The uid of the batch on the ledger, 32 bytes."""
    index: int
    """The place of the record in the batch, from 0."""
    count: int
    """Number of records in the batch."""
    path: tuple[bytes, ...]
    """The inclusion path, from the record's leaf upwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReference:
    """What identifies an attested record, and what its batch leaf is made of."""

    ledger: LedgerReference
    """The ledger that it stands on."""
    issuer: bytes
    """The agency id of the issuer, 32 bytes."""
    schema: Schema
    """The kind of document, with its fields."""
    uid: bytes
    """The uid of the record, 32 bytes, drawn at random."""
    algorithm: HashAlgorithm
    """The hash algorithm of the commitment."""
    commitment: bytes
    """The commitment to the document, 32 bytes."""
    valid_until_s: int
    """End of validity in seconds since 1970; 0 for no end."""
    batch: BatchPath | None = None
    """The path to the batch root, if the record was attested in a batch."""

    def compute_batch_root(self) -> bytes:
        """Compute the batch root that this record leads to; it must have a batch path.

        Raises :class:`ProofRefused` when the path cannot belong to the place that it names.
        """
        assert self.batch is not None, "the record was not attested in a batch"
        try:
            return compute_root_from_path(
                leaf=compute_batch_leaf(self.get_batch_record()),
                index=self.batch.index,
                size=self.batch.count,
                path=self.batch.path,
                algorithm=self.algorithm,
            )
        except ProofRefused as error:
            raise ProofRefused(ReasonCode.BATCH_PATH_MISMATCH, error.message) from error

    def get_batch_record(self) -> BatchRecord:
        """Return the fields of this record's leaf in a batch."""
        return BatchRecord(
            algorithm=self.algorithm,
            chain_id=self.ledger.chain_id,
            issuer=self.issuer,
            schema_uid=self.schema.uid,
            uid=self.uid,
            commitment=self.commitment,
            valid_until_s=self.valid_until_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A document with everything that proves it against the ledger."""

    record: RecordReference
    """Where and as what the commitment is attested."""
    document: JsonValue
    """The document, with the holder's key in it if the holder has one."""
    salts: tuple[bytes, ...]
    """One salt of 32 bytes per pointer of the schema, in order."""

    @property
    def holder_key(self) -> HolderPublicKey | None:
        """The holder's public key, or ``None`` where the document holds none."""
        if HOLDER_KEY_POINTER not in self.record.schema.pointers:
            return None
        value = get_value(self.document, parse_pointer(HOLDER_KEY_POINTER))
        return None if isinstance(value, Absent) else HolderPublicKey.from_field(value)

    def commit(self) -> DocumentCommitment:
        """Compute the commitment from document and salts, and check it against the one named.

        Raises :class:`CredentialRefused` when they differ (a field, a salt or the commitment was
        changed), :class:`DocumentRefused` when the document does not fit the schema.
        """
        computed = commit_document(
            self.document, self.record.schema, self.salts, self.record.algorithm
        )
        if computed.root != self.record.commitment:
            raise CredentialRefused(
                ReasonCode.COMMITMENT_MISMATCH,
                "document and salts do not give the commitment that the file names: "
                "a field or a salt was changed",
            )
        return computed


def make_credential(
    document: JsonValue,
    *,
    schema: Schema,
    issuer: bytes,
    ledger: LedgerReference,
    random_bytes: RandomBytes,
    valid_until_s: int = 0,
    holder_key: HolderPublicKey | None = None,
    algorithm: HashAlgorithm = HashAlgorithm.SHA_256,
) -> Credential:
    """Make a credential: draw uid and salts, add the holder's key, compute the commitment.

    ``random_bytes`` gives that many unpredictable bytes, such as ``secrets.token_bytes``. Raises
    :class:`DocumentRefused` when the document does not fit the schema or already holds a key.
    """
    if holder_key is not None:
        document = with_holder_key(document, schema, holder_key)
    salts = draw_salts(schema.size, random_bytes)
    commitment = commit_document(document, schema, salts, algorithm)
    record = RecordReference(
        ledger=ledger,
        issuer=issuer,
        schema=schema,
        uid=random_bytes(DIGEST_SIZE),
        algorithm=algorithm,
        commitment=commitment.root,
        valid_until_s=valid_until_s,
    )
    return Credential(record=record, document=document, salts=salts)


def with_holder_key(document: JsonValue, schema: Schema, key: HolderPublicKey) -> JsonValue:
    """Return the document with the holder's public key in it.

    Raises :class:`DocumentRefused` when the schema has no field for it, or the document has a key.
    """
    schema.get_index(HOLDER_KEY_POINTER)
    (member,) = parse_pointer(HOLDER_KEY_POINTER)
    if not isinstance(document, dict) or member in document:
        raise DocumentRefused(
            ReasonCode.DOCUMENT_MALFORMED,
            "the document is not an object, or already holds a holder's key",
            pointer=HOLDER_KEY_POINTER,
        )
    return {**document, member: key.to_field()}


def with_batch_path(credential: Credential, batch: BatchPath) -> Credential:
    """Return the credential with the path to the batch root under which it was attested."""
    return replace(credential, record=replace(credential.record, batch=batch))


def encode_credential(credential: Credential) -> bytes:
    """Write the credential file, in RFC 8785 form with a newline at the end."""
    return (
        dump_canonical(
            {
                "type": CREDENTIAL_TYPE,
                "version": FORMAT_VERSION,
                **format_record(credential.record),
                "document": credential.document,
                "salts": [format_digest(salt) for salt in credential.salts],
            }
        )
        + b"\n"
    )


def decode_credential(data: bytes | str | dict[str, JsonValue]) -> Credential:
    """Read a credential file, or the object in it; raise :class:`CredentialRefused` if malformed.

    Reading proves nothing yet: :meth:`Credential.commit` checks the file against its commitment,
    and only a node can tell whether that commitment is attested.
    """
    reader = read_file(data, CREDENTIAL_TYPE)
    record = read_record(reader)
    document = reader.get("document")
    salts = reader.get_digests("salts", longest=MAX_POINTERS)
    reader.finish()
    if len(salts) != record.schema.size:
        raise CredentialRefused(
            ReasonCode.SALT_MALFORMED,
            f"the file has {len(salts)} salts for the {record.schema.size} fields of its schema",
        )
    return Credential(record=record, document=document, salts=salts)


def read_file(data: bytes | str | dict[str, JsonValue], expected_type: str) -> ObjectReader:
    """Open a file of this library and check its type and version."""
    if isinstance(data, bytes | str):
        if len(data) > MAX_DOCUMENT_SIZE:
            refuse_file(f"longer than {MAX_DOCUMENT_SIZE} bytes")
        try:
            data = load_json(data)
        except DocumentRefused as error:
            raise CredentialRefused(ReasonCode.FILE_MALFORMED, error.message) from error
    reader = ObjectReader(data, "file")
    found = reader.get_text("type")
    if found != expected_type:
        refuse_file(f"its type is {found!r}, not {expected_type!r}")
    version = reader.get_integer("version")
    if version != FORMAT_VERSION:
        raise CredentialRefused(
            ReasonCode.VERSION_UNSUPPORTED,
            f"the file has version {version}; this library reads version {FORMAT_VERSION}",
        )
    return reader


def format_record(record: RecordReference) -> dict[str, JsonValue]:
    """Return the members of a file that identify a record."""
    return {
        "ledger": {
            "chain_id": record.ledger.chain_id,
            "genesis_hash": format_digest(record.ledger.genesis_hash),
        },
        "issuer": format_digest(record.issuer),
        "schema": {
            "uid": format_digest(record.schema.uid),
            "pointers": list(record.schema.pointers),
        },
        "uid": format_digest(record.uid),
        "algorithm": record.algorithm.label,
        "commitment": format_digest(record.commitment),
        "valid_until": record.valid_until_s,
        "batch": None if record.batch is None else _format_batch(record.batch),
    }


def read_record(reader: ObjectReader) -> RecordReference:
    """Read the members of a file that identify a record."""
    ledger = reader.get_object("ledger")
    schema = reader.get_object("schema")
    pointers: Sequence[JsonValue] = schema.get_list("pointers", longest=MAX_POINTERS)
    record = RecordReference(
        ledger=LedgerReference(
            chain_id=ledger.get_integer("chain_id", largest=MAX_CHAIN_ID),
            genesis_hash=ledger.get_digest("genesis_hash"),
        ),
        issuer=reader.get_digest("issuer"),
        schema=Schema(uid=schema.get_digest("uid"), pointers=tuple(pointers)),
        uid=reader.get_digest("uid"),
        algorithm=HashAlgorithm.from_label(reader.get_text("algorithm")),
        commitment=reader.get_digest("commitment"),
        valid_until_s=reader.get_integer("valid_until"),
        batch=None if reader.get("batch") is None else _read_batch(reader.get_object("batch")),
    )
    ledger.finish()
    schema.finish()
    return record


def _format_batch(batch: BatchPath) -> dict[str, JsonValue]:
    return {
        "uid": format_digest(batch.uid),
        "index": batch.index,
        "count": batch.count,
        "path": [format_digest(sibling) for sibling in batch.path],
    }


def _read_batch(reader: ObjectReader) -> BatchPath:
    batch = BatchPath(
        uid=reader.get_digest("uid"),
        index=reader.get_integer("index", largest=MAX_TREE_SIZE - 1),
        count=reader.get_integer("count", largest=MAX_TREE_SIZE),
        path=reader.get_digests("path", longest=_MAX_PATH),
    )
    reader.finish()
    return batch

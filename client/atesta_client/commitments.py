"""Commitments: what stands on the ledger in place of a document.

A *leaf* binds one field of one document to a place in a schema. Its bytes before hashing are, end
to end and with every number big-endian:

======  ==========================================================================
bytes   what
======  ==========================================================================
1       ``0x00``, the leaf prefix of RFC 6962
14      ``atesta-field-1`` in ASCII
1       the tag of the hash algorithm: ``0x01`` SHA-256, ``0x02`` SM3
32      the uid of the schema
4       the index of the pointer in the schema, unsigned
32      the salt of this leaf, random
rest    RFC 8785 of the array ``[pointer, value]``, or of ``[pointer]`` when absent
======  ==========================================================================

The pointer enters as a JSON string. An array of one element cannot be the form of any value, so
"absent" is distinct from every value, JSON null included; its own salt keeps the absence of a field
as secret as its value. The *commitment* is the RFC 6962 root over the leaves of all pointers in
schema order. Without the salts nobody can test a guess, however few values a field can have.

A *batch leaf* binds one attested record to a batch whose root alone stands on the ledger:

======  ==========================================================================
bytes   what
======  ==========================================================================
1       ``0x00``
15      ``atesta-record-1`` in ASCII
1       the tag of the hash algorithm
32      the chain id of the ledger, unsigned
32      the agency id of the issuer
32      the uid of the schema
32      the uid of the record
32      the commitment
8       valid until, seconds since 1970, unsigned; 0 for no end
======  ==========================================================================

This is the only implementation: the node's interface, the vault and the offline verifier import it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from atesta_client.canonical import dump_canonical
from atesta_client.hashing import DIGEST_SIZE, HashAlgorithm, get_hash
from atesta_client.pointers import Absent, JsonValue
from atesta_client.schemas import Schema
from atesta_client.trees import Tree, build_tree

RandomBytes: TypeAlias = Callable[[int], bytes]
"""A source of randomness: the number of bytes in, that many unpredictable bytes out."""

SALT_SIZE: Final = 32
"""Length of a salt in bytes."""

_LEAF_PREFIX = b"\x00"
_FIELD_TAG = b"atesta-field-1"
_RECORD_TAG = b"atesta-record-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentCommitment:
    """The commitment to one document, with the tree from which fields can be proved."""

    tree: Tree
    """The tree over the field leaves, one per pointer of the schema."""

    @property
    def root(self) -> bytes:
        """The commitment itself, 32 bytes: what the ledger stores."""
        return self.tree.root


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecord:
    """One attested record as it enters a batch; the fields of its leaf."""

    algorithm: HashAlgorithm
    """The algorithm of the commitment and of the batch."""
    chain_id: int
    """The chain id of the ledger, 0 to 2^256 - 1."""
    issuer: bytes
    """The agency id of the issuer, 32 bytes."""
    schema_uid: bytes
    """The uid of the schema, 32 bytes."""
    uid: bytes
    """The uid of the record, 32 bytes."""
    commitment: bytes
    """The commitment to the document, 32 bytes."""
    valid_until_s: int
    """End of validity in seconds since 1970; 0 for no end."""


def draw_salts(count: int, random_bytes: RandomBytes) -> tuple[bytes, ...]:
    """Draw one salt of 32 bytes for each leaf."""
    drawn = random_bytes(count * SALT_SIZE)
    assert len(drawn) == count * SALT_SIZE, "the source of randomness fell short"
    return tuple(drawn[start : start + SALT_SIZE] for start in range(0, len(drawn), SALT_SIZE))


def commit_document(
    document: JsonValue,
    schema: Schema,
    salts: Sequence[bytes],
    algorithm: HashAlgorithm = HashAlgorithm.SHA_256,
) -> DocumentCommitment:
    """Compute the commitment to a document under a schema with one salt per pointer.

    Raises :class:`~atesta_client.errors.DocumentRefused` when the document holds a field outside
    the schema or a value without canonical form, ``ValueError`` when the salts do not fit.
    """
    if len(salts) != schema.size or any(len(salt) != SALT_SIZE for salt in salts):
        raise ValueError(f"this schema needs {schema.size} salts of {SALT_SIZE} bytes")
    leaves = [
        compute_field_leaf(
            schema=schema, index=index, value=value, salt=salts[index], algorithm=algorithm
        )
        for index, value in enumerate(schema.split(document))
    ]
    return DocumentCommitment(tree=build_tree(leaves, algorithm))


def compute_field_leaf(
    *,
    schema: Schema,
    index: int,
    value: JsonValue | Absent,
    salt: bytes,
    algorithm: HashAlgorithm = HashAlgorithm.SHA_256,
) -> bytes:
    """Compute the leaf of one field, 32 bytes; ``ABSENT`` for a field that the document lacks."""
    if len(salt) != SALT_SIZE:
        raise ValueError(f"a salt is {SALT_SIZE} bytes, not {len(salt)}")
    pointer = schema.pointers[index]
    opened = [pointer] if isinstance(value, Absent) else [pointer, value]
    return get_hash(algorithm)(
        b"".join(
            (
                _LEAF_PREFIX,
                _FIELD_TAG,
                algorithm.tag,
                schema.uid,
                index.to_bytes(4, "big"),
                salt,
                dump_canonical(opened),
            )
        )
    )


def compute_batch_leaf(record: BatchRecord) -> bytes:
    """Compute the leaf of one record in a batch, 32 bytes."""
    words = (record.issuer, record.schema_uid, record.uid, record.commitment)
    if any(len(word) != DIGEST_SIZE for word in words):
        raise ValueError(f"issuer, schema, uid and commitment are {DIGEST_SIZE} bytes each")
    return get_hash(record.algorithm)(
        b"".join(
            (
                _LEAF_PREFIX,
                _RECORD_TAG,
                record.algorithm.tag,
                record.chain_id.to_bytes(32, "big"),
                *words,
                record.valid_until_s.to_bytes(8, "big"),
            )
        )
    )

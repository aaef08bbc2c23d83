"""Disclosure: some fields of a credential, each with its own proof, and nothing of the others.

A disclosed field is its index, its value (or its absence), its salt and the inclusion path of its
leaf. The verifier recomputes the leaf and follows the path to the commitment, taking the index from
the schema and the tree's size from the number of its pointers. The hashes on the path tell nothing
of the fields under them, because each of those has its own salt.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from atesta_client.commitments import SALT_SIZE, compute_field_leaf
from atesta_client.credentials import Credential
from atesta_client.errors import ProofRefused, ReasonCode
from atesta_client.hashing import HashAlgorithm
from atesta_client.pointers import Absent, JsonValue
from atesta_client.schemas import Schema
from atesta_client.trees import compute_root_from_path


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosedField:
    """One field with the proof that the commitment covers it."""

    index: int
    """The place of the field in the schema."""
    pointer: str
    """The field's JSON pointer; it must be the schema's at that place."""
    value: JsonValue | Absent
    """The value, or ``ABSENT`` to show that the document has none."""
    salt: bytes
    """The salt of the field's leaf, 32 bytes."""
    path: tuple[bytes, ...]
    """The inclusion path, from the leaf upwards."""


def disclose_fields(credential: Credential, pointers: Iterable[str]) -> tuple[DisclosedField, ...]:
    """Take these fields out of a credential with their proofs, in schema order, each once.

    Raises :class:`~atesta_client.errors.DocumentRefused` for a field outside the schema, and what
    :meth:`Credential.commit` raises for a credential that contradicts itself.
    """
    schema = credential.record.schema
    tree = credential.commit().tree
    values = schema.split(credential.document)
    return tuple(
        DisclosedField(
            index=index,
            pointer=schema.pointers[index],
            value=values[index],
            salt=credential.salts[index],
            path=tree.compute_path(index),
        )
        for index in sorted({schema.get_index(pointer) for pointer in pointers})
    )


def validate_fields(
    fields: Sequence[DisclosedField], schema: Schema, commitment: bytes, algorithm: HashAlgorithm
) -> dict[str, JsonValue | Absent]:
    """Check every field's proof against the commitment; return the values by pointer.

    Raises :class:`ProofRefused`: a field outside the schema or at another place than the schema's,
    a field twice, a salt of the wrong length, or a value, salt or path that does not lead to the
    commitment (a tree cannot tell which of the three was changed).
    """
    values: dict[str, JsonValue | Absent] = {}
    for field in fields:
        _validate_place(field, schema, values)
        leaf = compute_field_leaf(
            schema=schema,
            index=field.index,
            value=field.value,
            salt=field.salt,
            algorithm=algorithm,
        )
        root = compute_root_from_path(
            leaf=leaf,
            index=field.index,
            size=schema.size,
            path=field.path,
            algorithm=algorithm,
        )
        if root != commitment:
            raise ProofRefused(
                ReasonCode.FIELD_MISMATCH,
                f"the field {field.pointer!r} does not lead to the commitment: "
                "its value or its salt is not what the issuer committed to",
                pointer=field.pointer,
            )
        values[field.pointer] = field.value
    return values


def _validate_place(field: DisclosedField, schema: Schema, seen: dict[str, JsonValue]) -> None:
    if field.pointer not in schema.pointers:
        raise ProofRefused(
            ReasonCode.FIELD_OUTSIDE_SCHEMA,
            f"the field {field.pointer!r} is outside the schema",
            pointer=field.pointer,
        )
    if schema.get_index(field.pointer) != field.index:
        raise ProofRefused(
            ReasonCode.FIELD_OUTSIDE_SCHEMA,
            f"the schema has {field.pointer!r} at another place than {field.index}",
            pointer=field.pointer,
        )
    if field.pointer in seen:
        raise ProofRefused(
            ReasonCode.FILE_MALFORMED,
            f"the field {field.pointer!r} is disclosed twice",
            pointer=field.pointer,
        )
    if len(field.salt) != SALT_SIZE:
        raise ProofRefused(
            ReasonCode.SALT_MALFORMED,
            f"the salt of {field.pointer!r} is not {SALT_SIZE} bytes",
            pointer=field.pointer,
        )

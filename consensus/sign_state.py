"""The memory that keeps a validator from contradicting itself.

Finality rests on one promise: a validator never signs two different things for one place. A process
that crashes forgets, and with more than f validators forgetting together a height could be made
final twice. So before anything signed leaves the node, a record of it is on disk. This module is
the pure part: which signature is allowed next, and what the bytes of a record are. Where records
live is `node.validator.sign_files`.

Places are ordered; within a height

    ROUND_CHANGE(r) < PROPOSAL(r) < PREPARE(r) < COMMIT(r) < ROUND_CHANGE(r + 1)

and a validator only moves forward. Asking again for the same bytes at the same place returns the
message that was stored; anything else at that place or before it is refused. A record also holds
the latest prepared certificate, without which a restarted validator could not keep its word in the
next round. A *floor* record has no message and refuses a whole height and all below it: the first
record of a new key, and what the operator's resume procedure writes.
"""

import hashlib
from dataclasses import dataclass
from enum import IntEnum

from consensus import rlp_codec
from consensus.certificate import PreparedCertificate, certificate_from_item, encode_certificate
from consensus.errors import LocalFault, PeerFault, SigningRefused
from consensus.payloads import MessageCode
from consensus.rlp_codec import encode_scalar
from consensus.types import Address, Hash32, Height, Round

MAGIC = b"ATSS\x01"
"""Marks a sign-state record, with the version of its encoding."""

_CHECKSUM_BYTES = 32
_FLOOR_ROUND = Round(2**32 - 1)
_NO_DIGEST = Hash32(bytes(32))


class DamagedRecord(LocalFault):
    """The bytes are not a whole, intact record."""


class Step(IntEnum):
    """The places of one round, in the order in which they may be signed."""

    ROUND_CHANGE = 0
    PROPOSAL = 1
    PREPARE = 2
    COMMIT = 3


STEP_OF_CODE = {
    MessageCode.ROUND_CHANGE: Step.ROUND_CHANGE,
    MessageCode.PROPOSAL: Step.PROPOSAL,
    MessageCode.PREPARE: Step.PREPARE,
    MessageCode.COMMIT: Step.COMMIT,
}
CODE_OF_STEP = {step: code for code, step in STEP_OF_CODE.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIdentity:
    """Which key signs on which chain; a validator key serves one chain only."""

    chain_id: int
    """EIP-155 chain id."""

    genesis_hash: Hash32
    """Hash of block 0."""

    validator: Address
    """Address of the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignRecord:
    """The last thing that was signed, or a floor."""

    identity: SignIdentity
    """Key and chain."""

    number: int
    """Counts the records written, from 0, so that two copies can be compared."""

    height: Height
    """Height that was signed for."""

    round: Round
    """Round that was signed for."""

    step: Step
    """Kind of message."""

    digest: Hash32
    """Hash that the message signature covers."""

    message: bytes
    """Wire bytes of the message, with its signature and certificate; empty for a floor."""

    prepared: PreparedCertificate | None
    """The latest certificate of this height."""

    @property
    def place(self) -> tuple[int, int, int]:
        """Where the record stands in the order of signing."""
        return (self.height, self.round, self.step)

    @property
    def is_floor(self) -> bool:
        """Whether this refuses a height instead of remembering a message."""
        return not self.message


class SignState:
    """The guard: holds the last record and says what may be signed next."""

    __slots__ = ("_record",)

    def __init__(self, record: SignRecord) -> None:
        self._record = record

    @property
    def record(self) -> SignRecord:
        """The record that must be on disk before the next message leaves."""
        return self._record

    def find_stored(
        self, *, height: Height, round_number: Round, step: Step, digest: Hash32
    ) -> bytes | None:
        """Return the stored message if just this was signed before, None if it is new.

        Raises SigningRefused if signing would go back or contradict the record.
        """
        record = self._record
        place = (height, round_number, step)
        if place > record.place:
            return None
        if place == record.place and digest == record.digest and not record.is_floor:
            return record.message
        if record.is_floor:
            raise SigningRefused(
                f"{step.name} at height {height}: this key signs only above height {record.height}"
            )
        problem = "contradicts" if place == record.place else "goes back behind"
        raise SigningRefused(
            f"{step.name} at height {height}, round {round_number} {problem} "
            f"{record.step.name} at height {record.height}, round {record.round}"
        )

    def advance(
        self,
        *,
        height: Height,
        round_number: Round,
        step: Step,
        digest: Hash32,
        message: bytes,
        prepared: PreparedCertificate | None,
    ) -> SignRecord:
        """Move to a new place and return its record; raises SigningRefused if it is not new."""
        stored = self.find_stored(
            height=height, round_number=round_number, step=step, digest=digest
        )
        assert stored is None, "the same place was recorded before"
        assert message, "only a floor record has no message"
        self._record = SignRecord(
            identity=self._record.identity,
            number=self._record.number + 1,
            height=height,
            round=round_number,
            step=step,
            digest=digest,
            message=message,
            prepared=prepared,
        )
        return self._record


def make_floor(identity: SignIdentity, *, number: int, height: Height) -> SignRecord:
    """Return a record that refuses every signature up to and including `height`."""
    return SignRecord(
        identity=identity,
        number=number,
        height=height,
        round=_FLOOR_ROUND,
        step=Step.COMMIT,
        digest=_NO_DIGEST,
        message=b"",
        prepared=None,
    )


def encode_record(record: SignRecord) -> bytes:
    """Return magic, RLP and SHA-256 checksum of a record."""
    prepared = rlp_codec.encode_list([])
    if record.prepared is not None:
        prepared = encode_certificate(record.prepared)
    body = MAGIC + rlp_codec.encode_list(
        [
            rlp_codec.encode(encode_scalar(record.identity.chain_id)),
            rlp_codec.encode(record.identity.genesis_hash),
            rlp_codec.encode(record.identity.validator),
            rlp_codec.encode(encode_scalar(record.number)),
            rlp_codec.encode(encode_scalar(record.height)),
            rlp_codec.encode(encode_scalar(record.round)),
            rlp_codec.encode(encode_scalar(record.step)),
            rlp_codec.encode(record.digest),
            rlp_codec.encode(record.message),
            prepared,
        ]
    )
    return body + hashlib.sha256(body).digest()


def decode_record(data: bytes) -> SignRecord:
    """Read a record; raises DamagedRecord for anything but a whole, intact one."""
    body, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    if not body.startswith(MAGIC):
        raise DamagedRecord("it does not start as a sign-state record of this version")
    if hashlib.sha256(body).digest() != checksum:
        raise DamagedRecord("its checksum does not match its content")
    try:
        return _record_from_body(body[len(MAGIC) :])
    except (PeerFault, ValueError) as error:
        raise DamagedRecord(f"its content does not decode: {error}") from None


def _record_from_body(body: bytes) -> SignRecord:
    fields = rlp_codec.get_list(rlp_codec.decode(body), "sign-state record", 10)
    prepared_items = rlp_codec.get_list(fields[9], "prepared certificate", 0, 3)
    return SignRecord(
        identity=SignIdentity(
            chain_id=rlp_codec.get_scalar(fields[0], "chain id", 32),
            genesis_hash=Hash32(rlp_codec.get_bytes(fields[1], "genesis hash", 32)),
            validator=Address(rlp_codec.get_bytes(fields[2], "validator", 20)),
        ),
        number=rlp_codec.get_scalar(fields[3], "number"),
        height=Height(rlp_codec.get_scalar(fields[4], "height")),
        round=Round(rlp_codec.get_scalar(fields[5], "round", 4)),
        step=Step(rlp_codec.get_scalar(fields[6], "step", 1)),
        digest=Hash32(rlp_codec.get_bytes(fields[7], "digest", 32)),
        message=rlp_codec.get_bytes(fields[8], "message"),
        prepared=certificate_from_item(fields[9]) if prepared_items else None,
    )

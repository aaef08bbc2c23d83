"""Single records as the ledger's contracts have them after a block.

Lists come from the index; whoever must be right about one record asks the contract itself, here.
Every function takes the block, so that one answer never mixes two states of the ledger.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from eth_typing import Address

from api.ledger import Ledger
from contracts import codec
from contracts.addresses import AGENCY_REGISTRY_NAME, ATTESTATIONS_NAME, SCHEMAS_NAME
from contracts.codes import CommitmentAlgorithm, Reason, RecordState, Role

NO_UID: Final = bytes(32)
"""What the contracts answer where there is no record."""

_LAST_SECOND: Final = 253_402_300_799
"""9999-12-31T23:59:59Z, where the calendar ends; the contracts count on for millions of years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyRecord:
    """One agency of the registry."""

    id: bytes
    jurisdiction: bytes
    profile_hash: bytes
    is_active: bool
    roles: Role
    attestation_head: bytes
    attestation_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """One account key; times in seconds, 0 for no end."""

    address: Address
    agency: bytes
    roles: Role
    valid_from_s: int
    valid_until_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaRecord:
    """One schema."""

    uid: bytes
    owner: bytes
    pointers_hash: bytes
    document_hash: bytes
    leaf_count: int
    state: RecordState
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationRecord:
    """One attestation; `previous` and `successor` are None where there is none."""

    uid: bytes
    issuer: bytes
    schema_uid: bytes
    commitment: bytes
    algorithm: CommitmentAlgorithm
    state: RecordState
    reason: Reason
    valid_until_s: int
    event_time_s: int
    block: int
    state_block: int
    previous: bytes | None
    successor: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecord:
    """One batch."""

    uid: bytes
    issuer: bytes
    schema_uid: bytes
    root: bytes
    count: int
    algorithm: CommitmentAlgorithm
    state: RecordState
    reason: Reason
    event_time_s: int
    block: int
    state_block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafRecord:
    """The state that holds for one member of a batch: its own, or the batch's where graver."""

    state: RecordState
    reason: Reason
    event_time_s: int
    block: int


def compute_moment(seconds: int) -> datetime:
    """Return chain seconds as a moment in UTC; what lies beyond the calendar is its last second.

    Anybody may write such a number into a transaction, and agencies into their records.
    """
    return datetime.fromtimestamp(min(seconds, _LAST_SECOND), UTC)


class Records:
    """Single records through calls of the contracts."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def get_agency(self, agency_id: bytes, block: int) -> AgencyRecord | None:
        """Return an agency; None if the registry has none of this id."""
        found = await self._ask(AGENCY_REGISTRY_NAME, "agency", (agency_id,), block)
        if not found["status"]:
            return None
        return AgencyRecord(
            id=agency_id,
            jurisdiction=found["jurisdiction"],
            profile_hash=found["profile_hash"],
            is_active=found["status"] == 1,
            roles=Role(found["roles"]),
            attestation_head=await self._ask(ATTESTATIONS_NAME, "head", (agency_id,), block),
            attestation_count=await self._ask(ATTESTATIONS_NAME, "count", (agency_id,), block),
        )

    async def get_jurisdiction(self, agency_id: bytes, block: int) -> bytes | None:
        """Return an agency's jurisdiction; None if the registry has none of this id."""
        found = await self._ask(AGENCY_REGISTRY_NAME, "agency", (agency_id,), block)
        return bytes(found["jurisdiction"]) if found["status"] else None

    async def get_agency_ids(self, block: int) -> list[bytes]:
        """Return the ids of all agencies in the registry's order."""
        count = await self._ask(AGENCY_REGISTRY_NAME, "agency_count", (), block)
        return [
            await self._ask(AGENCY_REGISTRY_NAME, "agency_at", (index,), block)
            for index in range(count)
        ]

    async def get_key(self, address: bytes, block: int) -> KeyRecord | None:
        """Return an account key; None if the registry does not list it."""
        found = await self._ask(AGENCY_REGISTRY_NAME, "key", (address,), block)
        if found["agency"] == NO_UID:
            return None
        return KeyRecord(
            address=Address(address),
            agency=found["agency"],
            roles=Role(found["roles"]),
            valid_from_s=found["valid_from"],
            valid_until_s=found["valid_until"],
        )

    async def get_keys(self, agency_id: bytes, block: int) -> list[KeyRecord]:
        """Return all account keys that an agency has or had."""
        count = await self._ask(AGENCY_REGISTRY_NAME, "key_count", (agency_id,), block)
        keys = []
        for index in range(count):
            address = await self._ask(AGENCY_REGISTRY_NAME, "key_at", (agency_id, index), block)
            key = await self.get_key(address, block)
            assert key is not None, "a listed key is known"
            keys.append(key)
        return keys

    async def get_schema(self, uid: bytes, block: int) -> SchemaRecord | None:
        """Return a schema; None if it is not registered."""
        found = await self._ask(SCHEMAS_NAME, "schema", (uid,), block)
        if not found["state"]:
            return None
        return SchemaRecord(
            uid=uid,
            owner=found["owner"],
            pointers_hash=found["pointers_hash"],
            document_hash=found["document_hash"],
            leaf_count=found["leaf_count"],
            state=RecordState(found["state"]),
            block=found["block_number"],
        )

    async def is_accredited(
        self, schema_uid: bytes, agency_id: bytes, *, at_block: int, block: int
    ) -> bool:
        """Return whether an agency was accredited under a schema at a block of the past."""
        answer = await self._ask(
            SCHEMAS_NAME, "is_accredited_at", (schema_uid, agency_id, at_block), block
        )
        return bool(answer)

    async def get_accredited(self, schema_uid: bytes, block: int) -> list[bytes]:
        """Return the agencies accredited under a schema now."""
        count = await self._ask(SCHEMAS_NAME, "issuer_count", (schema_uid,), block)
        agencies = [
            await self._ask(SCHEMAS_NAME, "issuer_at", (schema_uid, index), block)
            for index in range(count)
        ]
        return [
            agency
            for agency in agencies
            if await self._ask(SCHEMAS_NAME, "is_accredited", (schema_uid, agency), block)
        ]

    async def get_attestation(self, uid: bytes, block: int) -> AttestationRecord | None:
        """Return an attestation; None if there is none of this uid."""
        found = await self._ask(ATTESTATIONS_NAME, "attestation", (uid,), block)
        if not found["state"]:
            return None
        return AttestationRecord(
            uid=uid,
            issuer=found["issuer"],
            schema_uid=found["schema"],
            commitment=found["commitment"],
            algorithm=CommitmentAlgorithm(found["alg"]),
            state=RecordState(found["state"]),
            reason=Reason(found["reason"]),
            valid_until_s=found["valid_until"],
            event_time_s=found["event_time"],
            block=found["block_number"],
            state_block=found["state_block"],
            previous=found["previous"] if found["previous"] != NO_UID else None,
            successor=found["successor"] if found["successor"] != NO_UID else None,
        )

    async def get_batch(self, uid: bytes, block: int) -> BatchRecord | None:
        """Return a batch; None if there is none of this uid."""
        found = await self._ask(ATTESTATIONS_NAME, "batch", (uid,), block)
        if not found["state"]:
            return None
        return BatchRecord(
            uid=uid,
            issuer=found["issuer"],
            schema_uid=found["schema"],
            root=found["root"],
            count=found["count"],
            algorithm=CommitmentAlgorithm(found["alg"]),
            state=RecordState(found["state"]),
            reason=Reason(found["reason"]),
            event_time_s=found["event_time"],
            block=found["block_number"],
            state_block=found["state_block"],
        )

    async def get_leaf(self, batch_uid: bytes, index: int, block: int) -> LeafRecord | None:
        """Return the state of a batch's member; None if there is no such batch or place."""
        found = await self._ask(ATTESTATIONS_NAME, "leaf_state", (batch_uid, index), block)
        if not found["state"]:
            return None
        return LeafRecord(
            state=RecordState(found["state"]),
            reason=Reason(found["reason"]),
            event_time_s=found["event_time"],
            block=found["block_number"],
        )

    async def _ask(self, contract: str, function: str, args: tuple[Any, ...], block: int) -> Any:
        data = codec.encode_call(contract, function, args)
        output = await self._ledger.call(self._ledger.book.get_address(contract), data, block=block)
        return codec.decode_output(contract, function, output)

"""What the ledger says of a record, at the block of the check.

A file names its record: ledger, schema, issuer, uid, commitment. Each of these is compared with
what the contracts of this node's ledger have, for a record attested alone and for one in a batch.
"""

from typing import Final

from atesta_client.credentials import RecordReference
from atesta_client.errors import ProofRefused

from api.ledger import Ledger
from api.records import Records
from api.verification.answer import CheckedRecord
from api.verification.check import Check
from api.verification.findings import find_elsewhere, get_finding
from contracts.codes import RecordState

_STATE_CODES: Final = {
    RecordState.SUSPENDED: "state_suspended",
    RecordState.REVOKED: "state_revoked",
    RecordState.SUPERSEDED: "state_superseded",
    RecordState.ERASED: "state_erased",
}


class Standing:
    """Compares the records that files name with the ledger's."""

    def __init__(self, *, ledger: Ledger, records: Records) -> None:
        """Read `records` of `ledger`."""
        self._ledger = ledger
        self._records = records

    async def is_here(self, reference: RecordReference) -> bool:
        """Return whether a record stands on this node's ledger, or says so."""
        here = (await self._ledger.get_chain_id(), await self._ledger.get_genesis_hash())
        return (reference.ledger.chain_id, reference.ledger.genesis_hash) == here

    async def check(self, check: Check, reference: RecordReference) -> CheckedRecord | None:
        """Ask the ledger for a record and add what speaks against it.

        Returns None where the ledger has no such record, or another one under its uid.
        """
        if not await self.is_here(reference):
            check.is_elsewhere = True
            check.reasons.append(find_elsewhere(reference.ledger))
            return None
        schema = await self._records.get_schema(reference.schema.uid, check.head.number)
        if schema is None:
            check.refuse("schema_unknown")
        elif (schema.pointers_hash, schema.leaf_count) != (
            reference.schema.pointers_hash,
            reference.schema.size,
        ):
            check.refuse("schema_mismatch")
        else:
            check.document_hash = schema.document_hash
        find = self._find_single if reference.batch is None else self._find_member
        record = await find(check, reference)
        if record is None:
            return None
        await self._check_issuer(check, record)
        if record.state is not RecordState.ACTIVE:
            check.refuse(_STATE_CODES[record.state])
        if record.valid_until_s and check.now_s >= record.valid_until_s:
            check.refuse("record_expired")
        return record

    async def _find_single(self, check: Check, reference: RecordReference) -> CheckedRecord | None:
        found = await self._records.get_attestation(reference.uid, check.head.number)
        if found is None:
            check.refuse("record_not_attested")
            return None
        if (
            found.issuer,
            found.schema_uid,
            found.commitment,
            int(found.algorithm),
            found.valid_until_s,
        ) != (
            reference.issuer,
            reference.schema.uid,
            reference.commitment,
            int(reference.algorithm),
            reference.valid_until_s,
        ):
            check.refuse("record_mismatch")
            return None
        return CheckedRecord(
            uid=reference.uid,
            issuer=found.issuer,
            schema_uid=found.schema_uid,
            batch=None,
            state=found.state,
            state_block=found.state_block,
            valid_until_s=found.valid_until_s,
            block=found.block,
            block_time_s=await self._get_time(found.block),
            event_time_s=found.event_time_s,
        )

    async def _find_member(self, check: Check, reference: RecordReference) -> CheckedRecord | None:
        assert reference.batch is not None, "asked only for members"
        block = check.head.number
        found = await self._records.get_batch(reference.batch.uid, block)
        if found is None:
            check.refuse("record_not_attested")
            return None
        try:
            root = reference.compute_batch_root()
        except ProofRefused as refused:
            check.refuse_material(refused)
            return None
        if (found.issuer, found.schema_uid, found.root, int(found.algorithm), found.count) != (
            reference.issuer,
            reference.schema.uid,
            root,
            int(reference.algorithm),
            reference.batch.count,
        ):
            check.refuse("record_mismatch")
            return None
        leaf = await self._records.get_leaf(reference.batch.uid, reference.batch.index, block)
        if leaf is None:
            check.refuse("record_mismatch")
            return None
        return CheckedRecord(
            uid=reference.uid,
            issuer=found.issuer,
            schema_uid=found.schema_uid,
            batch=found.uid,
            state=leaf.state,
            state_block=leaf.block,
            valid_until_s=reference.valid_until_s,
            block=found.block,
            block_time_s=await self._get_time(found.block),
            event_time_s=found.event_time_s,
        )

    async def _check_issuer(self, check: Check, record: CheckedRecord) -> None:
        """Judge the accreditation at the block of issue, as the ledger's law does."""
        block = check.head.number
        if not await self._records.is_accredited(
            record.schema_uid, record.issuer, at_block=record.block, block=block
        ):
            check.refuse("issuer_not_accredited")
        agency = await self._records.get_agency(record.issuer, block)
        if agency is not None and not agency.is_active:
            check.notices.append(get_finding("issuer_suspended"))

    async def _get_time(self, number: int) -> int:
        block = await self._ledger.get_block(number)
        assert block is not None, "a record's block is known"
        return block.time_s

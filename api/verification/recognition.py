"""Whether two sides of a border have agreed to recognise a document, as it stands on the ledger.

A document that was issued in another jurisdiction is judged by the recognition policy that both
sides signed last for this direction and schema. The contract itself judges, at the block of the
check: whether the policy is in force, names the issuer, and allows the document's age and
assurance. Where no policy stands, the agency's own settings decide alone, and the answer says so.
A document of this agency's own jurisdiction needs none.

The ledger knows no assurance of a document, so it is reckoned here: `low` unless the holder has
proved to be the holder; then as surely as the issuer identifies people, which this agency's
recognition file says, and `substantial` where it says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from api.ledger import BlockSummary, Ledger, Reverted
from api.records import NO_UID, Records
from api.verification.answer import CheckedRecord
from api.verification.findings import Finding, get_finding
from api.verification.policies import Assurance
from contracts import codec
from contracts.addresses import POLICIES_NAME

_CODES: Final = {
    "policy: suspended": "recognition_suspended",
    "policy: ended": "recognition_ended",
    "policy: not live yet": "recognition_not_live",
    "policy: expired": "recognition_expired",
    "policy: not for this issuer": "recognition_issuer",
    "policy: document too old": "recognition_age",
    "policy: assurance too low": "recognition_assurance",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the ledger's policy says of a document; nothing within one jurisdiction."""

    policy: bytes | None = None
    """Uid of the policy that judged; None where none did."""
    reasons: tuple[Finding, ...] = ()
    """Why the policy does not recognise the document; none where it does."""
    notices: tuple[Finding, ...] = ()
    """Says that no policy stands, where one could."""


class Recognition:
    """The recognition policies of the ledger, as one agency is concerned by them."""

    def __init__(
        self, *, ledger: Ledger, records: Records, assurances: Mapping[bytes, Assurance]
    ) -> None:
        """Read policies of `ledger`; `assurances` is how surely agencies identify people."""
        self._ledger = ledger
        self._records = records
        self._assurances = assurances

    async def judge(
        self,
        record: CheckedRecord,
        *,
        agency: bytes | None,
        is_holder_checked: bool,
        head: BlockSummary,
    ) -> Judgement:
        """Judge a document for an agency (None: a node that acts for nobody) at a block."""
        issued_in = await self._records.get_jurisdiction(record.issuer, head.number)
        shown_in = (
            None if agency is None else await self._records.get_jurisdiction(agency, head.number)
        )
        if issued_in == shown_in:
            return Judgement()
        policy = NO_UID
        if shown_in is not None:
            data = codec.encode_call(
                POLICIES_NAME, "policy_for", (issued_in, shown_in, record.schema_uid)
            )
            policies = self._ledger.book.get_address(POLICIES_NAME)
            output = await self._ledger.call(policies, data, block=head.number)
            policy = codec.decode_output(POLICIES_NAME, "policy_for", output)
        if policy == NO_UID:
            return Judgement(notices=(get_finding("recognition_none"),))
        assurance = (
            self._assurances.get(record.issuer, Assurance.SUBSTANTIAL)
            if is_holder_checked
            else Assurance.LOW
        )
        reasons = await self._check(policy, record, assurance, head)
        return Judgement(policy=policy, reasons=reasons)

    async def _check(
        self, policy: bytes, record: CheckedRecord, assurance: Assurance, head: BlockSummary
    ) -> tuple[Finding, ...]:
        # Clocks differ: a record may be captured up to a minute after its own block's time.
        issued_s = min(record.event_time_s, head.time_s)
        args = (policy, record.issuer, issued_s, int(assurance))
        data = codec.encode_call(POLICIES_NAME, "check", args)
        try:
            policies = self._ledger.book.get_address(POLICIES_NAME)
            await self._ledger.call(policies, data, block=head.number)
        except Reverted as reverted:
            # `policy_for` names only policies that both sides signed, so no other is possible.
            return (get_finding(_CODES[reverted.reason]),)
        return ()

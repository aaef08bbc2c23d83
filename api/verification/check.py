"""What one check has found so far; every question adds to it, and the end weighs it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from atesta_client.errors import MaterialRefused
from atesta_client.pointers import Absent, JsonValue

from api.ledger import BlockSummary
from api.verification.answer import CheckedRecord, ShownAnswer
from api.verification.challenges import StoredChallenge
from api.verification.findings import Finding, find_refusal, get_finding
from api.verification.policies import RecognitionPolicy
from api.verification.recognition import Judgement


@dataclass(slots=True, kw_only=True)
class Check:
    """What has been found so far."""

    head: BlockSummary
    """The block to which all questions are put."""
    now_s: int
    """When the check began, in seconds since 1970."""
    purpose: str | None
    """What it is for; None until a challenge tells."""
    reasons: list[Finding] = field(default_factory=list)
    """What speaks against the document."""
    notices: list[Finding] = field(default_factory=list)
    """What the clerk must do or know."""
    values: dict[str, JsonValue] = field(default_factory=dict)
    """The fields that were opened and checked, by pointer; absent ones are not among them."""
    holder_checked: bool = False
    """Whether the holder's key signed for this occasion."""
    challenge: StoredChallenge | None = None
    """The challenge that the holder answered, if it is still good."""
    answers: tuple[ShownAnswer, ...] = ()
    """The yes/no fields among them."""
    record: CheckedRecord | None = None
    """The ledger's record."""
    policy: RecognitionPolicy | None = None
    """This agency's own policy for the purpose."""
    is_elsewhere: bool = False
    """Whether the record stands on another ledger: then nothing is known of it."""
    judgement: Judgement = field(default_factory=Judgement)
    """What the policy of both sides says."""
    document_hash: bytes | None = None
    """The ledger's hash of the schema's text; None where it has no such schema."""

    @property
    def disclosed(self) -> tuple[str, ...]:
        """The pointers of the fields that were opened and checked."""
        return tuple(self.values)

    def refuse(self, code: str) -> None:
        """Add a reason."""
        self.reasons.append(get_finding(code))

    def refuse_material(self, refused: MaterialRefused) -> None:
        """Add what the client library found wrong."""
        self.reasons.append(find_refusal(refused))

    def open(
        self,
        values: Mapping[str, JsonValue | Absent] | Iterable[tuple[str, JsonValue | Absent]],
    ) -> None:
        """Note the fields that were opened and checked."""
        self.values = {
            pointer: value
            for pointer, value in dict(values).items()
            if not isinstance(value, Absent)
        }

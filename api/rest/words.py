"""The ledger's few numbers as words.

A contract says 2 where a person says "conditional". Each word is the name of the number in
`contracts.codes`, in lower case; only what callers meet differs (`ended_by_law`).
"""

from collections.abc import Iterable
from enum import IntEnum, StrEnum
from typing import TypeVar

from contracts import codes

Word = TypeVar("Word", bound=StrEnum)


class SharingClass(StrEnum):
    """Under which conditions a dataset is released."""

    UNCONDITIONAL = "unconditional"
    CONDITIONAL = "conditional"
    NOT_SHARED = "not_shared"


class SensitivityLevel(StrEnum):
    """How much harm a dataset's fields can do."""

    ORDINARY = "ordinary"
    SENSITIVE = "sensitive"


class BasisKind(StrEnum):
    """On what a legal basis rests."""

    STATUTE = "statute"
    CONSENT = "consent"


class InstrumentKind(StrEnum):
    """Under what data may leave a jurisdiction."""

    CONTRACT = "contract"
    ASSESSMENT = "assessment"
    PERMIT = "permit"


class StopKind(StrEnum):
    """What the supervisor stops."""

    DATASET = "dataset"
    PAIR = "pair"
    BASIS = "basis"


class ConsentType(StrEnum):
    """What a consent is for: three separate records."""

    GENERAL = "general"
    SENSITIVE = "sensitive"
    CROSS_BORDER = "cross_border"


class MandateType(StrEnum):
    """For whom somebody acts, and why."""

    OFFICE = "office"
    POWER = "power"
    GUARDIANSHIP = "guardianship"


class AssuranceLevel(StrEnum):
    """How well a person or a document was checked (eIDAS)."""

    LOW = "low"
    SUBSTANTIAL = "substantial"
    HIGH = "high"


class ChannelWord(StrEnum):
    """Where a person was met or a request came in."""

    COUNTER = "counter"
    PAPER = "paper"
    TELEPHONE = "telephone"
    ONLINE = "online"


class ExchangeMode(StrEnum):
    """How often data go over."""

    ONCE = "once"
    STANDING = "standing"
    BULK = "bulk"


class DecisionWord(StrEnum):
    """What a data officer decides."""

    APPROVE = "approve"
    REFUSE = "refuse"


class WithdrawalOutcome(StrEnum):
    """What a recipient did when a consent was withdrawn."""

    STOPPED = "stopped"
    DELETED = "deleted"
    RETAINED = "retained"


class LateWord(StrEnum):
    """Why an act is posted late."""

    OUTAGE = "outage"
    PAPER = "paper"
    OMISSION = "omission"


class ExchangeStatus(StrEnum):
    """Where an exchange stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    RELEASED = "released"
    RECEIVED = "received"
    DISPUTED = "disputed"
    VOID = "void"
    CANCELLED = "cancelled"
    ENDED = "ended"
    VOID_SIGNED = "void_signed"


class KeyRoleWord(StrEnum):
    """What a key may do for its agency on the ledger."""

    ADMIN = "admin"
    GOVERN = "govern"
    ISSUE = "issue"
    SCHEMA = "schema"
    DEPLOY = "deploy"
    AUDIT = "audit"
    SUPERVISE = "supervise"
    EXCHANGE = "exchange"
    DECIDE = "decide"


def encode_roles(words: Iterable[KeyRoleWord]) -> int:
    """Return the ledger's bit mask of a key's roles."""
    mask = 0
    for word in words:
        mask |= int(codes.Role[word.name])
    return mask


def encode_word(word: StrEnum) -> int:
    """Return the number of a word; words are numbered as they stand, from 1."""
    return list(type(word)).index(word) + 1


def find_word(words: type[Word], number: int) -> Word | None:
    """Return the word of a number; None for 0, and for what this version does not know."""
    listed = list(words)
    return listed[number - 1] if 0 < number <= len(listed) else None


NUMBERS: dict[type[StrEnum], type[IntEnum]] = {
    SharingClass: codes.Sharing,
    SensitivityLevel: codes.Sensitivity,
    ConsentType: codes.ConsentKind,
    MandateType: codes.MandateKind,
    LateWord: codes.LateReason,
    ExchangeStatus: codes.ExchangeState,
}
"""Words whose numbers `contracts.codes` names too; a test compares them."""

"""What personal data is opened for: the header `Atesta-Purpose`.

A purpose is the uid of one that an agency published on the ledger, the uid of a legal basis (for
what is kept for storage only under it), or one of the words below, each with its concept of the W3C
Data Privacy Vocabulary. Free text is refused: it would be the place where a name ends up in a
record that is kept for years.
"""

import re
from collections.abc import Mapping
from typing import Final

from api.errors import UserFault

PURPOSE_HEADER: Final = "Atesta-Purpose"

RECORD: Final = "record"
"""Written where an act opens what belongs to its own record: the purpose that the ledger states of
it. Nobody may send it."""

AUDIT: Final = "audit"
ISSUING: Final = "issuing"
RIGHTS: Final = "rights"
RETAINED: Final = "retained"
"""For what is kept for storage only, where the law that asks for it is not on the ledger."""

PURPOSE_WORDS: Final[Mapping[str, str]] = {
    "service": "a service that the person asked for (dpv:ServiceProvision)",
    ISSUING: "making a document or handing it to its holder (dpv:ServiceProvision)",
    "verification": "checking who or what somebody is (dpv:Verification)",
    "exchange": "asking or answering another agency (dpv:FulfilmentOfObligation)",
    RIGHTS: "the person asks what is held of them (dpv:RightsFulfilment)",
    "correction": "putting something right (dpv:MaintainDataQuality)",
    AUDIT: "supervision of the agency (dpv:LegalCompliance)",
    "dispute": "a complaint or a case at court (dpv:EstablishContractualAgreement)",
    "security": "finding or ending an incident (dpv:EnforceSecurity)",
    RETAINED: "what a law makes the agency keep for it (dpv:LegalObligation)",
    "upkeep": "running the systems (dpv:TechnicalServiceProvision)",
    "test": "a trial with persons who do not exist (dpv:ResearchAndDevelopment)",
}
"""The words, and what each means."""

PATTERN: Final = f"^(0x[0-9a-fA-F]{{64}}|{'|'.join(PURPOSE_WORDS)})$"
"""How a purpose is written, for documents."""

_UID: Final = re.compile(r"0x[0-9a-fA-F]{64}")


class PurposeRefused(UserFault):
    """The header is missing, or says nothing that can be kept."""

    status = 422

    def __init__(self, reason: str, *, code: str) -> None:
        super().__init__(
            reason,
            code=code,
            field=PURPOSE_HEADER,
            next_step=(
                f"send {PURPOSE_HEADER} with the uid of a published purpose, or one of: "
                + ", ".join(PURPOSE_WORDS)
            ),
        )


def parse_purpose(text: str) -> str:
    """Return a purpose as it is kept: a word, or a uid in lower case; raises `PurposeRefused`."""
    if text in PURPOSE_WORDS:
        return text
    if _UID.fullmatch(text):
        return text.lower()
    raise PurposeRefused("this is neither a purpose's uid nor a known word", code="purpose_invalid")


def refuse_missing() -> PurposeRefused:
    """Return the refusal of a request that opens personal data without saying what for."""
    return PurposeRefused(
        "this opens personal data, so it must say for what purpose", code="purpose_missing"
    )


def refuse_unknown() -> PurposeRefused:
    """Return the refusal of a uid that the ledger has no purpose for."""
    return PurposeRefused(
        "the ledger has no purpose and no legal basis with this uid", code="purpose_unknown"
    )

"""One public text and its hash."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from atesta_client.canonical import dump_canonical

_TAG: Final = b"atesta-text-1"

NO_LANGUAGE: Final = ""
"""The language of a text that is the same in all of them, such as a list of fields."""


class TextKind(StrEnum):
    """What a text is for; part of its hash, so that none can be passed off as another."""

    FIELDS = "fields"
    """A dataset's ordered fields."""
    CONDITIONS = "conditions"
    """Under which conditions a dataset is released."""
    LEGAL_REFERENCE = "legal_reference"
    """The law that a dataset names."""
    NOTICE = "notice"
    """What residents are told."""
    PURPOSE = "purpose"
    """What data are used for."""
    LAW = "law"
    """Law and article behind a legal basis."""
    ASSESSMENT = "assessment"
    """The assessment behind a cross-border instrument."""
    DECISION = "decision"
    """A decision of the supervisor."""
    AGREEMENT = "agreement"
    """An agreement between two sides, such as a recognition policy."""
    ACT_LIST = "act_list"
    """The ordered acts that a mandate's scope counts in."""
    DOCUMENT = "document"
    """Any other public document, such as the reasons of a proposal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicText:
    """A text as everybody may read it."""

    kind: TextKind
    body: Mapping[str, Any]
    """A JSON object; which members it has depends on the kind."""
    language: str = NO_LANGUAGE
    """BCP 47 tag, such as `zh-Hant`; empty for what is the same in all languages."""

    @property
    def written(self) -> bytes:
        """The text in the one form that is hashed (RFC 8785).

        Raises `DocumentRefused` for a body with a number or text that JSON cannot hold exactly.
        """
        return dump_canonical(
            {"kind": self.kind.value, "language": self.language, "body": dict(self.body)}
        )

    @property
    def hash(self) -> bytes:
        """What the ledger keeps of it, 32 bytes."""
        return hashlib.sha256(_TAG + self.written).digest()

"""What this agency demands of a document before it recognises it.

These are the agency's own settings, chosen by the purpose of the check. What both sides of a border
have agreed on stands on the ledger (`recognition`) and judges first. A policy of either sort never
makes a bad document good; it only asks for more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

DEFAULT_MAX_LAG_S: Final = 600
"""A node whose last final block is older than this cannot say whether a record is valid."""

DEFAULT_CHALLENGE_TTL_S: Final = 300
"""How long a verifier's nonce may be used."""

DEFAULT_MAX_SIGNATURE_AGE_S: Final = 300
"""How old a holder's signature may be."""


class Assurance(IntEnum):
    """How sure it is of whom a document speaks, as recognition policies on the ledger count it."""

    LOW = 1
    SUBSTANTIAL = 2
    HIGH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionPolicy:
    """What one purpose demands."""

    purpose: str
    """The purpose that selects it, such as `border-crossing`."""
    required: tuple[str, ...] = ()
    """Pointers of fields that must be shown."""
    max_age_s: int | None = None
    """Longest time since the record was captured, in seconds; None for any."""
    issuers: frozenset[bytes] | None = None
    """Agencies whose records are recognised; None for all accredited ones."""
    schemas: frozenset[bytes] | None = None
    """Schemas recognised; None for all."""
    needs_holder: bool = False
    """True if a document without a holder's key is refused, not just noticed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSettings:
    """How this agency verifies."""

    policies: tuple[RecognitionPolicy, ...] = ()
    max_lag_s: int = DEFAULT_MAX_LAG_S
    challenge_ttl_s: int = DEFAULT_CHALLENGE_TTL_S
    max_signature_age_s: int = DEFAULT_MAX_SIGNATURE_AGE_S
    assurances: Mapping[bytes, Assurance] = field(default_factory=dict)
    """How surely agencies identify people, by id; substantially where one is not named."""

    def find_policy(self, purpose: str | None) -> RecognitionPolicy | None:
        """Return the policy of a purpose; None where the agency has set none."""
        return next((policy for policy in self.policies if policy.purpose == purpose), None)

"""What acts are called: their kinds, and an id for each that every copy of its proof shares.

The id is a hash of the act itself, not of its proof, so that a list, a log line and a file can be
matched, and it can be computed again by whoever has the file.
"""

import hashlib
from typing import Final

from consensus.evidence import Evidence, encode_evidence
from consensus.payloads import MessageCode
from consensus.types import Hash32
from node.evidence.document import UNPERMITTED_SENDER, UNVOTED_CODE

_KINDS: Final = {code: f"conflicting_{code.name.lower()}s" for code in MessageCode}

KINDS: Final = (*_KINDS.values(), UNPERMITTED_SENDER, UNVOTED_CODE)
"""Every kind of act that is kept as evidence."""

_CONTRADICTION: Final = b"atesta-evidence:contradiction:"
_INTRUSION: Final = b"atesta-evidence:intrusion:"
_UNVOTED: Final = b"atesta-evidence:unvoted:"


def name_kind(code: MessageCode) -> str:
    """Return the kind of a contradiction, e.g. `conflicting_round_changes`."""
    return _KINDS[code]


def compute_contradiction_id(evidence: Evidence) -> Hash32:
    """Return the id of a contradiction: a hash of place and both messages."""
    return Hash32(hashlib.sha256(_CONTRADICTION + encode_evidence(evidence)).digest())


def compute_intrusion_id(
    block_hash: Hash32, transaction_hash: Hash32, kind: str = UNPERMITTED_SENDER
) -> Hash32:
    """Return the id of an intrusion: a hash of its kind, its block and its transaction."""
    prefix = _INTRUSION if kind == UNPERMITTED_SENDER else _UNVOTED
    return Hash32(hashlib.sha256(prefix + block_hash + transaction_hash).digest())

"""Readable identifiers of agencies and jurisdictions in 32 bytes.

On the ledger an agency is 32 bytes. This project fills them with a short label in ASCII, such as
`mo-health-bureau` or, for a jurisdiction, an ISO 3166 code such as `MO` or `CN-GD`, padded with
zeros, so that an auditor can read a raw record. Identifiers of other make (hashes) work as well.
"""

import re
from typing import Final

from eth_typing import Hash32

from contracts.errors import ContractError

LABEL_BYTES: Final = 32
LABEL_PATTERN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


class LabelError(ContractError):
    """A text is no label: 1 to 32 ASCII letters, digits, dots, underscores or hyphens."""


def encode_label(label: str) -> Hash32:
    """Turn a label into 32 bytes, padded with zeros on the right; LabelError if it is none."""
    if LABEL_PATTERN.fullmatch(label) is None:
        raise LabelError(
            f"{label!r} is not 1 to {LABEL_BYTES} ASCII letters, digits, dots, underscores or "
            "hyphens, beginning with a letter or digit"
        )
    return Hash32(label.encode("ascii").ljust(LABEL_BYTES, b"\0"))


def decode_label(identifier: bytes) -> str | None:
    """Read the label out of 32 bytes; None if they hold none (a hash, for example)."""
    try:
        label = identifier.rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError:
        return None
    return label if LABEL_PATTERN.fullmatch(label) else None


def format_identifier(identifier: bytes) -> str:
    """Return the label if there is one, else 0x and hexadecimal digits."""
    return decode_label(identifier) or f"0x{bytes(identifier).hex()}"

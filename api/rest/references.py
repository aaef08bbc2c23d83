"""References to agencies and jurisdictions: 32 bytes, or the label that stands in them.

On the ledger an agency is 32 bytes, which hold a short label in ASCII, such as `mo-health`, or a
hash. A caller may write either.
"""

from typing import Annotated, Final

from pydantic import StringConstraints, WithJsonSchema

from contracts.labels import encode_label

REFERENCE_PATTERN: Final = (
    r"^(0x[0-9a-fA-F]{64}|0|[A-Za-z1-9][A-Za-z0-9._-]{0,31}|0[A-Za-wyz0-9._-][A-Za-z0-9._-]{0,30})$"
)
"""No label begins with 0x: that is a number which was cut short."""

EXAMPLE_LABEL: Final = "mo-health-bureau"

Reference = Annotated[
    str,
    StringConstraints(pattern=REFERENCE_PATTERN),
    WithJsonSchema({"type": "string", "pattern": REFERENCE_PATTERN}),
]
"""An agency or a jurisdiction: `0x` and 64 hexadecimal digits, or its label."""


def read_reference(reference: str) -> bytes:
    """Return the 32 bytes of a reference that a model has already checked."""
    if len(reference) == 66 and reference[:2] == "0x":
        return bytes.fromhex(reference[2:])
    return encode_label(reference)

"""The two ways Ethereum writes numbers and bytes in JSON.

A quantity is the shortest hexadecimal number (`0x0`, `0x1f`); data is two digits per byte, so its
leading zeros count. Mixing them up is the most common mistake against this interface.
"""

WORD_BYTES = 32

write_quantity = hex
"""Return an integer >= 0 as a quantity (Python's own form is the specified one)."""


def write_data(value: bytes) -> str:
    """Return bytes as data."""
    return "0x" + value.hex()


def write_word(value: int) -> str:
    """Return an integer as 32 bytes of data, as storage keys and values are written."""
    return f"0x{value:064x}"


def write_optional_data(value: bytes | None) -> str | None:
    """Return bytes as data, None as null."""
    return None if value is None else "0x" + value.hex()


def write_optional_quantity(value: int | None) -> str | None:
    """Return an integer as a quantity, None as null."""
    return None if value is None else hex(value)

"""The person behind a caller: told apart where two different ones have to act.

A label names a program or an office, so one person may come by two of them. Where the operator says
who acts by each (in the token file, in the access file, or by a claim of the provider), whoever
proposed something is known again behind another label. What stands for a person is the agency's own
number for its staff, not a name: it is kept in the vault's journals and never written to a log.
"""

from typing import Any, Final

from api.errors import InvalidField

MAX_PERSON_SIZE: Final = 128
"""Characters of the longest mark of a person."""


def is_person(value: Any) -> bool:
    """Return whether a value can stand for a person."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= MAX_PERSON_SIZE
        and value.isprintable()
        and value == value.strip()
    )


def read_person(value: Any, field: str) -> str | None:
    """Return who acts by an entry of a file, None without; raises `InvalidField`."""
    if value is None:
        return None
    if not is_person(value):
        raise InvalidField(
            field,
            f"must be 1 to {MAX_PERSON_SIZE} printable characters, such as a staff number",
        )
    return str(value)

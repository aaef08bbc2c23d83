"""The person behind a caller: told apart where two different ones have to act.

A label names a program or an office, so one person may come by two of them. Where the operator says
who acts by each (in the token file, in the access file, or by a claim of the provider), whoever
proposed something is known again behind another label. What stands for a person is the agency's own
number for its staff, not a name: it is kept in the vault's journals and never written to a log.
"""

import re
from typing import Any, Final

from api.errors import InvalidField

_PERSON: Final = re.compile(r"[a-z0-9][a-z0-9._/@-]{0,127}")
"""One way to write each: no capitals, no spaces, nothing that only looks like another sign."""


def find_person(value: Any) -> str | None:
    """Return what stands for a person in the one way to write it; None if it cannot."""
    written = value.lower() if isinstance(value, str) else ""
    return written if _PERSON.fullmatch(written) else None


def read_person(value: Any, field: str) -> str | None:
    """Return who acts by an entry of a file, None without; raises `InvalidField`."""
    if value is None:
        return None
    person = find_person(value)
    if person is None:
        raise InvalidField(
            field, "must be a staff number of letters, digits and ._/@-, such as staff-0117"
        )
    return person

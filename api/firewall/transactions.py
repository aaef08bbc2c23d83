"""Judging a whole transaction that somebody signed: a caller of this node, or a caller of a peer.

A transaction has more places than its call where bytes fit that no contract reads: an access list,
a value, the address of an account that does not exist. On a ledger without fees none of them is of
use, so they are refused. What calls a contract of the ledger is read like every call; what calls
another contract, which the agencies have opened by vote, has no description here, so its words are
held to the commitment rule one by one.

Names of agencies and jurisdictions are public, but only if the ledger has them: a call that names
an agency which nobody admitted would be reverted, and stay on the chain all the same.
"""

import re
from collections.abc import Callable
from typing import Final

from api.errors import InvalidField
from api.firewall.calls import CheckedCall, read_call
from api.firewall.chance import WIDTH, find_disguise, refuse_disguise
from api.firewall.values import AgencyName, JurisdictionName

MAX_FOREIGN_WORDS: Final = 64
"""Words of a call to a contract that is not the ledger's own."""

IsKnown = Callable[[bytes], bool]
"""Says whether the registry has an agency, or a jurisdiction, of this name."""

_SELECTOR = 4
_NUMBER_BYTES = 8
_SHORT_TEXT: Final = re.compile(rb"[0-9]{5,8}|[\x20-\x7e]{7,8}")


def check_ledger_call(
    contract: str, data: bytes, *, is_agency: IsKnown, is_jurisdiction: IsKnown
) -> CheckedCall:
    """Return a call of a contract of the ledger; raises `InvalidField` that names what is wrong."""
    call = read_call(contract, data)
    for kind, is_known, what in (
        (AgencyName, is_agency, "an agency"),
        (JurisdictionName, is_jurisdiction, "a jurisdiction"),
    ):
        for path, name in call.list_values(kind):
            if not is_known(name):
                raise InvalidField(path, f"is not {what} that the registry has admitted")
    return call


def check_foreign_call(data: bytes) -> None:
    """Refuse call data of another contract that hold text or digits; raises `InvalidField`.

    Every word is a number of at most eight bytes, an address, or 32 bytes that look like chance.
    A number whose bytes are digits, or seven characters and more, is a text.
    """
    if not data:
        return
    if len(data) > _SELECTOR + MAX_FOREIGN_WORDS * WIDTH or (len(data) - _SELECTOR) % WIDTH:
        raise InvalidField(
            "data",
            f"must be a selector and at most {MAX_FOREIGN_WORDS} words of {WIDTH} bytes",
        )
    for place, start in enumerate(range(_SELECTOR, len(data), WIDTH)):
        word = data[start : start + WIDTH]
        short = word.lstrip(b"\0")
        if len(short) <= _NUMBER_BYTES:
            if _SHORT_TEXT.fullmatch(short):
                raise refuse_disguise(f"word.{place}", "text or digits")
            continue
        looked_at = word[-20:] if len(short) <= 20 else word
        what = find_disguise(looked_at)
        if what is not None:
            raise refuse_disguise(f"word.{place}", what)

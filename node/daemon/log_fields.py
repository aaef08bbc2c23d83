"""What a field of a log line may hold: one kind for each name, each of a fixed size.

A log is shown to people who may see no personal data. That a value is short proves little: a name
is short. So each name on this list has a kind, and a value that is none of its kind is not written;
the line says which field was dropped. A *number* is bounded, a *digest* is hexadecimal, a *word* is
what programs are written with (no blank, no letter beyond ASCII), a *place* is an address of a
network. A *text* is a sentence of our own, or of the operating system: what is not ASCII is
replaced, and so is every number of seven digits and more, which is what persons are filed under:
also with separators (`6612-3456`, `1963-05-17`), and with letters before it (`MA1234567`), unless
it is a part of a digest in hexadecimal.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

MAX_WORD: Final = 120
MAX_TEXT: Final = 300
"""Characters of a text and of a place; what is longer is cut, or no place."""
MAX_EXCEPTION: Final = 10_000
"""Characters of the places at which an error passed."""
MAX_ITEMS: Final = 64
"""Values of a list."""
MAX_NUMBER: Final = 2**128

Take = Callable[[Any], Any]
"""Returns a value as it may be written; raises ValueError if it is none of its kind."""

DIGEST_DIGITS: Final = frozenset({16, 24, 32, 40, 64, 96, 128, 130})
"""Digits of what programs write in hexadecimal; numbers of persons have 8, 11 or 18."""

_DIGEST: Final = re.compile(r"(?:[a-z]{2,4}-|0x)?([0-9A-Fa-f:]*)")
_WORD: Final = re.compile(r"[A-Za-z0-9_.,:;/{}<>*@+()'\[\]=-]*")
_PLACE: Final = re.compile(r"[A-Za-z0-9_.:/\[\]%?=&~+-]*")
_SEPARATED: Final = re.compile(r"(?<![0-9A-Fa-f])[0-9](?:[ ()/+-]{0,2}[0-9]){6,}(?![0-9A-Fa-f])")
_HEX_RUN: Final = re.compile(r"[0-9A-Fa-f]{7,}")
_DIGIT_RUN: Final = re.compile(r"[0-9]{7,}")
_LEAST_DIGEST: Final = 16
_HEX_LETTERS: Final = "abcdefABCDEF"
_NOT_PRINTED: Final = re.compile(r"[^\x20-\x7e]")


def take_field(name: str, value: Any) -> Any:
    """Return the value of a field as it may be written: alone, or up to 64 of them.

    Raises KeyError for a name that is not on the list, ValueError for a value not of its kind.
    """
    take = FIELD_KINDS[name]
    if isinstance(value, list | tuple | set | frozenset):
        return [take(item) for item in list(value)[:MAX_ITEMS]]
    return None if value is None else take(value)


def take_number(value: Any) -> int | float | bool:
    """Take a number below 2^128, or a truth value."""
    if not isinstance(value, int | float) or not abs(value) < MAX_NUMBER:
        raise ValueError
    return value


def take_digest(value: Any) -> str:
    """Take bytes, which are written in hexadecimal, or such a text; identifiers with their kind."""
    if isinstance(value, bytes):
        return "0x" + value[:64].hex()
    found = _DIGEST.fullmatch(str(value))
    if found is None or len(found[1].replace(":", "")) not in DIGEST_DIGITS:
        raise ValueError
    return str(value)


def take_word(value: Any) -> Any:
    """Take a word of a program: a code, a label, a route, a version, a number."""
    if isinstance(value, int | float):
        return take_number(value)
    text = "0x" + value[:64].hex() if isinstance(value, bytes) else str(value)
    if len(text) > MAX_WORD or _WORD.fullmatch(text) is None or _hide_numbers(text) != text:
        raise ValueError
    return text


def take_place(value: Any) -> str:
    """Take an address of a network: host and port, or a URL."""
    text = str(value)
    if len(text) > MAX_TEXT or _PLACE.fullmatch(text) is None or _hide_numbers(text) != text:
        raise ValueError
    return text


def take_text(value: Any) -> str:
    """Take a sentence of ours; nothing in it is left that could be a name or number of a person."""
    return clean_text(str(value), MAX_TEXT)


def take_exception(value: Any) -> str:
    """Take what `logs.format_exception` wrote."""
    return clean_text(str(value), MAX_EXCEPTION)


def clean_text(text: str, limit: int) -> str:
    """Return a text without long numbers and without what is not ASCII, cut to a length."""
    cut = text if len(text) <= limit else text[:limit] + "..."
    return _hide_numbers(_NOT_PRINTED.sub("?", cut))


def _hide_numbers(text: str) -> str:
    return _HEX_RUN.sub(_hide_in_run, _SEPARATED.sub("#", text))


def _hide_in_run(run: re.Match[str]) -> str:
    """Return a run of hexadecimal digits as it is, if it is a digest; else without its numbers."""
    text = run.group()
    is_number = text.strip(_HEX_LETTERS).isdecimal()
    return text if len(text) >= _LEAST_DIGEST and not is_number else _DIGIT_RUN.sub("#", text)


_BY_KIND: Final[Mapping[Take, str]] = {
    take_number: """
        acknowledged attached attempt blocks blocks_per_s bytes chain_id count current decided
        dropped duration_ms epoch erased failures gas_used head height inbound index journal_bytes
        kept lag_ms limit max_fee number ordered outbound overruns path_is_writable pending pid port
        queued removed restored retry_s rewrapped round score size_bytes start successor timeout_s
        times transactions wait_s
    """,
    take_digest: """
        authors block_hash candidates evidence fingerprint genesis_hash observer offender operation
        parent peer_id pin proposer request_id sender signer target transaction_hash validator
        validators webhook
    """,
    take_word: """
        agency before caller code contracts database direction effect error_kind error_type field
        fields_dropped kind label method name node peer peers recipient role route status step
        steps surface task version
    """,
    take_place: "address addresses client host issuer listen_address url",
    take_text: "error next_step reason resilience",
    take_exception: "exception",
}

FIELD_KINDS: Final[Mapping[str, Take]] = {
    name: take for take, names in _BY_KIND.items() for name in names.split()
}
"""The names under which a value may be written, and what it must be."""

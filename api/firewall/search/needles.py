r"""What a privacy search looks for: personal values in every form a program might keep them in.

A value that leaks rarely leaks as plain text. It may be in UTF-16, GB18030 or Big5, in decomposed
Unicode, in capitals or full-width letters, backwards, in hex inside a log line, in base64 inside a
token (starting at any of three alignments, so that its own base64 form is nowhere to be found),
behind ``\u`` escapes in JSON or ``%`` escapes in an address, its digits packed two to a byte. Each
value is therefore turned into the set of byte strings that any of these would leave behind. What
stands around them (ABI padding, RLP and msgpack lengths, compression) is taken off by `fields` and
`containers`.

Forms of six bytes and more are searched as substrings. Shorter ones (a birth year, a Chinese given
name in UTF-16) would be found by chance in any large file, so they count only as *whole* decoded
fields. The length is that of the value in the encoding concerned: the same name can be long enough
in UTF-8 and too short in UTF-16.
"""

import base64
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import quote_from_bytes

from api.firewall.search.expectation import FormLengths
from api.firewall.search.hex_runs import LEAST_DIGITS, is_base64, is_hex
from api.firewall.search.matcher import WINDOW, Matcher

SHORTEST_SUBSTRING: Final = WINDOW
"""Below this many bytes, in its encoding, a value is compared with whole fields only."""

ENCODINGS: Final = ("utf-8", "utf-16-le", "utf-16-be", "gb18030", "big5", "latin-1")
"""Character encodings; equal bytes are searched once, under the first name."""

_LEAST_DIGITS: Final = 6
"""Fewer digits, packed, would be found by chance."""
_FULL_WIDTH: Final = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Needle:
    """One value to look for."""

    label: str
    """What it is, for reports: never the value itself."""
    value: str | bytes
    """A text, or bytes such as a 32-byte identifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One byte string that a value may leave behind."""

    data: bytes
    """The bytes."""
    encoding: str
    """How they come from the value, such as ``utf-16-le in base64``."""
    is_whole: bool
    """Whether they count only where they are a whole field."""


class NeedleSet:
    """All needles in all of their forms, ready to be searched for at once."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        """Compute the forms. Two needles with the same form share the first one's label."""
        self.needles = tuple(needles)
        long: dict[bytes, tuple[Needle, str]] = {}
        self.short: dict[bytes, tuple[Needle, str]] = {}
        """Forms that count as whole fields only."""
        for needle in self.needles:
            for form in iterate_forms(needle.value):
                known = self.short if form.is_whole else long
                known.setdefault(form.data, (needle, form.encoding))
        self._long = tuple(long.values())
        self.matcher = Matcher(tuple(long))

    @property
    def form_count(self) -> int:
        """Number of byte strings searched for."""
        return len(self._long) + len(self.short)

    @cached_property
    def lengths(self) -> FormLengths:
        """The lengths of all forms that are searched inside others."""
        return _measure(self.matcher.strings)

    def measure(self, labels: Iterable[str]) -> dict[str, FormLengths]:
        """Return the same for the forms of each of some needles, by label."""
        forms: dict[str, list[bytes]] = {label: [] for label in labels}
        for form, (needle, _) in zip(self.matcher.strings, self._long, strict=True):
            if needle.label in forms:
                forms[needle.label].append(form)
        return {label: _measure(own) for label, own in forms.items()}

    def get_long(self, number: int) -> tuple[Needle, str]:
        """Return the needle and the encoding behind a number of the matcher."""
        return self._long[number]

    def find_inside(self, data: bytes) -> Iterator[tuple[Needle, str]]:
        """Yield each long needle found anywhere in the data, with its encoding."""
        for _, number in self.matcher.find(data):
            yield self._long[number]

    def find_whole(self, field: bytes) -> tuple[Needle, str] | None:
        """Return the short needle that the field is as a whole, with its encoding."""
        return self.short.get(field)


def iterate_forms(value: str | bytes) -> Iterator[Form]:
    """Yield every form of a value, the plainest first.

    What is long enough has three forms in base64, as it looks inside a longer text; what is too
    short has the one that it has alone, with and without padding.
    """
    for name, data in _iterate_plain(value):
        is_whole = len(data) < SHORTEST_SUBSTRING
        yield Form(data=data, encoding=name, is_whole=is_whole)
        for text in (data.hex(), data.hex().upper()):
            yield Form(data=text.encode(), encoding=f"{name} in hex", is_whole=is_whole)
        for encoded in _iterate_base64(data, is_whole=is_whole):
            yield Form(data=encoded, encoding=f"{name} in base64", is_whole=is_whole)
        if isinstance(value, str):
            yield from _iterate_escapes(name, data)
    if isinstance(value, str):
        yield from _iterate_packed(value)


def iterate_variants(text: str) -> Iterator[tuple[str, str]]:
    """Yield the ways in which people and programs write the same text, each with its name."""
    composed = unicodedata.normalize("NFC", text)
    seen: set[str] = set()
    for name, variant in (
        ("composed", composed),
        ("decomposed", unicodedata.normalize("NFD", text)),
        ("compatible", unicodedata.normalize("NFKC", text)),
        ("upper case", composed.upper()),
        ("lower case", composed.lower()),
        ("full width", composed.translate(_FULL_WIDTH)),
        ("without accents", _strip_accents(composed)),
        ("reversed", composed[::-1]),
    ):
        if variant not in seen:
            seen.add(variant)
            yield name, variant


def _iterate_plain(value: str | bytes) -> Iterator[tuple[str, bytes]]:
    if isinstance(value, bytes):
        yield "bytes", value
        yield "bytes reversed", value[::-1]
        return
    for variant, text in iterate_variants(value):
        seen: set[bytes] = set()
        for encoding in ENCODINGS:
            try:
                data = text.encode(encoding)
            except UnicodeEncodeError:
                continue
            if data not in seen:
                seen.add(data)
                yield f"{encoding} {variant}", data


def _iterate_escapes(name: str, data: bytes) -> Iterator[Form]:
    """Yield the escaped forms of an encoded text: percent, and JSON for UTF-8."""
    every = "".join(f"%{byte:02X}" for byte in data)
    for text in {quote_from_bytes(data, safe=""), every, every.lower()} - {data.decode("latin-1")}:
        is_whole = len(text) < SHORTEST_SUBSTRING
        yield Form(data=text.encode(), encoding=f"{name} in percent escapes", is_whole=is_whole)
    if name.startswith("utf-8"):
        escaped = json.dumps(data.decode())[1:-1]
        upper = re.sub(r"\\u[0-9a-f]{4}", lambda m: "\\u" + m.group()[2:].upper(), escaped)
        for text in {escaped, upper} - {data.decode()}:
            is_whole = len(text) < SHORTEST_SUBSTRING
            yield Form(data=text.encode(), encoding="JSON escapes", is_whole=is_whole)


def _iterate_packed(text: str) -> Iterator[Form]:
    """Yield a number's digits two to a byte, also as a binary number would hold them."""
    digits = "".join(character for character in text if character.isascii() and character.isdigit())
    others = sum(character.isalpha() for character in text)
    if len(digits) < _LEAST_DIGITS or others > 1:
        return
    padded = {digits} if len(digits) % 2 == 0 else {"0" + digits, digits + "0", digits + "f"}
    for packed in padded:
        data = bytes.fromhex(packed)
        is_whole = len(data) < SHORTEST_SUBSTRING
        yield Form(data=data, encoding="packed digits", is_whole=is_whole)
    binary = int(digits).to_bytes(-(-int(digits).bit_length() // 8), "big")
    if len(binary) >= SHORTEST_SUBSTRING:  # fewer bytes are a height, a time or an amount as well
        for name, data in (("binary number", binary), ("binary number reversed", binary[::-1])):
            yield Form(data=data, encoding=name, is_whole=False)
    bare = digits.encode()
    yield Form(data=bare, encoding="digits alone", is_whole=len(bare) < SHORTEST_SUBSTRING)


def _measure(forms: Iterable[bytes]) -> FormLengths:
    in_hex, in_base64, in_bytes, left = (
        Counter[int](),
        Counter[int](),
        Counter[int](),
        Counter[int](),
    )
    for form in forms:
        length = len(form)
        in_bytes[length] += 1
        in_base64[length] += is_base64(form)
        if is_hex(form):
            (left if length < LEAST_DIGITS else in_hex)[length] += 1
    return FormLengths(in_hex=in_hex, in_base64=in_base64, in_bytes=in_bytes, left=left)


def _strip_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(part for part in decomposed if not unicodedata.combining(part))


def _iterate_base64(data: bytes, *, is_whole: bool) -> Iterator[bytes]:
    if is_whole:
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(data)
            yield encode(data).rstrip(b"=")
        return
    for shift in range(3):
        # The characters that hold bits of what stands before and after the value are cut off.
        first = -(-shift * 8 // 6)
        last = (shift + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"\x00" * shift + data)[first:last]

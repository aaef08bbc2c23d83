r"""What a privacy search looks for: personal values in every form a program might keep them in.

A value that leaks rarely leaks as plain text. It may be in UTF-16, in decomposed Unicode, in hex
inside a log line, in base64 inside a token (starting at any of three alignments, so that its own
base64 form is nowhere to be found), or behind ``\u`` escapes in JSON. Each value is therefore
turned into the set of byte strings that any of these would leave behind.

Values of six bytes and more are searched as substrings. Shorter ones (a birth year, a Chinese given
name in UTF-16) would be found by chance in any large file, so they count only as *whole* decoded
fields. The length is that of the value in the encoding concerned: the same name can be long enough
in UTF-8 and too short in UTF-16.
"""

import base64
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

SHORTEST_SUBSTRING: Final = 6
"""Below this many bytes, in its encoding, a value is compared with whole fields only."""


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
        self._long: dict[bytes, tuple[Needle, str]] = {}
        self._short: dict[bytes, tuple[Needle, str]] = {}
        for needle in self.needles:
            for form in iterate_forms(needle.value):
                known = self._short if form.is_whole else self._long
                known.setdefault(form.data, (needle, form.encoding))
        self._pattern = re.compile(_build_pattern(self._long), re.DOTALL) if self._long else None

    @property
    def form_count(self) -> int:
        """Number of byte strings searched for."""
        return len(self._long) + len(self._short)

    def find_inside(self, data: bytes) -> Iterator[tuple[Needle, str]]:
        """Yield each long needle found anywhere in the data, with its encoding."""
        if self._pattern is None:
            return
        for match in self._pattern.finditer(data):
            yield self._long[match.group()]

    def find_whole(self, field: bytes) -> tuple[Needle, str] | None:
        """Return the short needle that the field is as a whole, with its encoding."""
        return self._short.get(field)


def iterate_forms(value: str | bytes) -> Iterator[Form]:
    """Yield every form of a value.

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
        if isinstance(value, str) and name.startswith("utf-8"):
            escaped = json.dumps(data.decode())[1:-1]
            upper = re.sub(r"\\u[0-9a-f]{4}", lambda m: "\\u" + m.group()[2:].upper(), escaped)
            for text in {escaped, upper} - {data.decode()}:
                is_short = len(text) < SHORTEST_SUBSTRING
                yield Form(data=text.encode(), encoding="JSON escapes", is_whole=is_short)


def _iterate_plain(value: str | bytes) -> Iterator[tuple[str, bytes]]:
    if isinstance(value, bytes):
        yield "bytes", value
        return
    for text in _iterate_normal_forms(value):
        form = "composed" if text == unicodedata.normalize("NFC", text) else "decomposed"
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            yield f"{encoding} {form}", text.encode(encoding)


def _iterate_normal_forms(text: str) -> Iterator[str]:
    yield unicodedata.normalize("NFC", text)
    yield unicodedata.normalize("NFD", text)


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


def _build_pattern(forms: Iterable[bytes]) -> bytes:
    """Join byte strings into one expression that shares their beginnings.

    A plain alternation of some thousand strings tries each of them at every byte of a file; sharing
    beginnings makes it tens of times faster. Longer strings win over their own beginnings.
    """
    return _join_branch(sorted(set(forms)))


def _join_branch(strings: list[bytes]) -> bytes:
    ends_here = strings[0] == b""
    branches: dict[int, list[bytes]] = {}
    for string in strings[1 if ends_here else 0 :]:
        branches.setdefault(string[0], []).append(string)
    parts = []
    for members in branches.values():
        shared = _get_shared_length(members)
        rest = sorted({member[shared:] for member in members})
        tail = b"" if rest == [b""] else _join_branch(rest)
        parts.append(re.escape(members[0][:shared]) + tail)
    if not parts:
        return b""
    joined = b"(?:" + b"|".join(parts) + b")"
    return joined + b"?" if ends_here else joined


def _get_shared_length(members: list[bytes]) -> int:
    first, last = members[0], members[-1]
    length = 0
    while length < min(len(first), len(last)) and first[length] == last[length]:
        length += 1
    return length

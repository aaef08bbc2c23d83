"""Readings: the encodings in which 32 bytes may be a whole text, and how often chance makes one.

The wider the alphabet of an encoding, the more random bytes it reads. Latin-1 has a letter or a
sign for 164 of 256 bytes, so it reads 32 of them about once in a million times; GBK has a
character for a third of all pairs, and reads 16 pairs once in seventy million times, but together
with all of ASCII once in a thousand. So a value is judged whole, each encoding with as much beside
its letters as its chance allows: `STRICT_READINGS` for what nobody has seen opened,
`LOOSE_READINGS` for all values. A text that was cut in the middle of a character, and up to four
zero bytes at either end, are still a text.

The chances are of 32 random bytes (of 20 in `NARROW_READINGS`), rounded up, and add up to the sums
that `api.firewall.chance` states.
"""

import re
from dataclasses import dataclass
from typing import Final

_ASCII: Final = rb"[\x20-\x7e]"
_SIGNS: Final = rb"[0-9 ()-]"
_HANZI_GB2312: Final = rb"[\xb0-\xf7][\xa1-\xfe]"
# Punctuation, letters and digits of full width, in both GB encodings.
_WIDE_GB: Final = rb"\xa1[\xa1-\xbf]|\xa3[\xa1-\xfe]"
_HANZI_GBK: Final = (
    rb"[\x81-\xa0][\x40-\x7e\x80-\xfe]|[\xaa-\xfe][\x40-\x7e\x80-\xa0]|" + _HANZI_GB2312
)
_RARE_GB18030: Final = rb"[\x81-\x84\x95-\x9a][\x30-\x39][\x81-\xfe][\x30-\x39]"
_WIDE_BIG5: Final = rb"\xa1[\x40-\x7e]|\xa2[\xaf-\xfe]"
_HANZI_BIG5: Final = rb"[\xa4-\xc6\xc9-\xf9][\x40-\x7e\xa1-\xfe]"
# With the rows that Hong Kong and Macao added.
_HANZI_HKSCS: Final = rb"[\x87-\xa0\xa4-\xfe][\x40-\x7e\xa1-\xfe]"
# Letters of Latin-1 and the signs of addresses: ordinals, degrees, the middle dot, CP1252's quote.
_LATIN: Final = rb"[\x20-\x7e\xc0-\xff\x92\xaa\xb0\xb7\xba]"
_LATIN_NAMES: Final = rb"[A-Za-z0-9 .,/()'\x92\xaa\xb0\xba\xc0-\xd6\xd8-\xf6\xf8-\xff-]"
_LATIN_LETTERS: Final = rb"[A-Za-z \xc0-\xd6\xd8-\xf6\xf8-\xff]"
_UTF_8: Final = (
    _ASCII
    + rb"|\xc2[\xa0-\xbf]|[\xc3-\xc8][\x80-\xbf]|\xc9[\x80-\x8f]|\xcc[\x80-\xbf]|\xcd[\x80-\xaf]"
    + rb"|\xe3\x80[\x80-\xbf]|\xe4[\xb8-\xbf][\x80-\xbf]|[\xe5-\xe9][\x80-\xbf]{2}"
    + rb"|\xef\xbc[\x80-\xbf]|\xef\xbd[\x80-\xa0]"
)
# Latin with its accents, also those that stand behind their letter; Chinese; full width.
_UTF_16_BE: Final = (
    rb"\x00[\x20-\x7e\xa0-\xff]|\x01[\x00-\xff]|\x02[\x00-\x4f]|\x03[\x00-\x6f]"
    rb"|\x30[\x00-\x3f]|[\x4e-\x9f][\x00-\xff]|\xff[\x00-\x60]"
)
_UTF_16_LE: Final = (
    rb"[\x20-\x7e\xa0-\xff]\x00|[\x00-\xff]\x01|[\x00-\x4f]\x02|[\x00-\x6f]\x03"
    rb"|[\x00-\x3f]\x30|[\x00-\xff][\x4e-\x9f]|[\x00-\x60]\xff"
)
_CUT_PAIR: Final = rb"[\x81-\xfe]?"
_CUT_UTF_8: Final = rb"(?:[\xc2-\xef]|[\xe3-\xef][\x80-\xbf])?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One encoding, as the characters that a text of persons is written with."""

    name: str
    unit: bytes
    """Regular expression of one character."""
    cut: bytes = b""
    """Regular expression of what a cut through a character leaves at the end."""
    chance: float
    """How often random bytes read so, rounded up."""

    def compile(self) -> re.Pattern[bytes]:
        """Return the expression that a whole value is compared with."""
        body = rb"(?:" + self.unit + rb")+" + self.cut
        return re.compile(rb"\x00{0,4}" + body + rb"\x00{0,4}", re.DOTALL)


def _join(*parts: bytes) -> bytes:
    return b"|".join(parts)


_UTF_16: Final = (
    Reading(name="UTF-16 LE", unit=_UTF_16_LE, chance=2.5e-8),
    Reading(name="UTF-16 BE", unit=_UTF_16_BE, chance=2.5e-8),
)
_UTF_8_READING: Final = Reading(name="UTF-8", unit=_UTF_8, cut=_CUT_UTF_8, chance=1e-12)
_GB2312: Final = Reading(
    name="GB2312 with ASCII",
    unit=_join(_ASCII, _WIDE_GB, _HANZI_GB2312),
    cut=_CUT_PAIR,
    chance=1.3e-8,
)

LOOSE_READINGS: Final = (
    _UTF_8_READING,
    *_UTF_16,
    _GB2312,
    Reading(
        name="GBK and GB18030 with digits",
        unit=_join(_SIGNS, _WIDE_GB, _HANZI_GBK, _RARE_GB18030),
        cut=_CUT_PAIR,
        chance=7e-8,
    ),
    Reading(
        name="Big5 with digits",
        unit=_join(_SIGNS, _WIDE_BIG5, _HANZI_HKSCS),
        cut=_CUT_PAIR,
        chance=2e-8,
    ),
    Reading(name="names and addresses in Latin-1", unit=_LATIN_NAMES, chance=3e-9),
)
"""For every value of 32 bytes; about 1.5 in ten million of random ones."""

STRICT_READINGS: Final = (
    *LOOSE_READINGS,
    Reading(
        name="Big5 with ASCII",
        unit=_join(_ASCII, _WIDE_BIG5, _HANZI_BIG5),
        cut=_CUT_PAIR,
        chance=5e-6,
    ),
    Reading(
        name="GBK and GB18030 with digits and signs",
        unit=_join(rb"[\x20-\x39]", _WIDE_GB, _HANZI_GBK, _RARE_GB18030),
        cut=_CUT_PAIR,
        chance=3e-7,
    ),
    Reading(name="Latin-1", unit=_LATIN, chance=8e-7),
)
"""For what nobody here has computed or seen opened; six in a million of random ones."""

NARROW_READINGS: Final = (
    Reading(name="UTF-8", unit=_UTF_8, cut=_CUT_UTF_8, chance=4e-8),
    Reading(name="letters of Latin-1", unit=_LATIN_LETTERS, chance=1.2e-7),
)
"""For 20 bytes, such as an address; others read true addresses too often."""


class TextReader:
    """Some readings, ready to judge values."""

    def __init__(self, readings: tuple[Reading, ...]) -> None:
        self._patterns = tuple(reading.compile() for reading in readings)

    def reads(self, value: bytes) -> bool:
        """Say whether a whole value is a text in one of them."""
        return any(pattern.fullmatch(value) is not None for pattern in self._patterns)

"""Telling which of many fields can hold something that must be decoded to be seen.

Most of what a chain stores are hashes, and of random bytes every third begins like something: like
msgpack, a compressed stream, a letter of hex or base64. Trying to decode them one by one is what
would cost. So all of them are followed together for some steps, as their decoder would follow them,
until they break its rules; random bytes do so at the second or third step. The answer is never no
for a field that its decoder takes (`fields.list_decoded`); what it is yes for is tried.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from api.firewall.search.containers import (
    LEAST_SNAPPY,
    MOST_RATIO,
    STREAM_HEADS,
)
from api.firewall.search.fields import LEAST_TOKEN
from api.firewall.search.joined import Choice, Joined, Places, Spans

_STEPS: Final = 24
"""Elements of a value that are followed; who gets so far is tried."""
_TOKEN_LOOK: Final = 8
"""Letters that a token is looked at for; it has `LEAST_TOKEN` at least."""
_LONG_LITERAL: Final = 60 << 2
_SNAPPY_WIDTHS: Final = np.array((0, 1, 2, 4), dtype=np.int64)


def find_decodable(joined: Joined, spans: Spans) -> Places:
    """Return the numbers of the fields, of two bytes and more, that a decoder may take."""
    first = joined.bytes[spans.starts]
    found = [
        _find_json(joined, spans, first),
        _find_tokens(joined, spans, first),
        _find_packs(joined, spans, np.flatnonzero(_PACK[first])),
        _find_streams(joined, spans, np.flatnonzero(spans.sizes >= LEAST_SNAPPY)),
    ]
    return np.unique(np.concatenate(found))


def _find_json(joined: Joined, spans: Spans, first: "np.ndarray") -> Places:
    numbers = np.flatnonzero(_OPENING[first])
    return numbers[_CLOSING[joined.bytes[spans.ends[numbers] - 1]]]


def _find_tokens(joined: Joined, spans: Spans, first: "np.ndarray") -> Places:
    """Find hex behind 0x, and what begins with letters of hex and base64."""
    sizes = spans.sizes
    numbers = np.flatnonzero(_LETTER[first])
    is_hex = (first[numbers] == ord("0")) & (joined.bytes[spans.starts[numbers] + 1] == ord("x"))
    tokens = numbers[sizes[numbers] >= LEAST_TOKEN]
    for place in range(1, _TOKEN_LOOK):
        tokens = tokens[_LETTER[joined.bytes[spans.starts[tokens] + place]]]
    tokens = tokens[_TOKEN_END[joined.bytes[spans.ends[tokens] - 1]]]
    return np.concatenate((numbers[is_hex], tokens))


def _find_packs(joined: Joined, spans: Spans, numbers: Places) -> Places:
    """Follow msgpack, element by element; a container puts its members among those to come."""
    places, ends = spans.starts[numbers], spans.ends[numbers]
    due = np.ones(numbers.size, dtype=np.int64)
    done = []
    for _ in range(_STEPS):
        heads = joined.bytes[places]
        widths = _PACK_WIDTHS[heads]
        told = joined.read_numbers(places + 1) >> (64 - 8 * widths).astype(np.uint64) % np.uint64(
            64
        )
        told[widths == 0] = 0
        lengths = np.minimum(told, np.uint64(joined.bytes.size)).astype(np.int64)
        places = places + 1 + widths + _PACK_SIZES[heads] + lengths * _PACK_UNITS[heads]
        due += _PACK_MEMBERS[heads] + lengths * _PACK_COUNTS[heads] - 1
        # Every element that is due has a byte at least.
        going = (places + due <= ends) & (heads != _NEVER_USED)
        ready = going & (due == 0)
        done.append(numbers[ready & (places == ends)])
        going &= ~ready
        numbers, places, ends, due = numbers[going], places[going], ends[going], due[going]
        if not numbers.size:
            break
    return np.concatenate((*done, numbers))


def _find_streams(joined: Joined, spans: Spans, numbers: Places) -> Places:
    """Find what begins like a compressed stream; raw snappy has no mark, and is followed."""
    starts = spans.starts[numbers]
    words = joined.read_words(starts)
    first, second = joined.bytes[starts], joined.bytes[starts + 1]
    is_stream: Choice = ((first & 0x0F) == 8) & (
        (first.astype(np.uint16) * 256 + second) % np.uint16(31) == 0
    )
    for head in STREAM_HEADS:
        mask = np.uint64((1 << 8 * len(head)) - 1)
        is_stream |= (words & mask) == np.uint64(int.from_bytes(head, "little"))
    return np.concatenate((numbers[is_stream], _find_snappy(joined, spans, numbers)))


def _find_snappy(joined: Joined, spans: Spans, numbers: Places) -> Places:
    """Follow raw snappy: its opened length, then literals and copies of what is there already."""
    places, ends = spans.starts[numbers].copy(), spans.ends[numbers]
    length = np.zeros(numbers.size, dtype=np.int64)
    more = np.ones(numbers.size, dtype=np.bool_)
    for shift in range(0, 42, 7):
        read = joined.bytes[places]
        length += np.where(more, (read & 0x7F).astype(np.int64) << shift, 0)
        places += more
        more &= read >= 0x80
    left = ends - places
    going = ~more & (length >= LEAST_SNAPPY) & (length <= spans.sizes[numbers] * MOST_RATIO)
    going &= (left > 0) & (left <= length + length // 6 + 32)
    going &= (joined.bytes[places] & 3) == 0
    numbers, places, ends, length = numbers[going], places[going], ends[going], length[going]
    opened = np.zeros(numbers.size, dtype=np.int64)
    done = []
    for _ in range(_STEPS):
        places, size, is_right = _read_element(joined, places, opened)
        opened = opened + size
        is_right &= (places <= ends) & (opened <= length)
        at_end = places == ends
        done.append(numbers[is_right & at_end & (opened == length)])
        going = is_right & ~at_end & (opened < length)
        numbers, places, ends = numbers[going], places[going], ends[going]
        length, opened = length[going], opened[going]
        if not numbers.size:
            break
    return np.concatenate((*done, numbers))


def _read_element(joined: Joined, places: Places, opened: Places) -> tuple[Places, Places, Choice]:
    """Return where the next element begins, what this one opens to, and whether it can be."""
    tags = joined.bytes[places]
    kinds = tags & 3
    is_literal = kinds == 0
    is_long = is_literal & (tags >= _LONG_LITERAL)
    widths = np.where(is_long, (tags >> 2).astype(np.int64) - 59, _SNAPPY_WIDTHS[kinds])
    numbers = joined.read_words(places + 1) & _LOWEST[widths]
    told = np.minimum(numbers, np.uint64(joined.bytes.size)).astype(np.int64)
    short = (tags >> 2).astype(np.int64) + 1
    back = told + np.where(kinds == 1, (tags >> 5).astype(np.int64) << 8, 0)
    sizes = np.where(is_long, told + 1, short)
    sizes = np.where(kinds == 1, (tags >> 2 & 7).astype(np.int64) + 4, sizes)
    places = places + 1 + widths + np.where(is_literal, sizes, 0)
    return places, sizes, is_literal | ((back > 0) & (back <= opened))


def _mark(choose: Callable[[int], bool]) -> Choice:
    return np.array([choose(byte) for byte in range(256)], dtype=np.bool_)


def _number(values: dict[int, int]) -> Places:
    return np.array([values.get(byte, 0) for byte in range(256)], dtype=np.int64)


_LOWEST: Final = np.array([(1 << 8 * width) - 1 for width in range(5)], dtype=np.uint64)
_LETTER: Final = _mark(lambda byte: byte < 0x80 and (chr(byte).isalnum() or chr(byte) in "+/-_"))
_TOKEN_END: Final = _LETTER | _mark(lambda byte: byte == ord("="))
_OPENING: Final = _mark(lambda byte: byte in b'{["')
_CLOSING: Final = _mark(lambda byte: byte in b'}]" \t\r\n')

# Of msgpack, by an element's first byte: see https://github.com/msgpack/msgpack, spec.md.
_NEVER_USED: Final = 0xC1
_PACK: Final = _mark(lambda byte: byte & 0xE0 == 0x80 or 0xDC <= byte <= 0xDF)
_PACK_WIDTHS: Final = _number(
    {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xC7: 1, 0xC8: 2, 0xC9: 4}
    | {0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}
)
"""Bytes behind it that say a length or a count."""
_PACK_SIZES: Final = _number(
    {0xC7: 1, 0xC8: 1, 0xC9: 1, 0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}
    | {0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8, 0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17}
    | {0xA0 + length: length for length in range(32)}
)
"""Bytes that follow in any case."""
_PACK_UNITS: Final = _number(
    dict.fromkeys((0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xD9, 0xDA, 0xDB), 1)
)
"""1 where the length counts bytes."""
_PACK_MEMBERS: Final = _number(
    {0x80 + count: 2 * count for count in range(16)} | {0x90 + count: count for count in range(16)}
)
"""Elements that it holds."""
_PACK_COUNTS: Final = _number({0xDC: 1, 0xDD: 1, 0xDE: 2, 0xDF: 2})
"""How many elements it holds for each that the count tells."""

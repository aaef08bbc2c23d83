"""Taking many fields apart at once: what stands in them as it is.

The rules are those of `fields`: the items of RLP that fills a field, at its beginning or behind a
type or a height; the words of ABI data; the field without the zeros around it. All of these stand
in the field as they are, so they are spans of the same bytes. A list is walked through one item at
a time, but all lists together: the nodes of a state tree have two or seventeen items each.
"""

from typing import Final

import numpy as np

from api.firewall.search.fields import (
    RLP_LIST,
    RLP_OFFSETS,
    RLP_SHORT,
    RLP_TEXT,
    SELECTOR,
    WORD,
    find_items,
)
from api.firewall.search.joined import (
    WORD_BYTES,
    Bytes,
    Choice,
    Joined,
    Places,
    Spans,
    Words,
    join_spans,
)

_BUT_LIST: Final = np.uint8(0xFF ^ RLP_TEXT ^ RLP_LIST)
"""All bits of RLP's first byte but the one that tells a list from a text."""
_LENGTH: Final = np.uint8(0x3F)
_FEW_LISTS: Final = 24
"""Lists that are walked through one by one: together would cost more."""
_MOST_ZERO_WORDS: Final = 16
"""Words of zeros that are taken off all fields together; longer zeros one by one."""


def list_parts(joined: Joined, spans: Spans) -> Spans:
    """Return the spans of all fields that stand in some others, of two bytes and more, as they are.

    No part is empty. The same part may come twice, and a field may be its own part.
    """
    parts, lists = [], []
    sizes = spans.sizes
    for offset in RLP_OFFSETS:
        texts, bodies = _find_rlp(joined, spans, sizes, offset)
        parts.append(texts)
        lists.append(bodies)
    bodies = join_spans(lists)
    if len(bodies):
        # A node is found behind its height, and again when the zeros of the height are taken off.
        keys = np.unique(bodies.starts << np.int64(32) | bodies.ends)
        bodies = Spans(keys >> np.int64(32), keys & np.int64(0xFFFFFFFF))
        parts.append(_walk_lists(joined, bodies))
    parts.append(_strip(joined, _list_words(spans, sizes)))
    first, last = joined.bytes[spans.starts], joined.bytes[spans.ends - 1]
    parts.append(_strip(joined, spans.choose((first == 0) | (last == 0))))
    found = join_spans(parts)
    return found.choose(found.ends > found.starts)


def _find_rlp(joined: Joined, spans: Spans, sizes: Places, offset: int) -> tuple[Spans, Spans]:
    """Return the texts, and the bodies of the lists, of RLP that fills fields from an offset."""
    places = spans.starts + offset
    rest = sizes - (offset + 1)
    heads = joined.bytes[places]
    kinds = heads & _BUT_LIST
    fits: Choice = (kinds == RLP_TEXT + rest) & (rest <= RLP_SHORT)
    bodies = places + 1
    long = np.flatnonzero((kinds > RLP_TEXT + RLP_SHORT) & (rest > RLP_SHORT))
    if long.size:
        widths = (heads[long] & _LENGTH).astype(np.int64) - RLP_SHORT
        begin = places[long] + 1 + widths
        left = spans.ends[long] - begin
        bits = (WORD_BYTES * (WORD_BYTES - widths)).astype(np.uint64)
        lengths = joined.read_numbers(places[long] + 1) >> bits
        is_right = (left >= 0) & (lengths == left.astype(np.uint64))
        fits[long] = is_right
        bodies[long] = begin
    is_list = heads >= RLP_LIST
    texts, lists = fits & ~is_list, fits & is_list
    return (
        Spans(bodies[texts], spans.ends[texts]),
        Spans(bodies[lists], spans.ends[lists]),
    )


def _walk_lists(joined: Joined, bodies: Spans) -> Spans:
    """Return the items of lists; of a list with an item that does not end with it, none."""
    numbers = np.arange(len(bodies))
    is_broken = np.zeros(len(bodies), dtype=np.bool_)
    places, ends = bodies.starts, bodies.ends
    found, of_list = [], []
    going = places < ends
    while True:
        numbers, places, ends = numbers[going], places[going], ends[going]
        if numbers.size <= _FEW_LISTS:
            break
        items, is_whole = _read_items(joined, places, ends)
        is_broken[numbers[~is_whole]] = True
        found.append(items)
        of_list.append(numbers)
        places = items.ends
        going = is_whole & (places < ends)
    rest = [
        (start, end, number)
        for place, last, number in zip(
            places.tolist(), ends.tolist(), numbers.tolist(), strict=True
        )
        for start, end in find_items(joined.data, place, last) or _break(is_broken, number)
    ]
    if rest:
        starts, stops, owners = np.array(rest, dtype=np.int64).T
        found.append(Spans(starts, stops))
        of_list.append(owners)
    if not found:
        return bodies.choose(numbers[:0])
    return join_spans(found).choose(~is_broken[np.concatenate(of_list)])


def _break(is_broken: Choice, number: int) -> list[tuple[int, int]]:
    is_broken[number] = True
    return []


def _read_items(joined: Joined, places: Places, ends: Places) -> tuple[Spans, Choice]:
    """Return the item at each place, and whether it ends with the list at the latest.

    A text is returned bare, a list with its head, a single byte as it is.
    """
    heads = joined.bytes[places]
    is_single = heads < RLP_TEXT
    starts = places + ~is_single
    lengths = (heads & _LENGTH).astype(np.int64)
    lengths[is_single] = 1
    long = np.flatnonzero(((heads & _BUT_LIST) > RLP_TEXT + RLP_SHORT) & ~is_single)
    if long.size:
        widths = lengths[long] - RLP_SHORT
        bits = (WORD_BYTES * (WORD_BYTES - widths)).astype(np.uint64)
        told: Words = joined.read_numbers(starts[long]) >> bits
        starts[long] += widths
        # Longer than everything joined is as long as everything joined: it is too long either way.
        lengths[long] = np.minimum(told, np.uint64(joined.bytes.size)).astype(np.int64)
    stops = starts + lengths
    is_list = heads >= RLP_LIST
    return Spans(np.where(is_list, places, starts), stops), stops <= ends


def _list_words(spans: Spans, sizes: Places) -> Spans:
    """Return the words of ABI data, with or without a selector before them.

    One word alone is the field itself.
    """
    over = sizes % WORD
    chosen = np.flatnonzero(((over == 0) & (sizes > WORD)) | ((over == SELECTOR) & (sizes >= WORD)))
    counts = sizes[chosen] // WORD
    firsts = np.repeat(spans.starts[chosen] + over[chosen], counts)
    nth = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = firsts + WORD * nth
    return Spans(starts, starts + WORD)


def _strip(joined: Joined, spans: Spans) -> Spans:
    """Take zeros off both ends; what is all zeros becomes empty."""
    starts = _skip_zeros(joined, spans)
    return Spans(starts, _skip_zeros_back(joined, Spans(starts, spans.ends)))


def _skip_zeros(joined: Joined, spans: Spans) -> Places:
    places = spans.starts.copy()
    left = np.arange(places.size)
    for _ in range(_MOST_ZERO_WORDS):
        zeros = _count_low_zeros(joined.read_words(places[left]))
        places[left] = np.minimum(places[left] + zeros, spans.ends[left])
        left = left[(zeros == WORD_BYTES) & (places[left] < spans.ends[left])]
        if not left.size:
            return places
    for number in left.tolist():
        start, end = int(places[number]), int(spans.ends[number])
        places[number] = end - len(joined.data[start:end].lstrip(b"\0"))
    return places


def _skip_zeros_back(joined: Joined, spans: Spans) -> Places:
    places = spans.ends.copy()
    left = np.arange(places.size)
    for _ in range(_MOST_ZERO_WORDS):
        zeros = _count_low_zeros(joined.read_numbers(places[left] - WORD_BYTES))
        places[left] = np.maximum(places[left] - zeros, spans.starts[left])
        left = left[(zeros == WORD_BYTES) & (places[left] > spans.starts[left])]
        if not left.size:
            return places
    for number in left.tolist():
        start, end = int(spans.starts[number]), int(places[number])
        places[number] = start + len(joined.data[start:end].rstrip(b"\0"))
    return places


def _count_low_zeros(words: Words) -> Places:
    """Return how many of the lowest bytes are zero, eight at most."""
    below = ~words & (words - np.uint64(1))
    zeros: Bytes = np.bitwise_count(below)
    return (zeros >> np.uint8(3)).astype(np.int64)

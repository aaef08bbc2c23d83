"""Opening many values at once finds what the definition finds in each: no field fewer."""

import base64
import json
import random
import zlib
from collections.abc import Callable, Sequence

import cramjam
import msgpack
import pytest
import rlp
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.firewall.search.fields import list_decoded, list_fields
from api.firewall.search.guesses import Guess, GuessTable, iterate_digests
from api.firewall.search.hex_runs import count_characters, iterate_hex_tokens
from api.firewall.search.joined import Joined
from api.firewall.search.matcher import Matcher
from api.firewall.search.needles import Needle, NeedleSet
from api.firewall.search.opener import Opener
from api.firewall.search.report import Hit, SearchReport
from api.firewall.search.screens import find_decodable
from api.firewall.search.searcher import Searcher

encode_rlp: Callable[..., bytes] = rlp.encode  # type: ignore[attr-defined]
pack: Callable[..., bytes] = msgpack.packb
extend: Callable[..., object] = msgpack.ExtType  # type: ignore[attr-defined]

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "RLP text": encode_rlp,
    "RLP list": lambda data: encode_rlp([data, b"x"]),
    "RLP nested": lambda data: encode_rlp([b"", [b"y", [data]], data]),
    "RLP node": lambda data: encode_rlp([data, b"\x07" * 32] * 8 + [b""]),
    "RLP long list": lambda data: encode_rlp([data] * 300),
    "RLP behind a type": lambda data: b"\x02" + encode_rlp([data]),
    "RLP behind a height": lambda data: b"\x11" * 8 + encode_rlp([data]),
    "RLP behind zeros": lambda data: bytes(8) + encode_rlp([data] * 3),
    "RLP behind both": lambda data: b"\x11" * 9 + encode_rlp([data]),
    "JSON": lambda data: json.dumps([data.hex()]).encode(),
    "JSON text": lambda data: json.dumps(data.hex()).encode() + b"\n",
    "msgpack list": lambda data: pack([1, data]),
    "msgpack map": lambda data: pack({"a": [data, -7, 2**40, 1.5, None], "b": "ü"}),
    "msgpack long": lambda data: pack([data] * 20),
    "msgpack extension": lambda data: pack([extend(5, data), extend(6, b"abcd")]),
    "hex": lambda data: data.hex().encode(),
    "0x": lambda data: b"0x" + data.hex().encode(),
    "base64": base64.b64encode,
    "base64url": base64.urlsafe_b64encode,
    "word": lambda data: data.ljust(-(-len(data) // 32) * 32, b"\0"),
    "number": lambda data: data.rjust(-(-len(data) // 32) * 32, b"\0"),
    "words": lambda data: data.rjust(-(-len(data) // 32) * 32, b"\0") + b"1963".ljust(32, b"\0"),
    "call": lambda data: b"\xde\xad\xbe\xef" + data.rjust(-(-len(data) // 32) * 32, b"\0"),
    "page": lambda data: data.ljust(300, b"\0"),
    "deflate": zlib.compress,
    "gzip": lambda data: zlib.compress(data, wbits=31),
    "snappy": lambda data: bytes(cramjam.snappy.compress_raw(data * 2)),
    "framed snappy": lambda data: bytes(cramjam.snappy.compress(data)),
    "LZ4": lambda data: bytes(cramjam.lz4.compress(data)),
    "zstandard": lambda data: bytes(cramjam.zstd.compress(data)),
}
NAMES = sorted(PACKED)
MOST_WRAPPED = 400
"""Some layers repeat what they hold hundreds of times."""
NEEDLES = NeedleSet(
    [
        Needle(label="name", value="Gößinger-Åström"),
        Needle(label="birth year", value="1963"),
        Needle(label="given name", value="美玲"),
        Needle(label="identifier", value=bytes(range(100, 132))),
    ]
)
GUESSES = GuessTable([Guess(text="12345678", label="number")])


def wrap(value: bytes, layers: list[str]) -> bytes:
    for name in layers:
        if len(value) < MOST_WRAPPED:
            value = PACKED[name](value)
    return value


def open_all(values: Sequence[bytes], short: set[bytes]) -> tuple[set[bytes], set[bytes]]:
    """Return the pieces that were told of, and the fields among `short`, of the last value."""
    pieces: set[bytes] = set()
    whole: set[bytes] = set()

    def on_pieces(told: list[bytes], marks: list[int]) -> None:
        pieces.update(
            piece for piece, mark in zip(told, marks, strict=True) if mark == len(values) - 1
        )

    def on_whole(field: bytes, mark: int) -> None:
        if mark == len(values) - 1:
            whole.add(field)

    opener = Opener(short, on_pieces, on_whole)
    for mark, value in enumerate(values):
        opener.add(value, mark)
    opener.flush()
    return pieces, whole


def check(value: bytes, *neighbours: bytes) -> None:
    everything, decoded = list_fields(value)
    fields = {field for field in everything if field}
    pieces, whole = open_all([*neighbours, value], fields)
    assert whole == fields
    assert all(any(part in piece for piece in pieces) for part in decoded)


@settings(max_examples=80)
@given(
    st.binary(max_size=48),
    st.lists(st.sampled_from(NAMES), max_size=5),
    st.lists(st.binary(max_size=70), max_size=3),
)
@example(b"1963", ["RLP list"] * 5, [b"\0" * 40])
@example(b"1963" * 4, ["msgpack list", "snappy", "base64", "RLP node"], [])
def test_value_is_opened_as_the_definition_opens_it(
    core: bytes, layers: list[str], neighbours: list[bytes]
) -> None:
    check(wrap(core, layers), *neighbours)


@settings(max_examples=80)
@given(st.binary(max_size=200), st.binary(max_size=40))
@example(b"\xd0" + b"\x81\xff" * 8, b"")
@example(b"\xf8\xff" + bytes(60), b"\xff" * 40)
@example(b"\xbf" + b"\xff" * 90, b"")
@example(b"\xff" + b"\xff" * 90, b"")
def test_bytes_of_any_kind_are_opened_as_the_definition_opens_them(
    value: bytes, neighbour: bytes
) -> None:
    check(value, neighbour)


@settings(max_examples=100)
@given(st.data())
def test_damaged_containers_are_opened_as_the_definition_opens_them(data: st.DataObject) -> None:
    value = bytearray(PACKED[data.draw(st.sampled_from(NAMES))](data.draw(st.binary(max_size=40))))
    for _ in range(data.draw(st.integers(0, 3))):
        if value:
            value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    check(bytes(value[: data.draw(st.integers(0, len(value)))]))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20)
@given(data=st.binary(min_size=2, max_size=80))
def test_what_can_be_decoded_is_chosen_for_it(name: str, data: bytes) -> None:
    value = PACKED[name](data)
    if list_decoded(value):
        joined = Joined([b"\xff" * 32, value, b"\0" * 32])
        assert 1 in find_decodable(joined, joined.spans).tolist()


@pytest.mark.parametrize("prefix", [b"", b"\x02", b"\x11" * 8, b"\x11" * 9])
def test_rlp_of_every_length_of_head_is_opened(prefix: bytes) -> None:
    for size in (2, 3, *range(50, 59), 254, 255, 256, 257):
        text = (b"ab" * size)[:size]
        check(prefix + encode_rlp(text))
        check(prefix + encode_rlp([text[1:]]))
        check(prefix + encode_rlp([text, b"", [text]]))


@pytest.mark.parametrize(
    "value",
    [
        *(extend(5, b"a" * size) for size in (1, 2, 3, 4, 8, 16, 300, 70_000)),
        *("ab" * size for size in (1, 15, 16, 128, 40_000)),
        *(b"a" * size for size in (1, 255, 256, 70_000)),
        *(sign * 2**bits for bits in (0, 7, 8, 15, 16, 31, 32, 62) for sign in (1, -1)),
        *([7] * size for size in (0, 1, 15, 16, 70_000)),
        *(dict.fromkeys(range(size), "a") for size in (1, 15, 16, 70_000)),
        *(None, True, False, 1.5),
    ],
)
def test_msgpack_of_every_kind_is_chosen_for_its_decoder(value: object) -> None:
    for data in (pack([value, b"found"]), pack({"x": [value], "y": value}), pack([[[value]]])):
        joined = Joined([b"\xff" * 9, data, b"\x01" * 9])
        assert 1 in find_decodable(joined, joined.spans).tolist()


def test_matcher_of_many_strings_finds_each() -> None:
    chance = random.Random(5)
    strings = [chance.randbytes(chance.randrange(6, 40)) for _ in range(20_000)]
    data = b"".join(strings)
    found = set(Matcher(strings).find(data))
    place = 0
    for number, string in enumerate(strings):
        assert (place, number) in found
        place += len(string)


def test_lists_are_walked_together_and_alone_alike() -> None:
    chance = random.Random(7)
    values = [
        PACKED[name](chance.randbytes(chance.randrange(1, 40)))
        for name in NAMES
        if name.startswith("RLP")
        for _ in range(60)
    ]
    broken = [value[:-3] + b"\xbf\xff\xff" for value in values]
    for last in range(0, len(values), 53):
        check(values[last], *values, *broken)
        check(broken[last], *values, *broken)


@pytest.mark.parametrize(("layers", "is_found"), [(8, True), (9, False)])
def test_streams_in_one_another_are_opened_eight_deep(layers: int, is_found: bool) -> None:
    value = random.Random(3).randbytes(40)
    innermost = value
    for _ in range(layers):
        value = zlib.compress(value)
    pieces, _ = open_all([value], set())
    assert (innermost in pieces) is is_found


def test_stream_that_opens_to_much_is_searched_at_once() -> None:
    opened_size = 1 << 22
    told: list[int] = []
    opener = Opener(set(), lambda pieces, _marks: told.append(sum(map(len, pieces))), print)
    for mark in range(3):
        opener.add(zlib.compress(bytes(opened_size) + b"%d" % mark), mark)
    opener.flush()
    assert [size for size in told if size > opened_size] == [opened_size + 1] * 3


def test_most_random_fields_need_no_decoder() -> None:
    chance = random.Random(11)
    joined = Joined([chance.randbytes(32) for _ in range(20_000)])
    assert find_decodable(joined, joined.spans).size < 150


def search_slowly(values: Sequence[bytes]) -> set[tuple[str, str]]:
    """Return labels and encodings by the definitions alone, value by value, string by string."""
    found = set()
    digests = dict(enumerate(iterate_digests(b"12345678")))
    for value in values:
        everything, decoded = list_fields(value)
        found |= {
            (whole[0].label, whole[1]) for part in everything if (whole := NEEDLES.find_whole(part))
        }
        for part in decoded:
            for number, form in enumerate(NEEDLES.matcher.strings):
                if form in part:
                    needle, encoding = NEEDLES.get_long(number)
                    found.add((needle.label, encoding))
            found |= {
                GUESSES.describe(number) for number, digest in digests.items() if digest[:8] in part
            }
    return found


FORMS = sorted({*NEEDLES.matcher.strings, *NEEDLES.short, *iterate_digests(b"12345678")})


@settings(max_examples=80)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(FORMS),
            st.lists(st.sampled_from(NAMES), max_size=3),
            st.binary(max_size=9),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_search_finds_what_a_slow_search_finds(
    parts: list[tuple[bytes, list[str], bytes]],
) -> None:
    values = []
    for form, layers, beside in parts:
        values.append(wrap(form + beside if len(beside) % 2 else form, layers))
    report = SearchReport()
    searcher = Searcher(NEEDLES, report, GUESSES)
    for number, value in enumerate(values):
        searcher.search(value, store="store", place=f"value {number}")
    searcher.flush()
    assert {(hit.label, hit.encoding) for hit in report.hits} == search_slowly(values)


@settings(max_examples=100)
@given(st.binary(max_size=200), st.sampled_from(FORMS), st.binary(max_size=200))
def test_matcher_finds_what_a_slow_search_finds(before: bytes, form: bytes, after: bytes) -> None:
    data = before + form + after
    matcher = Matcher(NEEDLES.matcher.strings)
    slow = {
        (place, number)
        for number, string in enumerate(matcher.strings)
        for place in range(len(data))
        if data.startswith(string, place)
    }
    assert set(matcher.find(data)) == slow


@given(st.lists(st.sampled_from([b"a", b"F", b"7", b"q", b"!", b"0f" * 9, b"zZ" * 17])))
def test_runs_of_digits_are_measured_one_by_one_alike(parts: list[bytes]) -> None:
    data = b"".join(parts)
    digits = runs = 0
    for token in data.replace(b"!", b" ").split():
        runs += len(token) if len(token) >= 32 else 0
    for token in data.translate(bytes.maketrans(b"q!zZ", b"    ")).split():
        digits += len(token) if len(token) >= 16 else 0
    assert count_characters(data) == (digits, max(0, runs - digits))
    tokens = [t for t in data.translate(bytes.maketrans(b"q!zZ", b"    ")).split() if len(t) >= 32]
    assert list(iterate_hex_tokens(data, 32)) == tokens


def test_hits_of_one_place_are_told_once_with_their_place() -> None:
    report = SearchReport()
    searcher = Searcher(NEEDLES, report)
    for place in ("first", "second", "first"):
        searcher.search(encode_rlp([b"1963"]), store="chain", place=place)
    searcher.flush()
    assert report.hits == [
        Hit(store="chain", place=place, label="birth year", encoding="utf-8 composed")
        for place in ("first", "second")
    ]

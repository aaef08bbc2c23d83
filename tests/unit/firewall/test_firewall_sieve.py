"""What is told apart fast is what opening would tell: what holds something is not passed by."""

import base64
import json
import secrets
import zlib
from collections.abc import Callable
from typing import Any

import cramjam
import msgpack
import pytest
import rlp
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.firewall.search.containers import is_like_stream, iterate_streams
from api.firewall.search.fields import SMALL, list_fields
from api.firewall.search.sieve import FieldSieve, find_openable

encode_rlp: Callable[..., bytes] = rlp.encode  # type: ignore[attr-defined]
pack: Callable[..., bytes] = msgpack.packb

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "RLP text": encode_rlp,
    "RLP list": lambda data: encode_rlp([data, b"x"]),
    "RLP behind a type": lambda data: b"\x02" + encode_rlp([data]),
    "RLP behind a height": lambda data: b"\x11" * 8 + encode_rlp([data]),
    "RLP behind both": lambda data: b"\x11" * 9 + encode_rlp([data]),
    "JSON": lambda data: json.dumps([data.hex()]).encode(),
    "JSON text": lambda data: json.dumps(data.hex()).encode() + b"\n",
    "msgpack list": lambda data: pack([1, data]),
    "msgpack map": lambda data: pack({"a": data}),
    "hex": lambda data: data.hex().encode(),
    "0x": lambda data: b"0x" + data.hex().encode(),
    "base64": base64.b64encode,
    "base64url": base64.urlsafe_b64encode,
    "word": lambda data: data.ljust(32, b"\0"),
    "number": lambda data: data.rjust(32, b"\0"),
    "call": lambda data: b"\xde\xad\xbe\xef" + data.rjust(32, b"\0"),
    "deflate": zlib.compress,
    "gzip": lambda data: zlib.compress(data, wbits=31),
    "snappy": lambda data: bytes(cramjam.snappy.compress_raw(data * 2)),
    "framed snappy": lambda data: bytes(cramjam.snappy.compress(data)),
    "LZ4": lambda data: bytes(cramjam.lz4.compress(data)),
    "zstandard": lambda data: bytes(cramjam.zstd.compress(data)),
}


@pytest.mark.parametrize("name", PACKED)
@settings(max_examples=40)
@given(data=st.binary(min_size=9, max_size=20))
def test_what_holds_something_is_opened(name: str, data: bytes) -> None:
    small = PACKED[name](data)
    if len(small) <= SMALL and len(list_fields(small)[0]) > 1:
        assert find_openable([secrets.token_bytes(32), small]).count(1)


@given(st.binary(min_size=2, max_size=SMALL))
@example(b"\xd0" + b"\x81\xff" * 8)
def test_what_is_passed_by_holds_nothing(data: bytes) -> None:
    if not find_openable([data]):
        assert list_fields(data) == ([data], [data])


@given(st.binary(min_size=1, max_size=300), st.integers(1, 3))
def test_what_snappy_packs_is_like_a_stream(data: bytes, times: int) -> None:
    packed = bytes(cramjam.snappy.compress_raw(data * times))
    if data * times in list(iterate_streams(packed)):
        assert is_like_stream(packed)


def test_sieve_tells_of_every_field_with_its_mark() -> None:
    told: list[tuple[Any, list[bytes], list[bytes]]] = []
    sieve = FieldSieve(lambda *given: told.append(given))
    first, word = secrets.token_bytes(31) + b"\1", b"1963".ljust(32, b"\0")
    sieve.waiting += [first]
    sieve.mark("a")
    sieve.mark("nothing was added")
    sieve.waiting += [word, b"0x31393633"]
    sieve.mark("b")
    sieve.flush()
    sieve.flush()
    assert told[:2] == [("a", [first], []), ("b", [word, b"0x31393633"], [])]
    assert ("b", [b"1963"], []) in told
    assert ("b", [b"1963"], [b"1963"]) in told
    assert not any(mark == "a" for mark, *_ in told[1:])


def test_most_random_fields_are_not_opened() -> None:
    fields = [secrets.token_bytes(32) for _ in range(20_000)]
    assert len(find_openable(fields)) < 2_000

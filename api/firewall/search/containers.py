"""Opening what wraps bytes: compressed streams, and the files of LevelDB themselves.

A search through LevelDB's own reading sees the living records only. What was overwritten or deleted
stays in older tables until they are merged, compressed, so that neither that search nor one of the
raw file finds it. Therefore tables (``.ldb``, ``.sst``) are also taken apart block by block, and
the log of writes record by record, as the format of LevelDB describes.

Compressed streams are tried wherever a value begins like one: gzip, zlib, raw snappy as LevelDB and
the Ethereum wire protocol use it, framed snappy, LZ4 and zstandard frames.
"""

import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import cramjam

MAX_OPENED: Final = 64 * 1024 * 1024
"""Bytes of one opened stream; the rest of it is not searched."""

TABLE_MAGIC: Final = bytes.fromhex("57fb808b247547db")
"""The last eight bytes of a LevelDB table."""

_FOOTER = 48
_TRAILER = 5
_SNAPPY = 1
_LOG_BLOCK = 32_768
_LOG_HEADER = 7
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_GZIP: Final = b"\x1f\x8b"
_SNAPPY_FRAME: Final = b"\xff\x06\x00\x00sNaPpY"
_LZ4_FRAME: Final = b"\x04\x22\x4d\x18"
_ZSTD_FRAME: Final = b"\x28\xb5\x2f\xfd"
STREAM_FIRST_BYTES: Final = frozenset((_GZIP[0], _SNAPPY_FRAME[0], _LZ4_FRAME[0], _ZSTD_FRAME[0]))
LEAST_SNAPPY = 12
_LONG_LITERAL = 60 << 2
_MOST_ELEMENTS = 8
_SNAPPY_WIDTHS = (0, 1, 2, 4)
"""Bytes behind a tag that say how far back a copy begins: none for a literal."""
_LONG_SNAPPY = 256
"""Bytes of the shortest data that open to 2^14 bytes and more."""
MOST_RATIO = 64


def iterate_streams(data: bytes) -> Iterator[bytes]:
    """Yield what a value holds if it begins like a compressed stream; usually nothing."""
    if len(data) < LEAST_SNAPPY:
        return
    if data[:2] == _GZIP:
        yield from _inflate(data, 31)
    elif data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0:
        yield from _inflate(data, 15)
    elif data.startswith(_SNAPPY_FRAME):
        with suppress(cramjam.DecompressionError):
            yield bytes(cramjam.snappy.decompress(data))
    elif data.startswith(_LZ4_FRAME):
        with suppress(cramjam.DecompressionError):
            yield bytes(cramjam.lz4.decompress(data))
    elif data.startswith(_ZSTD_FRAME):
        with suppress(cramjam.DecompressionError):
            yield bytes(cramjam.zstd.decompress(data))
    yield from _unsnap(data)


def is_like_stream(data: bytes) -> bool:
    """Say whether a value can be a compressed stream, by how it begins; most random ones cannot."""
    size = len(data)
    if size < LEAST_SNAPPY:
        return False
    first, second = data[0], data[1]
    if first in STREAM_FIRST_BYTES or (first & 0x0F == 8 and (first << 8 | second) % 31 == 0):
        return True
    if first < 0x80:
        return is_like_snappy(data, first, 1)
    if second < 0x80:
        return is_like_snappy(data, first & 0x7F | second << 7, 2)
    return size >= _LONG_SNAPPY


def is_like_snappy(data: bytes, length: int, place: int) -> bool:
    """Say whether raw snappy of an opened length can go on at a place: its first elements.

    Random bytes come no further than the second of them: a copy can only be of what is there.
    """
    size = len(data)
    if (
        not LEAST_SNAPPY <= length <= size * MOST_RATIO
        or size - place > length + length // 6 + 32
        or data[place] & 3
    ):
        return False
    done = 0
    for _ in range(_MOST_ELEMENTS):
        if place >= size or done >= length:
            return place == size and done == length
        tag = data[place]
        kind = tag & 3
        if tag >= _LONG_LITERAL and not kind:
            return True
        width = _SNAPPY_WIDTHS[kind]
        back = int.from_bytes(data[place + 1 : place + 1 + width], "little")
        if kind == 1:
            back |= (tag >> 5) << 8
            done += (tag >> 2 & 7) + 4
        else:
            done += (tag >> 2) + 1
        if kind and not 0 < back < done:
            return False
        place += 1 + (width if kind else (tag >> 2) + 1)
    return True


def iterate_table_blocks(data: bytes) -> Iterator[bytes]:
    """Yield the blocks of a LevelDB table, uncompressed: living, overwritten and deleted records.

    Nothing for what is no table, or is cut off.
    """
    if len(data) < _FOOTER or not data.endswith(TABLE_MAGIC):
        return
    place = len(data) - _FOOTER
    try:
        for _ in range(2):  # of the metadata's index, which is of no interest: offset, size
            _, place = _read_varint(data, place)
        offset, place = _read_varint(data, place)
        size, _ = _read_varint(data, place)
        index = _read_block(data, offset, size)
        for handle in _iterate_entries(index):
            offset, place = _read_varint(handle, 0)
            size, _ = _read_varint(handle, place)
            yield _read_block(data, offset, size)
    except (IndexError, ValueError, cramjam.DecompressionError):
        return


def iterate_log_records(data: bytes) -> Iterator[bytes]:
    """Yield the records of a LevelDB log, put together again; a torn end is left out."""
    parts: list[bytes] = []
    for start in range(0, len(data), _LOG_BLOCK):
        block = data[start : start + _LOG_BLOCK]
        place = 0
        while place + _LOG_HEADER <= len(block):
            length = int.from_bytes(block[place + 4 : place + 6], "little")
            kind = block[place + 6]
            body = block[place + _LOG_HEADER : place + _LOG_HEADER + length]
            place += _LOG_HEADER + length
            if kind == _FULL:
                yield body
            elif kind == _FIRST:
                parts = [body]
            elif kind in {_MIDDLE, _LAST}:
                parts.append(body)
                if kind == _LAST:
                    yield b"".join(parts)
                    parts = []
            else:
                break


def _inflate(data: bytes, window_bits: int) -> Iterator[bytes]:
    inflater = zlib.decompressobj(window_bits)
    with suppress(zlib.error):
        opened = inflater.decompress(data, MAX_OPENED)
        if opened:
            yield opened


def _unsnap(data: bytes) -> Iterator[bytes]:
    """Yield raw snappy that fills the data; nearly all other bytes fail at the length."""
    try:
        length, place = _read_varint(data[:6], 0)
    except IndexError:
        return
    if not len(data) - place <= length + length // 6 + 32:
        return
    if not LEAST_SNAPPY <= length <= min(MAX_OPENED, len(data) * MOST_RATIO):
        return
    with suppress(cramjam.DecompressionError, ValueError):
        opened = bytes(cramjam.snappy.decompress_raw(data))
        if len(opened) == length:
            yield opened


def _read_block(data: bytes, offset: int, size: int) -> bytes:
    body = data[offset : offset + size]
    if len(body) != size or offset + size + _TRAILER > len(data):
        raise IndexError(offset)
    if data[offset + size] == _SNAPPY:
        return bytes(cramjam.snappy.decompress_raw(body))
    return body


def _iterate_entries(block: bytes) -> Iterator[bytes]:
    """Yield the values of a block's entries."""
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (restarts + 1)
    place = 0
    while place < end:
        _, place = _read_varint(block, place)  # what the key shares with the one before
        unshared, place = _read_varint(block, place)
        length, place = _read_varint(block, place)
        place += unshared
        yield block[place : place + length]
        place += length


def _read_varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
        if shift > 63:
            raise ValueError(place)

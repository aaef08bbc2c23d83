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
STREAM_HEADS: Final = (_GZIP, _SNAPPY_FRAME[:4], _LZ4_FRAME, _ZSTD_FRAME)
"""The first bytes, four at most, of the streams that have a mark."""
LEAST_SNAPPY = 12
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

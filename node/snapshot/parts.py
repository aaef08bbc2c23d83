"""The parts of a state in chunks: framing on writing, checking on reading.

    state chunk = (length (4 bytes, big-endian), part)*
    end chunk   = number of parts (8 bytes, big-endian)

Which part is a node, an address or code follows from the walk alone; a reader asks for the next
part by its hash.
"""

from collections.abc import Iterator
from typing import Final

from eth_hash.auto import keccak

from consensus.types import Address, Hash32
from node.snapshot.chunks import ChunkKind, ChunkReader, ChunkWriter
from node.snapshot.errors import SnapshotRefused

_LENGTH_BYTES: Final = 4
_COUNT_BYTES: Final = 8
_CHUNK_BYTES: Final = 512 * 1024


class PartWriter:
    """Gathers parts into chunks."""

    def __init__(self, chunks: ChunkWriter) -> None:
        """Write to `chunks`, after all other kinds."""
        self._chunks = chunks
        self._waiting: list[bytes] = []
        self._size = 0
        self.count = 0
        """Parts written so far."""

    def write(self, part: bytes) -> None:
        """Append a part."""
        self._waiting += (len(part).to_bytes(_LENGTH_BYTES, "big"), part)
        self._size += _LENGTH_BYTES + len(part)
        self.count += 1
        if self._size >= _CHUNK_BYTES:
            self._flush()

    def finish(self) -> None:
        """Write what waits, and the end."""
        if self._waiting:
            self._flush()
        self._chunks.write(ChunkKind.END, self.count.to_bytes(_COUNT_BYTES, "big"))

    def _flush(self) -> None:
        self._chunks.write(ChunkKind.STATE, b"".join(self._waiting))
        self._waiting.clear()
        self._size = 0


class PartReader:
    """A `StateSource` over a file: gives the next part if it has the hash that is asked for."""

    def __init__(self, chunks: ChunkReader) -> None:
        """Read from `chunks`, whose other kinds have been read."""
        self._chunks = chunks
        self._parts = self._split()
        self._claimed = -1
        self.count = 0
        """Parts read so far."""

    def get_node(self, owner: Address | None, node_hash: bytes) -> bytes:
        """Return the encoding of a node; raises SnapshotRefused."""
        what = "account node" if owner is None else f"storage node of 0x{owner.hex()}"
        return self._take(node_hash, what)

    def get_address(self, key: str) -> Address:
        """Return the address whose hash is `key`; raises SnapshotRefused."""
        return Address(self._take(bytes.fromhex(key), "address"))

    def get_code(self, code_hash: Hash32) -> bytes:
        """Return contract code; raises SnapshotRefused."""
        return self._take(code_hash, "code")

    def finish(self) -> None:
        """Refuse parts that the walk did not ask for, and a wrong count."""
        if next(self._parts, None) is not None:
            raise SnapshotRefused(f"state part {self.count + 1}", "belongs to no account")
        if self._claimed != self.count:
            raise SnapshotRefused("end", f"counts {self._claimed} parts, there are {self.count}")

    def _take(self, wanted: bytes, what: str) -> bytes:
        part = next(self._parts, None)
        if part is None:
            raise SnapshotRefused("state", f"ends after {self.count} parts, before its {what}")
        self.count += 1
        if keccak(part) != wanted:
            raise SnapshotRefused(
                f"state part {self.count}",
                f"is not the {what} 0x{wanted.hex()} that the parts before it name",
            )
        return part

    def _split(self) -> Iterator[bytes]:
        while True:
            kind, payload = self._chunks.read()
            if kind is ChunkKind.END:
                if len(payload) != _COUNT_BYTES:
                    raise SnapshotRefused("end", "is not a count")
                self._claimed = int.from_bytes(payload, "big")
                return
            if kind is not ChunkKind.STATE:
                raise SnapshotRefused(
                    f"chunk {self._chunks.number}", f"is {kind.name} where STATE belongs"
                )
            position = 0
            while position < len(payload):
                start = position + _LENGTH_BYTES
                position = start + int.from_bytes(payload[position:start], "big")
                if position > len(payload):
                    raise SnapshotRefused(
                        f"chunk {self._chunks.number}", "ends within a part of the state"
                    )
                yield payload[start:position]

r"""A record of every decrypted frame, so that "nothing personal travels" can be checked.

The demonstration searches what its nodes exchanged before encryption. A tapped node appends every
frame, sent or received, to one file, each behind a line of its own:

    <direction> <peer's pin, 16 hex digits> <length of the body>\n<body>\n

The body is in the file as it is, so that a plain search of the file finds what a frame holds.
Settings refuse a tap anywhere but on loopback.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from node.errors import UserFault

SENT = "sent"
RECEIVED = "received"


@dataclass(frozen=True, slots=True, kw_only=True)
class TapRecord:
    """One frame as it was written."""

    direction: str
    """`sent` or `received`."""

    peer: str
    """First 16 hex digits of the peer's pin."""

    body: bytes
    """The frame's msgpack body."""


class FrameTap:
    """Appends frames to a file."""

    def __init__(self, path: Path) -> None:
        """Open the file for appending. Raises UserFault if that fails."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: what a node sent before it was killed is in the file.
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise UserFault(
                f"{path} cannot be written: {error.strerror}", field="network.tap"
            ) from error

    def write(self, direction: str, peer_pin: bytes, body: bytes) -> None:
        """Append one frame."""
        head = f"{direction} {peer_pin.hex()[:16]} {len(body)}\n".encode()
        self._file.write(head + body + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_tap(path: Path) -> Iterator[TapRecord]:
    """Read a tap's file; a record cut off at the end (a killed node) is left out."""
    with path.open("rb") as file:
        while head := file.readline():
            parts = head.split()
            if len(parts) != 3 or not parts[2].isdigit():
                return
            body = file.read(int(parts[2]))
            if len(body) < int(parts[2]) or file.read(1) != b"\n":
                return
            yield TapRecord(direction=parts[0].decode(), peer=parts[1].decode(), body=body)

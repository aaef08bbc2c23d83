"""Whether a validator ever signed two things for one place, in all its lives.

Nodes detect who contradicts himself in front of them, but what a validator says to nobody but a
dead node is seen by nobody. So each node writes down all that it sends before encryption
(`node.network.tap`), each life in a file of its own, and afterwards everything is read.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from consensus.errors import PeerFault
from consensus.messages import decode_message, get_author, get_height, get_round
from consensus.payloads import MessageCode
from consensus.sign_state import STEP_OF_CODE, Step
from node.network.frames import Consensus, decode_frame
from node.network.tap import SENT, read_tap
from tests.soak.findings import Finding, Kind

TAP_FILE = "traffic.bin"
SENT_FOLDER = "sent"

Place = tuple[int, int, Step]


@dataclass(slots=True)
class SignedWords:
    """All that was signed, by validator and place (height, round, step)."""

    said: dict[tuple[bytes, Place], bytes] = field(default_factory=dict)
    """The digest of what was signed."""
    findings: list[Finding] = field(default_factory=list)

    def note(self, author: bytes, place: Place, signed: bytes) -> None:
        """Note what a validator signed; saying it again is no contradiction."""
        digest = hashlib.sha256(signed).digest()
        if self.said.setdefault((author, place), digest) != digest:
            height, round_number, step = place
            text = (
                f"0x{author.hex()} signed two different messages: {step.name} at height {height}, "
                f"round {round_number}"
            )
            self.findings.append(Finding(kind=Kind.FORKED, text=text))


def keep_sent(node_folder: Path) -> None:
    """Put what a node's last life sent aside, before its next life begins."""
    tap = node_folder / TAP_FILE
    if tap.exists():
        kept = node_folder / SENT_FOLDER
        kept.mkdir(exist_ok=True)
        tap.rename(kept / f"{len(list(kept.iterdir())):04}.bin")


def list_taps(node_folder: Path) -> list[Path]:
    """Return the files of all lives of a node, the running one's last."""
    taps = [*sorted((node_folder / SENT_FOLDER).glob("*.bin")), node_folder / TAP_FILE]
    return [tap for tap in taps if tap.exists()]


def read_signed_words(taps: Iterable[Path]) -> SignedWords:
    """Read all that was sent, whoever signed it: nodes pass on what others say."""
    words = SignedWords()
    seen: set[bytes] = set()
    for code, payload in _read_consensus(taps):
        mark = hashlib.sha256(payload).digest()
        if mark in seen:
            continue
        seen.add(mark)
        try:
            message = decode_message(code, payload)
        except PeerFault as error:
            text = f"a message was sent that cannot be read: {error}"
            words.findings.append(Finding(kind=Kind.FORKED, text=text))
            continue
        place = (int(get_height(message)), int(get_round(message)), STEP_OF_CODE[MessageCode(code)])
        words.note(get_author(message), place, message.signed.payload_rlp)
    return words


def _read_consensus(taps: Iterable[Path]) -> Iterator[tuple[int, bytes]]:
    for tap in taps:
        for record in read_tap(tap):
            if record.direction == SENT and len(record.body) >= 2:
                frame = decode_frame(record.body)
                if isinstance(frame, Consensus):
                    yield frame.code, frame.payload

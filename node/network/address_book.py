"""Where each trusted peer can be called, and when to try again.

Addresses come from invites and the registry (the directory), from what a peer says when it
connects, and from other trusted peers. None of them is believed: an address only says where to
call; who answers is proved by TLS. A few addresses are kept for each pin, the best first, and for
trusted pins only, so that no peer can fill this memory.
"""

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from node.network.ports import PeerAddress

_MAX_ADDRESSES = 4
_MAX_ENTRIES = 256


@dataclass(slots=True)
class _Entry:
    addresses: list[PeerAddress] = field(default_factory=list)
    failures: int = 0
    due_s: float = 0.0


class AddressBook:
    """Addresses by pin, with a wait after each failed call: doubled, with jitter."""

    def __init__(self, *, base_s: float, max_s: float, rng: random.Random) -> None:
        self._base_s = base_s
        self._max_s = max_s
        self._rng = rng
        self._entries: dict[bytes, _Entry] = {}

    def learn(self, pin: bytes, address: PeerAddress, *, proven: bool = False) -> None:
        """Note an address; one that has just worked goes first."""
        entry = self._entries.setdefault(pin, _Entry())
        if address in entry.addresses:
            if not proven:
                return
            entry.addresses.remove(address)
        if proven:
            entry.addresses.insert(0, address)
        elif len(entry.addresses) < _MAX_ADDRESSES:
            entry.addresses.append(address)
        else:
            entry.addresses[-1] = address
        del entry.addresses[_MAX_ADDRESSES:]

    def get_addresses(self, pin: bytes) -> tuple[PeerAddress, ...]:
        """Return what is known, best first."""
        entry = self._entries.get(pin)
        return tuple(entry.addresses) if entry else ()

    def take_due(self, pin: bytes, now_s: float) -> PeerAddress | None:
        """Return the address to call now, or None if it is too early or none is known.

        After each failure the next address of the list has its turn.
        """
        entry = self._entries.get(pin)
        if entry is None or not entry.addresses or entry.due_s > now_s:
            return None
        return entry.addresses[entry.failures % len(entry.addresses)]

    def note_failure(self, pin: bytes, now_s: float) -> float:
        """Note that a call failed; return the wait until the next one (seconds)."""
        entry = self._entries.setdefault(pin, _Entry())
        longest_s = min(self._max_s, self._base_s * 2.0 ** min(entry.failures, 16))
        wait_s = longest_s * (0.5 + self._rng.random() / 2)
        entry.failures += 1
        entry.due_s = now_s + wait_s
        return wait_s

    def note_success(self, pin: bytes, now_s: float) -> None:
        """Note that the peer was admitted; after a loss it is called again after a short wait."""
        entry = self._entries.setdefault(pin, _Entry())
        entry.failures = 0
        entry.due_s = now_s + self._base_s

    def expedite(self, pin: bytes) -> None:
        """Call this peer as soon as possible: something has changed for it."""
        if pin in self._entries:
            self._entries[pin].due_s = 0.0

    def forget(self, trusted: Iterable[bytes]) -> None:
        """Keep the entries of these pins only, once there are many others.

        A pin of an earlier run may be trusted again as soon as the registry has been read.
        """
        if len(self._entries) <= _MAX_ENTRIES:
            return
        keep = frozenset(trusted)
        for pin in [pin for pin in self._entries if pin not in keep]:
            del self._entries[pin]

    def save(self, path: Path) -> None:
        """Write the addresses for the next run."""
        document = {
            pin.hex(): [[address.host, address.port] for address in entry.addresses]
            for pin, entry in sorted(self._entries.items())
            if entry.addresses
        }
        temporary = path.with_name(path.name + ".new")
        temporary.write_text(json.dumps(document, indent=1), encoding="utf-8")
        temporary.replace(path)

    def load(self, path: Path) -> None:
        """Read what an earlier run saved; a missing or unreadable file is an empty one.

        The book is a convenience that is made again from the network, never a reason to stop.
        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            for pin, addresses in document.items():
                for host, port in addresses[:_MAX_ADDRESSES]:
                    if 0 < int(port) <= 65_535:
                        self.learn(bytes.fromhex(pin), PeerAddress(host=str(host), port=int(port)))
        except (OSError, ValueError, AttributeError, TypeError):
            return

"""Whom this node connects to: the pins of the registry at its own head, and the operator's invites.

The registry is the agencies' decision; an invite is the operator's. A new node has no chain yet and
so no registry to read, which is what invites are for. An invite speaks for keys that the registry
does not know; once the registry has ended a pin, its word counts, so that a stolen key can be
withdrawn by one vote and not at every node's settings. There is one exception: if so many pins have
run out that no quorum of validators could meet any more, nobody could vote a new one in, and the
invites count again.

The network asks at every head and wants the answer from memory, so the tables are read in the
worker thread after each block that changed them.
"""

from collections.abc import Mapping, Sequence

from eth_typing import Hash32

from consensus.quorum import compute_quorum
from node.chain.registry import RegistryTables
from node.network import TrustedPeer


class RegistryDirectory:
    """A `PeerDirectory` over the registry's tables and some invites."""

    def __init__(self, *, invited: Sequence[TrustedPeer], own_pin: Hash32) -> None:
        self._invited = tuple(invited)
        self._own_pin = own_pin
        self._trusted: Mapping[Hash32, TrustedPeer] = {peer.pin: peer for peer in invited}

    def get_trusted_peers(self) -> Mapping[Hash32, TrustedPeer]:
        """Return the peers trusted now, by pin."""
        return self._trusted

    def update(self, tables: RegistryTables, *, timestamp_s: int) -> bool:
        """Take over the registry at a block with this timestamp; return whether anything changed.

        An agency that is suspended keeps its connections only while it still has a validator:
        consensus needs to hear every validator, whatever its agency may otherwise do.
        """
        trusted: dict[Hash32, TrustedPeer] = {}
        invited = {peer.pin: peer for peer in self._invited}
        for pin in tables.pins:
            agency = tables.agencies.get(pin.agency_id)
            if agency is None or not pin.is_valid_at(timestamp_s):
                continue
            validators = tables.get_validators_of(pin.agency_id)
            if not agency.is_active and not validators:
                continue
            hint = invited.get(pin.fingerprint)
            trusted[pin.fingerprint] = TrustedPeer(
                pin=pin.fingerprint,
                label=agency.label,
                # The pin says whose node it is. The key that signs its handshake may be one that
                # the registry does not know yet: a validator joins before it is voted in.
                signers=None,
                addresses=hint.addresses if hint is not None else (),
            )
        ended = {pin.fingerprint for pin in tables.pins if pin.has_ended_at(timestamp_s)}
        if not _can_meet(tables, timestamp_s):
            ended = set()
        for fingerprint, peer in invited.items():
            if fingerprint not in ended:
                trusted.setdefault(fingerprint, peer)
        trusted.pop(self._own_pin, None)
        changed = trusted != self._trusted
        self._trusted = trusted
        return changed


def _can_meet(tables: RegistryTables, timestamp_s: int) -> bool:
    """Tell whether a quorum of validators have a node whose pin is valid."""
    reachable = {pin.agency_id for pin in tables.pins if pin.is_valid_at(timestamp_s)}
    present = sum(agency_id in reachable for agency_id in tables.validators.values())
    return present >= compute_quorum(max(1, len(tables.validators)))

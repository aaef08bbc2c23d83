"""Whom this node connects to: the pins of the registry at its own head, and the operator's invites.

The registry is the agencies' decision; an invite is the operator's. A new node has no chain yet and
so no registry to read, which is what invites are for. They stay in force afterwards, because an
operator put them into the settings by hand and takes them out the same way.

The network asks at every head and wants the answer from memory, so the tables are read in the
worker thread after each block that changed them.
"""

from collections.abc import Mapping, Sequence

from eth_typing import Hash32

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
        for fingerprint, peer in invited.items():
            trusted.setdefault(fingerprint, peer)
        trusted.pop(self._own_pin, None)
        changed = trusted != self._trusted
        self._trusted = trusted
        return changed

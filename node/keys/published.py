"""Published test keys work on loopback only.

The committed genesis.json names agencies whose keys are derived in the open, so that anybody can
try the project. On any other address such a key would let everybody sign as that agency.
"""

from collections.abc import Iterable

from eth_typing import Address, Hash32

from contracts.testkeys import is_published, is_published_pin
from node.keys.errors import PublishedKey
from node.settings import is_loopback


def refuse_published_keys(
    keys: Iterable[tuple[str, Address]], host: str, *, pins: Iterable[tuple[str, Hash32]] = ()
) -> None:
    """Raise PublishedKey if a published key would be used while listening on `host`.

    `keys` and `pins` are pairs of what the key is (a setting or a file, for the message) and its
    address or its TLS pin.
    """
    if is_loopback(host):
        return
    for what, address in keys:
        if is_published(address):
            raise PublishedKey(what, host)
    for what, pin in pins:
        if is_published_pin(pin):
            raise PublishedKey(what, host)

"""TLS in which both sides are authenticated against one known certificate each.

A context is made for one peer: TLS 1.3 only, our certificate to show, the peer's certificate as
the only trust anchor, and no session tickets, so that no connection escapes the check by resuming
an old one. Contexts are kept while the directory stays as it is and rebuilt when it changes.
"""

import ssl
from typing import Final

from node.keys.tls import TlsIdentity

_MAX_CONTEXTS: Final = 256


class TlsContexts:
    """Makes and keeps the contexts of one node. Only the event loop uses it."""

    def __init__(self, identity: TlsIdentity) -> None:
        self._identity = identity
        self._contexts: dict[tuple[bytes, bool], ssl.SSLContext] = {}

    def get(self, peer_certificate: bytes, *, server: bool) -> ssl.SSLContext:
        """Return the context for a peer's certificate (DER), for the given side of TLS."""
        key = (peer_certificate, server)
        context = self._contexts.get(key)
        if context is None:
            if len(self._contexts) >= _MAX_CONTEXTS:
                self._contexts.clear()
            context = self._contexts[key] = self._make(peer_certificate, server=server)
        return context

    def clear(self) -> None:
        """Forget all contexts: whom to trust has changed."""
        self._contexts.clear()

    def _make(self, peer_certificate: bytes, *, server: bool) -> ssl.SSLContext:
        side = ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT
        context = ssl.SSLContext(side)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False  # a peer is its key; its address may change
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
        if server:
            context.num_tickets = 0
        context.load_cert_chain(self._identity.certificate_file, self._identity.key_file)
        context.load_verify_locations(cadata=peer_certificate)
        return context

"""Credentials in the formats that others read: SD-JWT VC and W3C Verifiable Credentials 2.0.

The file of :mod:`atesta_client.credentials` proves itself against the ledger. Wallets and verifiers
elsewhere expect a token that the issuer signed instead. A credential is exported only where nothing
is lost or takes on another meaning; what cannot be mapped is refused, and the refusal names the
field or claim. An export carries the ledger's record, so that both proofs hold: the issuer's
signature for those who know its key, and the commitment for those who have a node.
"""

"""Publishing a credential on another ledger: the resident's act, kept as evidence.

A credential of a jurisdiction's own ledger is unknown on the other side. Its holder may ask for it
to be published on a ledger that both sides hold. The request is signed with the holder's key over
the credential, both ledgers, a nonce and the time; without it nothing is published. The issuer then
makes the same document a credential of that ledger, with a fresh uid and fresh salts, so that
nothing on either ledger links the two. The signed request stays in the vault with the published
credential, and can be checked for as long as both stand.
"""

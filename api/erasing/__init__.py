"""Erasing what the ledger knows of: first the tombstone on the chain, then the vault's epoch.

The vault's half, which makes every copy unreadable, is `api.vault.erasure`. Here is the whole: an
order is made durable, the ledger's record is marked as erased, and only when that is final does the
vault erase. So there is never a record that looks alive and that its issuer cannot answer for.
"""

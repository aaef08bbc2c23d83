"""Public texts: what the ledger keeps only a hash of, and everybody may read.

The names of a dataset's fields, the conditions of its release, a notice as residents see it, the
wording of a purpose, law and article behind a legal basis, an agreement between two sides: none of
it is personal, all of it is too long for the chain. A text has a kind, a language and a body; its
hash is SHA-256 over a tag and RFC 8785 of these three, so any node can keep a copy and anybody can
check it against the ledger. Nodes exchange texts by `PUT /v1/texts`.
"""

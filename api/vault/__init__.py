"""The vault: documents and salts of this agency, encrypted, and nowhere else.

Each document is encrypted under a data key of its own, and the data key is wrapped under the
vault's master key, which lives in a file outside the database. What leaves the vault is the
credential file for the resident, a commitment for the ledger, or a keyed fingerprint that means
nothing without the master key.
"""

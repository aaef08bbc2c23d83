"""The outbox: what this agency has promised to write to the ledger, durable before it is promised.

A 2xx of a writing REST call means that the signed transaction is on this agency's disk, together
with its nonce, its idempotency key and the record of what it does, in one database transaction.
From then on a submitter hands it to the ledger until it is final. Killing the process at any point
loses nothing (the bytes are stored) and repeats nothing (the same key finds the same operation, the
same nonce can be used only once, and the same uid is refused by the contract).
"""

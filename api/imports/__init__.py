"""Bulk import: thousands of acts from a file, durable, with progress.

Theory of operation. A file is taken apart at once: each line is checked against the act's model,
gets a uid if it has none, and is stored, sealed, in the vault's database; what is wrong with a line
is stored beside it. Only then does the caller get a 2xx. From then on a worker takes waiting lines
in groups (up to eight mandates fit into one transaction), promises them through the outbox like any
act, and notes how they end. Everything that it knows stands in the database: killed at any point,
it goes on where it was. A group keeps its lines and its idempotency key, so that promising it twice
is promising it once.

An import is for the ledger to whose route the file was sent, and goes on there whatever happens to
other ledgers of the API.

A group that is refused is taken apart, and its lines are tried one by one: one bad line does not
stop the rest. A line whose mandate is handed on from another line waits for it. When a line is done
or rejected its content leaves the table; the envelopes of what was recorded are in the vault.
"""

"""REST `/v1`: what an agency's own systems and counters call.

The surface is a table (`routes.py`) of operations over strict models (`models.py`,
`answers.py`). Handlers stay thin: they read, ask the vault, the index, the outbox or the
verifier, and answer. The same table makes the OpenAPI document, so neither can drift from
the other.
"""

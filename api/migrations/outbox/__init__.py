"""The steps of the outbox."""

"""A PostgreSQL server of our own for tests, demonstrations and measurements."""

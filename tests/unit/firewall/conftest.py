"""Agencies over a ledger in memory, as the tests of REST have them."""

from tests.unit.rest.conftest import bureau, commission, laboratory, ledger, schema

__all__ = ["bureau", "commission", "laboratory", "ledger", "schema"]

"""A ledger on which two agencies may attest under one schema, and the uids of what they attest."""

from tests.contracts.contract_harness import COMMISSION, LABORATORY, Ledger, uid_of

SCHEMA = uid_of(1)
FIRST = uid_of(100)
SECOND = uid_of(101)
BATCH = uid_of(200)


def build_accredited_ledger() -> Ledger:
    """Return a ledger with one schema, for which laboratory and commission are accredited."""
    ledger = Ledger()
    ledger.register_schema(SCHEMA)
    ledger.accredit(SCHEMA, LABORATORY)
    ledger.accredit(SCHEMA, COMMISSION)
    ledger.pass_time()
    return ledger

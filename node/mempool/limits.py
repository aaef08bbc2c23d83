"""The mempool's bounds: every queue has one, so that no sender can exhaust the machine."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MempoolLimits:
    """How much may wait; the defaults serve a small machine."""

    max_transactions: int = 20_000
    """Transactions of all senders."""
    max_bytes: int = 64 * 1024 * 1024
    """Bytes of all waiting transactions, as encoded."""
    max_sender_transactions: int = 5_000
    """Transactions of one sender."""
    max_sender_bytes: int = 16 * 1024 * 1024
    """Bytes of one sender."""
    max_nonce_gap: int = 64
    """How far a nonce may lie beyond the sender's next free one."""
    max_transaction_gas: int = 3_000_000
    """Gas limit of one transaction; gas bounds time only loosely, so this is a first bound."""
    max_transaction_bytes: int = 128 * 1024
    """Size of one encoded transaction."""

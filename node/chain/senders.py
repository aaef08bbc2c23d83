"""Decoded transactions by their hash, so that each sender is recovered once.

A transaction meets the node several times: at admission, in a proposal, in the final block, when
somebody asks for it. The first decoding is kept for a while; what is new in a block is recovered in
threads, as the native code does not hold the interpreter's lock.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from eth_hash.auto import keccak

from consensus.types import Hash32
from node.chain.state_store import BoundedCache
from node.chain.transactions import Transaction, decode_transactions

_REMEMBERED: Final = 4_096
_THREADS: Final = 4


class TransactionDecoder:
    """Decodes and remembers. Safe in any thread."""

    def __init__(self) -> None:
        """Start with nothing remembered."""
        self._known: BoundedCache[Hash32, Transaction] = BoundedCache(_REMEMBERED // 2)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="recover")

    def remember(self, transactions: Iterable[Transaction]) -> None:
        """Keep decoded transactions."""
        for transaction in transactions:
            self._known.put(transaction.hash, transaction)

    def decode(self, raws: Sequence[bytes]) -> tuple[Transaction, ...]:
        """Return the transactions of a block, in order; raises TransactionInvalid."""
        found = [self._known.get(Hash32(keccak(raw))) for raw in raws]
        missing = [raw for raw, known in zip(raws, found, strict=True) if known is None]
        fresh = iter(decode_transactions(missing, self._threads))
        decoded = tuple(next(fresh) if known is None else known for known in found)
        self.remember(decoded)
        return decoded

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(cancel_futures=True)

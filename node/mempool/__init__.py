"""Transactions that wait for a block: admission, order, and the journal that keeps promises.

A transaction is *acknowledged* when its submitter has been told so. From then on it is never
thrown out, not for room and not by a crash: it is on disk before the answer leaves, and a pool
that is full refuses the next one instead of forgetting the last.
"""

from node.mempool.admission import Admission, ChainView, Gate
from node.mempool.limits import MempoolLimits
from node.mempool.mempool import AddedTransaction, Mempool, MempoolStatus
from node.mempool.refusals import JournalDamaged, JournalFailed, MempoolRefusal

__all__ = [
    "AddedTransaction",
    "Admission",
    "ChainView",
    "Gate",
    "JournalDamaged",
    "JournalFailed",
    "Mempool",
    "MempoolLimits",
    "MempoolRefusal",
    "MempoolStatus",
]

"""Evidence against proposers that let strangers in.

Who may send transactions is a rule of admission and of building, never of a block's validity: a
client that judged blocks by the registry would part from others that do not. So a final block with
a stranger's transaction is kept, the contracts refuse the stranger themselves, and the proposer's
act is written down. The block proves it: its seals, its coinbase, the registry's state before it.
"""

from collections.abc import Iterator

from eth_typing import Address

from api.ports import Evidence
from node.chain.results import ImportedBlock
from node.chain.transactions import Transaction
from node.storage.keys import EVIDENCE, HEIGHT_BYTES, decode_height, encode_height
from node.storage.kv import KeyValueStore, WriteBatch

MAX_PER_BLOCK = 16
"""Proofs kept of one block; the block itself holds the others."""

_TAG = b"s"
_WRITE_KIND = "evidence"


class IntruderEvidence:
    """A table of blocks with senders who were not permitted."""

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store

    def keep(self, block: ImportedBlock, intruders: list[Transaction]) -> None:
        """Store the first intruders of a block; again changes nothing."""
        prefix = EVIDENCE + encode_height(block.block.header.number) + _TAG
        batch = WriteBatch()
        for number, transaction in enumerate(intruders[:MAX_PER_BLOCK]):
            value = block.block_hash + block.block.header.coinbase
            value += transaction.hash + transaction.sender
            batch.put(prefix + bytes([number]), value)
        self._store.write(batch, kind=_WRITE_KIND)

    def iterate(self) -> Iterator[Evidence]:
        """Yield evidence, newest block first."""
        for key, value in self._store.iterate(EVIDENCE, reverse=True):
            place = key[len(EVIDENCE) :]
            if not place[HEIGHT_BYTES:].startswith(_TAG):
                continue
            block_hash, proposer = value[:32], value[32:52]
            transaction_hash, sender = value[52:84], value[84:]
            yield Evidence(
                kind="unpermitted_sender",
                height=decode_height(place),
                round=None,
                offender=Address(proposer),
                details=(
                    ("block", _format(block_hash)),
                    ("transaction", _format(transaction_hash)),
                    ("sender", _format(sender)),
                ),
            )


def _format(data: bytes) -> str:
    return "0x" + data.hex()

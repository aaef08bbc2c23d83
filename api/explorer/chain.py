"""Blocks, transactions and finality, read through the provider and put into facts."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from api.errors import NotFound
from api.explorer.facts import (
    AccountFacts,
    BlockFacts,
    BlockLine,
    EventFacts,
    EvidenceLine,
    Finality,
    TransactionFacts,
    TransactionLine,
    ValidatorFacts,
)
from api.explorer.fields import decode_event, decode_input
from api.explorer.registry import Registry, RegistryReader
from api.ledger import Ledger
from api.networks.network import OURS, Network
from api.web3_provider import RawCall, RawRpc, RpcRefusal
from contracts.address_book import AddressBook

VALIDATOR_WINDOW: Final = 100
"""Blocks over which proposals are counted."""


class ChainReader:
    """The chain in facts."""

    def __init__(
        self, raw: RawRpc, network: Network = OURS, *, now_s: Callable[[], float] = time.time
    ) -> None:
        self.raw = raw
        self.network = network
        """What is known of the network without asking it."""
        self._ledger = Ledger(raw, network)
        self._registry = RegistryReader(raw, network.book)
        self._now_s = now_s

    @property
    def book(self) -> AddressBook:
        """Where this ledger's contracts stand."""
        return self.network.book

    async def get_head(self) -> int:
        """Return the height of the last final block."""
        if self.network.finality.tag == "latest":
            return int(await self.raw.call("eth_blockNumber"), 16)
        return (await self._ledger.get_head()).number

    async def get_registry(self) -> Registry:
        """Return the registry's tables at the head."""
        return await self._registry.get(await self.get_head())

    def get_age_s(self, time_s: int) -> int:
        """Return the seconds since a moment, 0 for the future."""
        return max(0, int(self._now_s()) - time_s)

    async def list_blocks(self, *, before: int | None, limit: int) -> tuple[BlockLine, ...]:
        """Return blocks below height `before` (the newest when None), newest first."""
        head = await self.get_head()
        newest = head if before is None else min(before - 1, head)
        heights = range(newest, max(-1, newest - limit), -1)
        calls: list[RawCall] = [
            ("eth_getBlockByNumber", (hex(height), False)) for height in heights
        ]
        blocks = await self.raw.batch(calls)
        registry = await self._registry.get(head)
        return tuple(_read_block_line(block, registry) for block in blocks if block is not None)

    async def get_block(self, ref: int | str) -> BlockFacts:
        """Return a block by height or `0x` hash; raises `NotFound`."""
        if isinstance(ref, int):
            block = await self.raw.call("eth_getBlockByNumber", hex(ref), True)
        else:
            block = await self.raw.call("eth_getBlockByHash", ref, True)
        head = await self.get_head()
        if block is None or int(block["number"], 16) > head:
            raise NotFound("this node has no such final block", code="unknown_block")
        receipts = await self.raw.call("eth_getBlockReceipts", block["number"]) or []
        registry = await self._registry.get(head)
        return BlockFacts(
            line=_read_block_line(block, registry),
            parent_hash=block["parentHash"],
            state_root=block["stateRoot"],
            transactions_root=block["transactionsRoot"],
            receipts_root=block["receiptsRoot"],
            gas_limit=int(block["gasLimit"], 16),
            size=int(block["size"], 16),
            finality=await self.find_finality(block["number"], registry),
            transactions=tuple(
                _read_transaction_line(transaction, receipt, registry, self.book)
                for transaction, receipt in zip(block["transactions"], receipts, strict=True)
            ),
            newest=head,
        )

    async def find_finality(self, block: str, registry: Registry) -> Finality | None:
        """Return who sealed a block; None if the node behind the provider is not of this ledger."""
        if not self.network.finality.is_final:
            return None
        try:
            found = await self.raw.call("atesta_getFinality", block)
        except RpcRefusal:
            return None
        if found is None:
            return None
        sealers = frozenset(found["sealers"])
        return Finality(
            final=found["final"],
            quorum=int(found["quorum"], 16),
            round=int(found["round"], 16),
            sealers=tuple(
                registry.get_party(address) for address in found["validators"] if address in sealers
            ),
            missing=tuple(
                registry.get_party(address)
                for address in found["validators"]
                if address not in sealers
            ),
        )

    async def get_transaction(self, transaction_hash: str) -> TransactionFacts:
        """Return a transaction, final or waiting; raises `NotFound`."""
        transaction = await self.raw.call("eth_getTransactionByHash", transaction_hash)
        if transaction is None:
            raise NotFound("this node knows no such transaction", code="unknown_transaction")
        registry = await self.get_registry()
        receipt = await self.raw.call("eth_getTransactionReceipt", transaction_hash)
        time_s = None
        if receipt is not None and int(receipt["blockNumber"], 16) > registry.block:
            receipt = None  # what the network may still take back counts as waiting
        if receipt is not None:
            block = await self.raw.call("eth_getBlockByNumber", receipt["blockNumber"], False)
            time_s = int(block["timestamp"], 16)
        return _read_transaction(transaction, receipt, time_s, registry, self.book)

    async def list_validators(self) -> tuple[ValidatorFacts, ...]:
        """Return the validators with their proposals in the last blocks."""
        if not self.network.finality.is_final:
            return ()
        head = await self.get_head()
        registry = await self._registry.get(head)
        try:
            rows = await self.raw.call(
                "qbft_getSignerMetrics", hex(max(0, head - VALIDATOR_WINDOW + 1)), "latest"
            )
            validators = set(await self.raw.call("qbft_getValidatorsByBlockNumber", "latest"))
        except RpcRefusal:
            return ()
        return tuple(
            ValidatorFacts(
                party=registry.get_party(row["address"]),
                proposed=int(row["proposedBlockCount"], 16),
                last_proposed=int(row["lastProposedBlockNumber"], 16),
            )
            for row in rows
            if row["address"] in validators
        )

    async def list_evidence(self, limit: int) -> tuple[EvidenceLine, ...] | None:
        """Return acts of misbehaviour, newest first; None if the node behind tells of none."""
        try:
            found = await self.raw.call("atesta_evidence", limit)
        except RpcRefusal:
            return None
        registry = await self.get_registry()
        return tuple(
            EvidenceLine(
                id=item["id"],
                kind=item["kind"],
                height=int(item["height"], 16),
                round=None if item["round"] is None else int(item["round"], 16),
                offender=registry.get_party(item["offender"]),
            )
            for item in found
        )

    async def get_account(self, address: str) -> AccountFacts:
        """Return an account; any address has one."""
        tag = self.network.finality.tag
        code, nonce = await self.raw.batch(
            [("eth_getCode", (address, tag)), ("eth_getTransactionCount", (address, tag))]
        )
        registry = await self.get_registry()
        return AccountFacts(
            party=registry.get_party(address),
            contract=self.book.find_name(bytes.fromhex(address[2:])),
            is_contract=code != "0x",
            is_validator=address in registry.validators,
            nonce=int(nonce, 16),
            key=registry.get_key(address),
        )


def _read_block_line(block: dict[str, Any], registry: Registry) -> BlockLine:
    return BlockLine(
        number=int(block["number"], 16),
        hash=block["hash"],
        time_s=int(block["timestamp"], 16),
        proposer=registry.get_party(block["miner"].lower()),
        transaction_count=len(block["transactions"]),
        gas_used=int(block["gasUsed"], 16),
    )


def _read_transaction_line(
    transaction: dict[str, Any],
    receipt: dict[str, Any] | None,
    registry: Registry,
    book: AddressBook,
) -> TransactionLine:
    to = transaction["to"]
    call = decode_input(_bytes(to), _bytes(transaction["input"]) or b"", book)
    return TransactionLine(
        hash=transaction["hash"],
        index=int(transaction["transactionIndex"] or "0x0", 16),
        sender=registry.get_party(transaction["from"].lower()),
        to=None if to is None else to.lower(),
        contract=None if to is None else book.find_name(bytes.fromhex(to[2:])),
        function=None if call is None else call[1],
        succeeded=receipt is not None and int(receipt["status"], 16) == 1,
    )


def _read_transaction(
    transaction: dict[str, Any],
    receipt: dict[str, Any] | None,
    time_s: int | None,
    registry: Registry,
    book: AddressBook,
) -> TransactionFacts:
    data = _bytes(transaction["input"]) or b""
    call = decode_input(_bytes(transaction["to"]), data, book)
    logs: Sequence[dict[str, Any]] = () if receipt is None else receipt["logs"]
    events = [_read_event(log, book) for log in logs]
    known = tuple(event for event in events if event is not None)
    return TransactionFacts(
        line=_read_transaction_line(transaction, receipt, registry, book),
        block=None if receipt is None else int(receipt["blockNumber"], 16),
        block_hash=None if receipt is None else receipt["blockHash"],
        time_s=time_s,
        nonce=int(transaction["nonce"], 16),
        gas=int(transaction["gas"], 16),
        gas_used=None if receipt is None else int(receipt["gasUsed"], 16),
        value=int(transaction["value"], 16),
        input_bytes=len(data),
        selector="0x" + data[:4].hex(),
        created_contract=None if receipt is None else receipt["contractAddress"],
        fields=() if call is None else call[2],
        events=known,
        other_events=len(events) - len(known),
    )


def _read_event(log: dict[str, Any], book: AddressBook) -> EventFacts | None:
    return decode_event(
        bytes.fromhex(log["address"][2:]),
        tuple(bytes.fromhex(topic[2:]) for topic in log["topics"]),
        bytes.fromhex(log["data"][2:]),
        int(log["logIndex"], 16),
        book,
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text[2:])

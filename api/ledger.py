"""The ledger in a handful of questions, answered in plain bytes and integers.

Index, outbox, verification and REST ask little, but often. They use the raw view of the connection
(`api.web3_provider`), in process or over HTTP to any Ethereum node. Every block that a node of this
ledger returns is final, so "latest" is the last final block; of another network it is the block
that its finality names (`api.finality`). Where the contracts stand, the ledger's book says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_typing import Address, Hash32
from eth_utils.crypto import keccak

from api.errors import (
    RPC_EXECUTION_REVERTED,
    RPC_LIMIT_EXCEEDED,
    RPC_METHOD_NOT_FOUND,
    NotFound,
    UpstreamFault,
)
from api.networks.fees import Fees, check_funds, quote_fees
from api.networks.network import OURS, Network
from api.web3_provider import RawRpc, RpcRefusal
from contracts import codec
from contracts.address_book import AddressBook
from contracts.addresses import AGENCY_REGISTRY_NAME

NO_REASON: Final = "ledger: the contract refused"
"""Stands for the reason of a revert that gives none, as when a call runs out of gas."""

MAX_EVIDENCE: Final = 1_000
"""The node lists no more acts at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSummary:
    """What a reader needs of a header."""

    number: int
    hash: Hash32
    parent_hash: Hash32
    time_s: int
    """The block's time in seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One event with its place."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    transaction_hash: Hash32
    log_index: int
    """Position in the block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptSummary:
    """Where a transaction ended."""

    block_number: int
    block_hash: Hash32
    succeeded: bool


class Reverted(Exception):
    """A call reverted; `reason` is the contract's own `module: reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Ledger:
    """One ledger, read and written through a provider."""

    def __init__(self, raw: RawRpc, network: Network = OURS) -> None:
        self._raw = raw
        self.network = network
        """What is known of the network without asking it."""
        self._chain_id: int | None = None
        self._genesis_hash: Hash32 | None = None

    async def get_chain_id(self) -> int:
        """Return the EIP-155 chain id."""
        if self._chain_id is None:
            self._chain_id = int(await self._raw.call("eth_chainId"), 16)
        return self._chain_id

    async def get_genesis_hash(self) -> Hash32:
        """Return the hash of block 0, which names the ledger."""
        if self._genesis_hash is None:
            genesis = await self.get_block(0)
            assert genesis is not None, "every ledger has a block 0"
            self._genesis_hash = genesis.hash
        return self._genesis_hash

    @property
    def raw(self) -> RawRpc:
        """The connection, for questions that are not among these."""
        return self._raw

    @property
    def book(self) -> AddressBook:
        """Where this ledger's contracts stand."""
        return self.network.book

    async def get_identity(self) -> Hash32:
        """Return what tells this ledger from any other, 32 bytes.

        That is the hash of block 0, where the contracts stand from block 0 on; on a network that
        may hold several ledgers, its keccak256 together with the registry's address.
        """
        genesis_hash = await self.get_genesis_hash()
        if self.network.is_ours:
            return genesis_hash
        return Hash32(keccak(genesis_hash + self.book.get_address(AGENCY_REGISTRY_NAME)))

    async def get_head(self) -> BlockSummary:
        """Return the last final block; raises `UpstreamFault` if the network names none."""
        tag = self.network.finality.tag
        try:
            head = await self._get_block(tag)
        except RpcRefusal as refusal:
            raise _refuse_tag(tag) from refusal
        if head is None:
            raise _refuse_tag(tag)
        return head

    async def get_block(self, number: int) -> BlockSummary | None:
        """Return a final block by height; None beyond the head."""
        return await self._get_block(hex(number))

    async def get_logs(
        self, first: int, last: int, addresses: Sequence[bytes]
    ) -> tuple[LogEntry, ...]:
        """Return the events of these contracts in blocks `first` to `last`, in chain order.

        What is more than a node gives in one answer is asked for in halves.
        """
        wanted = {
            "fromBlock": hex(first),
            "toBlock": hex(last),
            "address": ["0x" + address.hex() for address in addresses],
        }
        try:
            found = await self._raw.call("eth_getLogs", wanted)
        except RpcRefusal as refusal:
            # Engines refuse what is too much with codes of their own.
            is_too_much = refusal.rpc_code == RPC_LIMIT_EXCEEDED or not self.network.is_ours
            if first == last or not is_too_much:
                raise
            middle = (first + last) // 2
            lower = await self.get_logs(first, middle, addresses)
            return lower + await self.get_logs(middle + 1, last, addresses)
        return tuple(_read_log(entry) for entry in found)

    async def call(
        self,
        to: bytes,
        data: bytes,
        *,
        block: int | None = None,
        sender: bytes | None = None,
        gas: int | None = None,
        is_trial: bool = False,
    ) -> bytes:
        """Run a call on the state after a block (the last when None); raises `Reverted`.

        `gas` bounds it as a transaction's gas limit would. A trial runs in the block that would
        come next, stamped now: what is judged by the time is judged as if it were sent.
        """
        request = {"to": "0x" + to.hex(), "data": "0x" + data.hex()}
        if sender is not None:
            request["from"] = "0x" + sender.hex()
        if gas is not None:
            request["gas"] = hex(gas)
        tag = self.network.finality.tag if block is None else hex(block)
        if is_trial:
            tag = "pending"
        try:
            output = await self._raw.call("eth_call", request, tag)
        except RpcRefusal as refusal:
            reason = _read_revert(refusal)
            if reason is None:
                raise
            raise Reverted(reason) from refusal
        return bytes.fromhex(output[2:])

    async def get_nonce(self, address: bytes, *, pending: bool) -> int:
        """Return an account's next nonce after its final, or also its waiting, transactions."""
        return await self._count("pending" if pending else self.network.finality.tag, address)

    async def get_mined_nonce(self, address: bytes) -> int:
        """Return an account's next nonce after what stands in any block, final or not."""
        return await self._count("latest", address)

    async def quote_fees(self) -> Fees:
        """Return what a transaction offers now; raises `UpstreamFault` if that is too much."""
        return await quote_fees(self._raw, self.network.fees)

    async def check_funds(self, account: bytes, *, gas: int, fees: Fees) -> None:
        """Raise `UpstreamFault` if an account cannot pay for a transaction."""
        await check_funds(self._raw, account, gas=gas, fees=fees)

    async def send(self, raw: bytes) -> None:
        """Hand in a signed transaction; raises `RpcRefusal` if the node does not take it."""
        await self._raw.call("eth_sendRawTransaction", "0x" + raw.hex())

    async def get_receipt(self, transaction_hash: bytes) -> ReceiptSummary | None:
        """Return where a final transaction ended; None while it is not final."""
        receipt = await self._raw.call("eth_getTransactionReceipt", "0x" + transaction_hash.hex())
        if receipt is None or receipt.get("blockNumber") is None:
            return None
        return ReceiptSummary(
            block_number=int(receipt["blockNumber"], 16),
            block_hash=Hash32(bytes.fromhex(receipt["blockHash"][2:])),
            succeeded=int(receipt["status"], 16) == 1,
        )

    async def get_senders(self, transactions: Sequence[bytes]) -> dict[bytes, Address]:
        """Return the accounts that sent these transactions, by hash; those that are known."""
        hashes = list(dict.fromkeys(transactions))
        if not hashes:
            return {}
        found = await self._raw.batch(
            [("eth_getTransactionByHash", ("0x" + entry.hex(),)) for entry in hashes]
        )
        return {
            entry: Address(bytes.fromhex(transaction["from"][2:]))
            for entry, transaction in zip(hashes, found, strict=True)
            if transaction is not None
        }

    async def get_blocks(self, first: int, last: int) -> list[BlockSummary]:
        """Return the final blocks of heights `first` to `last`; `UpstreamFault` if one lacks."""
        found = await self._raw.batch(
            [("eth_getBlockByNumber", (hex(number), False)) for number in range(first, last + 1)]
        )
        if any(block is None for block in found):
            raise UpstreamFault(
                "the ledger node lacks a block below its head", code="block_missing"
            )
        return [_read_block(block) for block in found]

    async def get_evidence(self, limit: int) -> list[dict[str, Any]]:
        """Return the newest acts that the node keeps proof of, at most 1,000, newest first."""
        found = await self._ask_evidence("atesta_evidence", min(limit, MAX_EVIDENCE))
        return [
            {
                "id": item["id"],
                "kind": item["kind"],
                "height": int(item["height"], 16),
                "round": None if item["round"] is None else int(item["round"], 16),
                "offender": item["offender"],
            }
            for item in found
        ]

    async def export_evidence(self, evidence_id: bytes) -> dict[str, Any]:
        """Return the file of an act as JSON values; raises `NotFound` for an unknown id."""
        exported = await self._ask_evidence("atesta_exportEvidence", "0x" + evidence_id.hex())
        return dict(exported)

    async def _ask_evidence(self, method: str, argument: Any) -> Any:
        try:
            return await self._raw.call(method, argument)
        except RpcRefusal as refusal:
            if refusal.rpc_code == RPC_METHOD_NOT_FOUND:
                raise NotFound(
                    "the ledger node behind this API keeps no evidence", code="evidence_not_kept"
                ) from refusal
            if refusal.code == "evidence_not_found":
                raise NotFound(
                    "this node holds no evidence with this id",
                    field="id",
                    code="evidence_not_found",
                ) from refusal
            if refusal.code == "state_missing":
                raise NotFound(refusal.reason, field="id", code="state_missing") from refusal
            raise

    async def find_first_block(self, head: int) -> int:
        """Return the height from which the node has all blocks up to `head`; 0 for a whole history.

        A node that started from a snapshot lacks those before it, genesis itself left out. On
        another network it is the block at which the deployment began.
        """
        if self.network.first_block is not None:
            return min(self.network.first_block, head)
        if head == 0 or await self._get_block("0x1") is not None:
            return 0
        lacking, present = 1, head
        while present - lacking > 1:
            middle = (lacking + present) // 2
            if await self._get_block(hex(middle)) is None:
                lacking = middle
            else:
                present = middle
        return present

    async def _count(self, tag: str, address: bytes) -> int:
        return int(await self._raw.call("eth_getTransactionCount", "0x" + address.hex(), tag), 16)

    async def _get_block(self, tag: str) -> BlockSummary | None:
        block = await self._raw.call("eth_getBlockByNumber", tag, False)
        return None if block is None else _read_block(block)


def _read_block(block: dict[str, Any]) -> BlockSummary:
    return BlockSummary(
        number=int(block["number"], 16),
        hash=Hash32(bytes.fromhex(block["hash"][2:])),
        parent_hash=Hash32(bytes.fromhex(block["parentHash"][2:])),
        time_s=int(block["timestamp"], 16),
    )


def _read_log(entry: dict[str, Any]) -> LogEntry:
    return LogEntry(
        address=Address(bytes.fromhex(entry["address"][2:])),
        topics=tuple(bytes.fromhex(topic[2:]) for topic in entry["topics"]),
        data=bytes.fromhex(entry["data"][2:]),
        block_number=int(entry["blockNumber"], 16),
        transaction_hash=Hash32(bytes.fromhex(entry["transactionHash"][2:])),
        log_index=int(entry["logIndex"], 16),
    )


def _read_revert(refusal: RpcRefusal) -> str | None:
    """Return the reason of a revert; None if the refusal is something else."""
    data = refusal.data
    if isinstance(data, dict):
        data = data.get("data")
    if isinstance(data, str) and data.startswith("0x"):
        found = codec.decode_revert(bytes.fromhex(data[2:]))
        if found is not None:
            return found
    if refusal.rpc_code == RPC_EXECUTION_REVERTED or "revert" in refusal.reason.lower():
        _, _, reason = refusal.reason.partition("reverted: ")
        return reason or NO_REASON
    return None


def _refuse_tag(tag: str) -> UpstreamFault:
    if tag == "latest":
        return UpstreamFault(
            "the ledger node does not answer",
            code="node_unreachable",
            next_step="try again later; if it persists, the operator checks the node",
        )
    return UpstreamFault(
        f"the network names no block `{tag}` yet",
        code="finality_unknown",
        next_step=(
            "wait, or, where no block is ever taken back, as with QBFT on Besu, the operator sets"
            " foreign.finality to latest"
        ),
    )

"""What the API needs from a ledger node: one Protocol, and the values that cross it.

The API never imports the node. It declares here, in domain types, the questions it asks; the
daemon answers them in process (`node.daemon.backend`), a test answers them from memory, and an API
in front of a foreign network does not need this port at all, because everything above JSON-RPC
reaches the chain through web3.

Conventions of the port: addresses are 20 bytes, hashes 32 bytes, amounts integers (wei), times
integer seconds since 1970 (UTC). Reads name a `BlockHeader` that the same node returned before.
"Not known here" is None; a refusal is an `api.errors.ApiError`. All methods that may touch the
disk are coroutines and are safe to call concurrently.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from eth_typing import Address, Hash32

from api.snapshots import SnapshotWriter
from consensus.block import Block
from consensus.header import BlockHeader

BlockRef = int | Hash32
"""A height, or a consensus block hash. The head is asked for with `get_head`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeIdentity:
    """What never changes while a node runs."""

    chain_id: int
    """The EIP-155 chain id, from genesis."""
    genesis_hash: Hash32
    """The hash of block 0, which names the network."""
    client_version: str
    """Program, version and platform, as `web3_clientVersion` returns it."""
    validator: Address | None
    """The address that this node seals blocks with; None if it only follows."""
    block_period_s: float
    """The target time between blocks in seconds."""
    request_timeout_s: float
    """The timer of consensus round 0 in seconds."""
    contract_mode: bool
    """True if the validator set is kept by a contract, False for votes in headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessListEntry:
    """One entry of an EIP-2930 access list."""

    address: Address
    storage_keys: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTransaction:
    """A decoded transaction with its recovered sender."""

    raw: bytes
    """The canonical EIP-2718 bytes."""
    hash: Hash32
    """keccak256 of `raw`."""
    type: int
    """0 legacy, 1 access list, 2 dynamic fee."""
    chain_id: int | None
    """None only for a legacy transaction without replay protection."""
    sender: Address
    nonce: int
    gas: int
    """The gas limit."""
    gas_price: int
    """The price offered; for type 2 the effective price at the block's base fee."""
    max_fee_per_gas: int | None
    max_priority_fee_per_gas: int | None
    to: Address | None
    """None creates a contract."""
    value: int
    data: bytes
    access_list: tuple[AccessListEntry, ...] | None
    """None for legacy transactions."""
    v: int
    """The signature's v as encoded: 27/28 or EIP-155 for legacy, the parity for typed ones."""
    r: int
    s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLog:
    """One event a contract emitted."""

    address: Address
    topics: tuple[Hash32, ...]
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerReceipt:
    """The outcome of one transaction of a final block, in the block's order."""

    type: int
    status: int
    """1 succeeded, 0 reverted."""
    cumulative_gas_used: int
    """Gas used in the block up to and including this transaction."""
    gas_used: int
    logs: tuple[LedgerLog, ...]
    logs_bloom: bytes
    """256 bytes."""
    contract_address: Address | None
    """The created contract, if the transaction created one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionLocation:
    """Where a final transaction is."""

    block_hash: Hash32
    index: int
    """Its place in the block, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account at some block; all zero and empty hashes if it does not exist."""

    nonce: int
    balance: int
    code_hash: Hash32
    storage_root: Hash32


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageProof:
    """One slot's value with its Merkle-Patricia path from the account's storage root."""

    slot: int
    value: int
    nodes: tuple[bytes, ...]
    """RLP of the nodes from the root downwards; empty if the storage trie is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountProof:
    """An account with its path from the header's state root, and paths of some slots (EIP-1186)."""

    address: Address
    account: Account
    nodes: tuple[bytes, ...]
    storage: tuple[StorageProof, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """A message to execute without a signature and without effect on the chain."""

    sender: Address
    to: Address | None
    gas: int
    """The gas limit, already capped by the caller."""
    gas_price: int
    value: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """The outcome of a call."""

    output: bytes
    """Return data, or the revert payload if `error` is set."""
    gas_used: int
    error: str | None
    """None on success; otherwise the failure in words, e.g. "out of gas"."""
    is_revert: bool = False
    """Whether the code itself reverted, so that `output` is its payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """How far a node that is catching up has come."""

    starting_height: int
    current_height: int
    highest_height: int
    """The highest final height that a peer reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStatus:
    """One connected peer."""

    peer_id: str
    """A short stable name: the hex of its pin or validator address."""
    address: str
    """host:port as connected."""
    inbound: bool
    validator: Address | None
    head_number: int | None
    """Its last announced final height."""
    connected_s: float
    """Seconds since the handshake."""
    score: float = 0.0
    """Penalty points now; at 100 it is dropped. An honest peer stays near 0."""
    round_trip_ms: float | None = None
    """Last measured round trip."""
    clock_offset_ms: float | None = None
    """Its clock minus ours, give or take half a round trip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """A vote that this node will put into its next proposals (header-vote mode)."""

    recipient: Address
    add: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Proof of another participant's misbehaviour, kept by this node."""

    id: Hash32
    """Names the act in lists, logs and exported files."""
    kind: str
    """A stable name, e.g. "conflicting_proposals" or "unpermitted_sender"."""
    height: int
    round: int | None
    offender: Address | None
    details: tuple[tuple[str, str], ...]
    """Named hex strings: the digests or hashes that conflict, and the signed messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MempoolStatus:
    """How full the pool of waiting transactions is."""

    pending: int
    """Transactions ready for the next block."""
    queued: int
    """Transactions that wait for an earlier nonce."""
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingTransaction:
    """An acknowledged transaction that is not final yet."""

    transaction: LedgerTransaction
    ready: bool
    """False while an earlier nonce of its sender is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsensusStatus:
    """Where this node's consensus engine stands."""

    height: int
    """The height being agreed on."""
    round: int
    proposer: Address | None
    validators: tuple[Address, ...]
    quorum: int
    """Seals that make a block final at this height."""
    is_signing: bool
    """False if this node follows only, or refuses to sign until its state is resumed."""
    note: str | None
    """One sentence for the operator, e.g. why the node does not sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One sample for Prometheus."""

    name: str
    """Without the `atesta_` prefix; counters end in `_total`, units stand last."""
    kind: Literal["gauge", "counter"]
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


class ChainReader(Protocol):
    """Final blocks and the state after each of them."""

    @property
    def identity(self) -> NodeIdentity:
        """What never changes while the node runs."""

    async def get_head(self) -> BlockHeader:
        """Return the last final header."""

    async def get_header(self, ref: BlockRef) -> BlockHeader | None:
        """Return a final header by height or hash."""

    async def get_headers(self, first: int, last: int) -> tuple[BlockHeader, ...]:
        """Return the final headers of heights `first` to `last` inclusive, as far as they exist."""

    async def get_block(self, ref: BlockRef) -> Block | None:
        """Return a final block by height or hash."""

    async def get_transactions(self, block: Block) -> tuple[LedgerTransaction, ...]:
        """Return the block's transactions decoded, senders recovered, in order."""

    async def get_receipts(self, block_hash: Hash32) -> tuple[LedgerReceipt, ...] | None:
        """Return the receipts of a final block in order; None if the block is not known."""

    async def find_transaction(self, transaction_hash: Hash32) -> TransactionLocation | None:
        """Return where a final transaction is."""

    async def get_validators(self, header: BlockHeader) -> tuple[Address, ...]:
        """Return the validators entitled to seal `header`, ascending; for genesis the first set."""

    async def get_sealers(self, header: BlockHeader) -> tuple[Address, ...]:
        """Return who sealed `header`, recovered from its seals, ascending; none for genesis."""

    async def get_account(self, address: Address, header: BlockHeader) -> Account:
        """Return the account in the state after `header`."""

    async def get_code(self, address: Address, header: BlockHeader) -> bytes:
        """Return the account's code in the state after `header`."""

    async def get_storage(self, address: Address, slot: int, header: BlockHeader) -> int:
        """Return one storage word in the state after `header`."""

    async def prove(
        self, address: Address, slots: tuple[int, ...], header: BlockHeader
    ) -> AccountProof:
        """Return account and storage proofs against `header.state_root`."""

    async def call(
        self, request: CallRequest, header: BlockHeader, *, timeout_s: float
    ) -> CallResult:
        """Execute on the state after `header`; raises `LimitExceeded` after `timeout_s`."""

    async def estimate_gas(
        self, request: CallRequest, header: BlockHeader, *, timeout_s: float
    ) -> CallResult:
        """Find the least gas limit that suffices, as `gas_used`; or why none does."""


class TransactionPool(Protocol):
    """Where transactions wait for a block."""

    async def send_transaction(self, raw: bytes) -> Hash32:
        """Take a signed transaction, durably, before returning its hash.

        Raises `TransactionRefused` with the field at fault; then nothing was stored.
        """

    async def find_pending(self, transaction_hash: Hash32) -> PendingTransaction | None:
        """Return an acknowledged transaction that is not final."""

    async def get_pending(self) -> tuple[PendingTransaction, ...]:
        """Return all waiting transactions, by sender and nonce."""

    async def get_next_nonce(self, address: Address) -> int:
        """Return the nonce after all final and all waiting, gapless transactions of `address`."""

    async def get_mempool_status(self) -> MempoolStatus:
        """Return counts and bytes."""


class NodeMonitor(Protocol):
    """How the node itself is doing."""

    async def get_sync_status(self) -> SyncStatus | None:
        """Return the progress of catching up; None when level with the peers."""

    async def get_peers(self) -> tuple[PeerStatus, ...]:
        """Return the connected peers."""

    async def get_consensus_status(self) -> ConsensusStatus:
        """Return where consensus stands."""

    async def get_evidence(self, *, limit: int) -> tuple[Evidence, ...]:
        """Return the newest evidence of misbehaviour first."""

    async def export_evidence(self, evidence_id: Hash32) -> Mapping[str, Any] | None:
        """Return the file that proves an act to a third party, as JSON values; None if unknown.

        Raises `UpstreamFault` or `NotFound` if this node cannot prove it now.
        """

    async def get_metrics(self) -> tuple[Metric, ...]:
        """Return the samples of all parts of the node."""

    async def get_votes(self) -> tuple[Vote, ...]:
        """Return this node's standing votes; raises `MethodNotEnabled` in contract mode."""

    async def propose_vote(self, vote: Vote) -> None:
        """Vote in coming proposals; raises `MethodNotEnabled` in contract mode."""

    async def discard_vote(self, recipient: Address) -> None:
        """Withdraw a standing vote; raises `MethodNotEnabled` in contract mode."""


class LedgerNode(ChainReader, TransactionPool, NodeMonitor, SnapshotWriter, Protocol):
    """The whole port: what the JSON-RPC dispatcher asks of a node."""

"""Domain values as the JSON objects Ethereum libraries expect, member by member.

Blocks have the members Besu returns for QBFT blocks: the `hash` is the consensus hash (round 0, no
seals), `extraData` is the header's own with its seals, and `totalDifficulty` is the height plus one
because every block has difficulty 1. Formatting is by hand: it costs a few microseconds a member
where generic formatters cost milliseconds a block.
"""

from collections.abc import Sequence
from typing import Any

from eth_hash.auto import keccak
from eth_typing import Address, Hash32

from api.jsonrpc.hexes import (
    write_data,
    write_optional_data,
    write_optional_quantity,
    write_quantity,
    write_word,
)
from api.ports import (
    AccessListEntry,
    AccountProof,
    LedgerLog,
    LedgerReceipt,
    LedgerTransaction,
    PendingTransaction,
)
from consensus.block import Block, encode_block
from consensus.header import BlockHeader


def write_block(
    block: Block, block_hash: Hash32, transactions: Sequence[LedgerTransaction] | None
) -> dict[str, Any]:
    """Return a final block; with `transactions` None it lists their hashes only."""
    header = block.header
    shape = write_header(header, block_hash)
    shape["size"] = write_quantity(len(encode_block(block)))
    shape["uncles"] = []
    if transactions is None:
        shape["transactions"] = [write_data(keccak(raw)) for raw in block.transactions]
    else:
        shape["transactions"] = [
            write_transaction(transaction, header, block_hash, index)
            for index, transaction in enumerate(transactions)
        ]
    if header.withdrawals_root is not None:
        shape["withdrawals"] = []
    return shape


def write_header(header: BlockHeader, block_hash: Hash32) -> dict[str, Any]:
    """Return the members of a block that its header alone determines."""
    shape: dict[str, Any] = {
        "number": write_quantity(header.number),
        "hash": write_data(block_hash),
        "mixHash": write_data(header.mix_hash),
        "parentHash": write_data(header.parent_hash),
        "nonce": write_data(header.nonce),
        "sha3Uncles": write_data(header.ommers_hash),
        "logsBloom": write_data(header.logs_bloom),
        "transactionsRoot": write_data(header.transactions_root),
        "stateRoot": write_data(header.state_root),
        "receiptsRoot": write_data(header.receipts_root),
        "miner": write_data(header.coinbase),
        "difficulty": write_quantity(header.difficulty),
        "totalDifficulty": write_quantity(header.number + 1),
        "extraData": write_data(header.extra_data),
        "gasLimit": write_quantity(header.gas_limit),
        "gasUsed": write_quantity(header.gas_used),
        "timestamp": write_quantity(header.timestamp),
    }
    if header.base_fee_per_gas is not None:
        shape["baseFeePerGas"] = write_quantity(header.base_fee_per_gas)
    if header.withdrawals_root is not None:
        shape["withdrawalsRoot"] = write_data(header.withdrawals_root)
    if header.parent_beacon_block_root is not None:
        shape["blobGasUsed"] = write_quantity(header.blob_gas_used or 0)
        shape["excessBlobGas"] = write_quantity(header.excess_blob_gas or 0)
        shape["parentBeaconBlockRoot"] = write_data(header.parent_beacon_block_root)
    return shape


def write_pending_block(
    head: BlockHeader, head_hash: Hash32, timestamp: int, pending: Sequence[Any]
) -> dict[str, Any]:
    """Return the block that does not exist yet: what is known is filled in, the rest is null.

    `pending` holds hashes or transactions, already written.
    """
    shape = write_header(head, head_hash)
    unknown = (
        "hash",
        "nonce",
        "logsBloom",
        "miner",
        "stateRoot",
        "receiptsRoot",
        "transactionsRoot",
    )
    shape.update(dict.fromkeys(unknown))
    shape.update(
        number=write_quantity(head.number + 1),
        parentHash=write_data(head_hash),
        totalDifficulty=write_quantity(head.number + 2),
        timestamp=write_quantity(timestamp),
        extraData="0x",
        gasUsed="0x0",
        size="0x0",
        uncles=[],
        transactions=list(pending),
    )
    if head.withdrawals_root is not None:
        shape["withdrawals"] = []
    return shape


def write_transaction(
    transaction: LedgerTransaction, header: BlockHeader, block_hash: Hash32, index: int
) -> dict[str, Any]:
    """Return a final transaction."""
    shape = _write_transaction(transaction, header.base_fee_per_gas or 0)
    shape["blockHash"] = write_data(block_hash)
    shape["blockNumber"] = write_quantity(header.number)
    shape["transactionIndex"] = write_quantity(index)
    return shape


def write_pending_transaction(pending: PendingTransaction) -> dict[str, Any]:
    """Return a waiting transaction: its block is null."""
    shape = _write_transaction(pending.transaction, 0)
    shape["blockHash"] = shape["blockNumber"] = shape["transactionIndex"] = None
    return shape


def write_receipts(
    header: BlockHeader,
    block_hash: Hash32,
    transactions: Sequence[LedgerTransaction],
    receipts: Sequence[LedgerReceipt],
    *,
    only: int | None = None,
) -> list[dict[str, Any]]:
    """Return the receipts of a block, or only the one at index `only`, with block-wide log indexes.

    Transactions and receipts are the block's whole sequences, in order.
    """
    shapes = []
    first_log = 0
    for index, (transaction, receipt) in enumerate(zip(transactions, receipts, strict=True)):
        if only is None or only == index:
            shapes.append(
                _write_receipt(
                    transaction, receipt, header, block_hash, index=index, first_log=first_log
                )
            )
        first_log += len(receipt.logs)
    return shapes


def write_log(
    log: LedgerLog,
    header: BlockHeader,
    *,
    block_hash: str,
    transaction_hash: str,
    transaction_index: int,
    log_index: int,
) -> dict[str, Any]:
    """Return a log; the hashes come written, because many logs share them."""
    return {
        "address": write_data(log.address),
        "topics": [write_data(topic) for topic in log.topics],
        "data": write_data(log.data),
        "blockNumber": write_quantity(header.number),
        "blockTimestamp": write_quantity(header.timestamp),
        "blockHash": block_hash,
        "transactionHash": transaction_hash,
        "transactionIndex": write_quantity(transaction_index),
        "logIndex": write_quantity(log_index),
        "removed": False,
    }


def write_proof(proof: AccountProof) -> dict[str, Any]:
    """Return an account with its storage proofs in the form of EIP-1186."""
    return {
        "address": write_data(proof.address),
        "accountProof": [write_data(node) for node in proof.nodes],
        "balance": write_quantity(proof.account.balance),
        "codeHash": write_data(proof.account.code_hash),
        "nonce": write_quantity(proof.account.nonce),
        "storageHash": write_data(proof.account.storage_root),
        "storageProof": [
            {
                "key": write_word(slot.slot),
                "value": write_quantity(slot.value),
                "proof": [write_data(node) for node in slot.nodes],
            }
            for slot in proof.storage
        ],
    }


def compute_effective_price(transaction: LedgerTransaction, base_fee: int) -> int:
    """Return what the sender pays per gas: the offer, capped at base fee plus tip (EIP-1559)."""
    if transaction.max_fee_per_gas is None:
        return transaction.gas_price
    tip = transaction.max_priority_fee_per_gas or 0
    return min(transaction.max_fee_per_gas, base_fee + tip)


def _write_transaction(transaction: LedgerTransaction, base_fee: int) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "hash": write_data(transaction.hash),
        "type": write_quantity(transaction.type),
        "from": write_data(transaction.sender),
        "to": write_optional_data(transaction.to),
        "nonce": write_quantity(transaction.nonce),
        "gas": write_quantity(transaction.gas),
        "gasPrice": write_quantity(compute_effective_price(transaction, base_fee)),
        "value": write_quantity(transaction.value),
        "input": write_data(transaction.data),
        "v": write_quantity(transaction.v),
        "r": write_quantity(transaction.r),
        "s": write_quantity(transaction.s),
    }
    if transaction.chain_id is not None:
        shape["chainId"] = write_optional_quantity(transaction.chain_id)
    if transaction.type:
        shape["yParity"] = write_quantity(transaction.v)
        shape["accessList"] = [_write_access(entry) for entry in transaction.access_list or ()]
    if transaction.max_fee_per_gas is not None:
        shape["maxFeePerGas"] = write_quantity(transaction.max_fee_per_gas)
        shape["maxPriorityFeePerGas"] = write_quantity(transaction.max_priority_fee_per_gas or 0)
    return shape


def _write_access(entry: AccessListEntry) -> dict[str, Any]:
    return {
        "address": write_data(entry.address),
        "storageKeys": [write_word(key) for key in entry.storage_keys],
    }


def _write_receipt(
    transaction: LedgerTransaction,
    receipt: LedgerReceipt,
    header: BlockHeader,
    block_hash: Hash32,
    *,
    index: int,
    first_log: int,
) -> dict[str, Any]:
    block_text = write_data(block_hash)
    transaction_text = write_data(transaction.hash)
    contract: Address | None = receipt.contract_address
    return {
        "transactionHash": transaction_text,
        "transactionIndex": write_quantity(index),
        "blockHash": block_text,
        "blockNumber": write_quantity(header.number),
        "from": write_data(transaction.sender),
        "to": write_optional_data(transaction.to),
        "cumulativeGasUsed": write_quantity(receipt.cumulative_gas_used),
        "gasUsed": write_quantity(receipt.gas_used),
        "effectiveGasPrice": write_quantity(
            compute_effective_price(transaction, header.base_fee_per_gas or 0)
        ),
        "contractAddress": write_optional_data(contract),
        "logs": [
            write_log(
                log,
                header,
                block_hash=block_text,
                transaction_hash=transaction_text,
                transaction_index=index,
                log_index=first_log + place,
            )
            for place, log in enumerate(receipt.logs)
        ],
        "logsBloom": write_data(receipt.logs_bloom),
        "status": write_quantity(receipt.status),
        "type": write_quantity(receipt.type),
    }

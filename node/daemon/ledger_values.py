"""The chain's values as the API's: one function per kind, each a plain copy of fields.

The API declares its own types (`api.ports`) so that it depends on no node. Copying costs about a
microsecond an object and keeps either side free to change.
"""

from api.ports import (
    AccessListEntry,
    Account,
    CallRequest,
    LedgerLog,
    LedgerReceipt,
    LedgerTransaction,
)
from node.chain import accounts, results
from node.chain.receipts import Receipt
from node.chain.transactions import DYNAMIC_FEE_TYPE, LEGACY_TYPE, Transaction


def to_ledger_transaction(transaction: Transaction) -> LedgerTransaction:
    """Return the chain's transaction as the API's."""
    is_dynamic = transaction.type == DYNAMIC_FEE_TYPE
    access_list = tuple(
        AccessListEntry(address=address, storage_keys=keys)
        for address, keys in transaction.access_list
    )
    return LedgerTransaction(
        raw=transaction.raw,
        hash=transaction.hash,
        type=transaction.type,
        chain_id=transaction.chain_id,
        sender=transaction.sender,
        nonce=transaction.nonce,
        gas=transaction.gas,
        gas_price=transaction.gas_price,
        max_fee_per_gas=transaction.max_fee_per_gas if is_dynamic else None,
        max_priority_fee_per_gas=transaction.max_priority_fee_per_gas if is_dynamic else None,
        to=transaction.to,
        value=transaction.value,
        data=transaction.data,
        access_list=None if transaction.type == LEGACY_TYPE else access_list,
        v=transaction.v,
        r=transaction.r,
        s=transaction.s,
    )


def to_ledger_receipt(receipt: Receipt) -> LedgerReceipt:
    """Return the chain's receipt as the API's."""
    return LedgerReceipt(
        type=receipt.type,
        status=receipt.status,
        cumulative_gas_used=receipt.cumulative_gas_used,
        gas_used=receipt.gas_used,
        logs=tuple(
            LedgerLog(address=log.address, topics=log.topics, data=log.data) for log in receipt.logs
        ),
        logs_bloom=receipt.logs_bloom,
        contract_address=receipt.contract_address,
    )


def to_account(account: accounts.Account | None) -> Account:
    """Return the chain's account as the API's; one that does not exist is empty."""
    if account is None:
        account = accounts.NO_ACCOUNT
    return Account(
        nonce=account.nonce,
        balance=account.balance,
        code_hash=account.code_hash,
        storage_root=account.storage_root,
    )


def to_chain_request(request: CallRequest) -> results.CallRequest:
    """Return the API's call as the chain's."""
    return results.CallRequest(
        to=request.to,
        data=request.data,
        sender=request.sender,
        value=request.value,
        gas=request.gas,
        gas_price=request.gas_price,
    )

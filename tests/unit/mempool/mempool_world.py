"""A small ledger in memory for the mempool's tests: accounts by role, nonces, permissions."""

from dataclasses import dataclass, field
from pathlib import Path

from eth_account import Account
from eth_typing import Address, Hash32

from node.mempool import Mempool, MempoolLimits

CHAIN_ID = 2026
RECORDS = Address(bytes.fromhex("00" * 17 + "a7e503"))


class Signer:
    """An account that signs."""

    def __init__(self, role: str) -> None:
        self._account = Account.from_key(role.encode().rjust(32, b"\x01"))
        self.address = Address(bytes.fromhex(self._account.address[2:]))

    def sign(
        self,
        nonce: int,
        *,
        gas: int = 200_000,
        data: bytes = b"\x01",
        price: int = 0,
        to: Address | None = RECORDS,
        chain_id: int = CHAIN_ID,
        value: int = 0,
    ) -> bytes:
        fields: dict[str, object] = {
            "type": 2,
            "chainId": chain_id,
            "nonce": nonce,
            "gas": gas,
            "maxFeePerGas": price,
            "maxPriorityFeePerGas": price,
            "value": value,
            "data": data,
        }
        if to is not None:
            fields["to"] = to
        return bytes(self._account.sign_transaction(fields).raw_transaction)


@dataclass
class World:
    """Final state and registry, both as plain tables."""

    chain_id: int = CHAIN_ID
    gas_limit: int = 30_000_000
    nonces: dict[Address, int] = field(default_factory=dict)
    balances: dict[Address, int] = field(default_factory=dict)
    final: set[Hash32] = field(default_factory=set)
    senders: set[Address] = field(default_factory=set)
    deployers: set[Address] = field(default_factory=set)
    now_s: float = 1_000.0

    def get_nonce(self, address: Address) -> int:
        return self.nonces.get(address, 0)

    def get_balance(self, address: Address) -> int:
        return self.balances.get(address, 0)

    def is_final(self, transaction_hash: Hash32) -> bool:
        return transaction_hash in self.final

    def may_send(self, sender: Address) -> bool:
        return sender in self.senders

    def may_deploy(self, sender: Address) -> bool:
        return sender in self.deployers

    def clock(self) -> float:
        return self.now_s

    def make_mempool(self, path: Path, **bounds: int) -> Mempool:
        return Mempool(
            path=path / "mempool.journal",
            limits=MempoolLimits(**bounds),
            chain=self,
            admission=self,
            clock=self.clock,
        )

    def finalise(self, mempool: Mempool, *hashes: Hash32) -> None:
        pairs = []
        for transaction_hash in hashes:
            transaction = mempool.get(transaction_hash)
            assert transaction is not None
            self.nonces[transaction.sender] = transaction.nonce + 1
            self.final.add(transaction_hash)
            pairs.append((transaction_hash, transaction.sender))
        mempool.on_block(pairs)

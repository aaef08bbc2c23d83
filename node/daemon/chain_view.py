"""The last final state as the mempool reads it: nonces, balances, what is final already."""

from eth_typing import Address, Hash32

from node.chain.blockchain import Blockchain


class HeadView:
    """A `node.mempool.ChainView` over the chain's head. Safe from any thread."""

    def __init__(self, chain: Blockchain) -> None:
        self._chain = chain

    @property
    def chain_id(self) -> int:
        """Return the network's chain id."""
        return self._chain.genesis.chain_id

    @property
    def gas_limit(self) -> int:
        """Return the gas limit of the last final block."""
        return self._chain.head.gas_limit

    def get_nonce(self, address: Address) -> int:
        """Return the nonce that the account's next transaction has."""
        account = self._chain.state_at(self._chain.head).get_account(address)
        return 0 if account is None else account.nonce

    def get_balance(self, address: Address) -> int:
        """Return the account's balance in wei."""
        account = self._chain.state_at(self._chain.head).get_account(address)
        return 0 if account is None else account.balance

    def is_final(self, transaction_hash: Hash32) -> bool:
        """Tell whether a transaction is in a final block."""
        return self._chain.find_transaction(transaction_hash) is not None

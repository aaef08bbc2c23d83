"""Who validates the next height: asked of the contract, or counted from the headers' votes.

Both sources look at the parent only, never at a clock or at the block itself, so every node that
has the parent knows the same set. The contract's answer is a function of its storage alone, so it
is remembered by the root of that storage and asked again only when something in it has changed.
"""

from typing import Final

from consensus.extra_data import decode_extra_data
from consensus.genesis_config import QbftConfig
from consensus.header import BlockHeader, compute_block_hash
from consensus.types import Address, Hash32
from consensus.votes import VoteTally, apply_header, start_tally
from node.chain.block_store import BlockStore
from node.chain.calls import CallRunner
from node.chain.deadline import Deadline
from node.chain.errors import ChainBug
from node.chain.results import CallRequest
from node.chain.state_store import BoundedCache, StateStore

MAX_VALIDATORS: Final = 64
"""The contract admits no more."""

GET_VALIDATORS_SELECTOR: Final = bytes.fromhex("b7ab4db5")
_CALL_GAS: Final = 10_000_000
_WORD: Final = 32
_CACHED_SETS: Final = 64
_CACHED_TALLIES: Final = 512


class ValidatorSource:
    """Answers for any final parent. Safe in any thread."""

    def __init__(
        self,
        config: QbftConfig,
        block_store: BlockStore,
        state_store: StateStore,
        calls: CallRunner,
    ) -> None:
        """Take the source that the genesis file names."""
        self._config = config
        self._blocks = block_store
        self._states = state_store
        self._calls = calls
        self._sets: BoundedCache[Hash32, tuple[Address, ...]] = BoundedCache(_CACHED_SETS)
        self._tallies: BoundedCache[Hash32, VoteTally] = BoundedCache(_CACHED_TALLIES)

    def get_validators(self, parent: BlockHeader) -> tuple[Address, ...]:
        """Return the validators of height parent.number + 1, ascending."""
        contract = self._config.validator_contract
        if contract is None:
            return self.get_tally(parent).validators
        account = self._states.get_account(parent.state_root, contract)
        if account is None:
            raise ChainBug(f"the validator contract 0x{contract.hex()} is not in the state")
        validators = self._sets.get(account.storage_root)
        if validators is None:
            validators = self._ask(contract, parent)
            self._sets.put(account.storage_root, validators)
        return validators

    def get_tally(self, header: BlockHeader) -> VoteTally:
        """Return validators and open votes after a final block, in header-vote mode."""
        pending: list[tuple[Hash32, BlockHeader]] = []
        block_hash = compute_block_hash(header)
        tally = self._tallies.get(block_hash)
        while tally is None:
            if header.number % self._config.epoch_length == 0:
                tally = start_tally(decode_extra_data(header.extra_data))
                self._tallies.put(block_hash, tally)
                break
            pending.append((block_hash, header))
            block_hash = header.parent_hash
            parent = self._blocks.get_header(header.number - 1)
            if parent is None:
                raise ChainBug(f"the header of final block {header.number - 1} is missing")
            header = parent
            tally = self._tallies.get(block_hash)
        for pending_hash, pending_header in reversed(pending):
            tally = apply_header(tally, pending_header, self._config.epoch_length)
            self._tallies.put(pending_hash, tally)
        return tally

    def _ask(self, contract: Address, parent: BlockHeader) -> tuple[Address, ...]:
        result = self._calls.call(
            CallRequest(to=contract, data=GET_VALIDATORS_SELECTOR, gas=_CALL_GAS),
            parent,
            deadline=Deadline.never(),
        )
        if result.error is not None:
            raise ChainBug(f"getValidators() failed after block {parent.number}: {result.error}")
        return tuple(sorted(decode_addresses(result.output)))


def decode_addresses(output: bytes) -> list[Address]:
    """Read an ABI-encoded address[]; raises ChainBug for anything unusable."""
    start = int.from_bytes(output[:_WORD], "big")
    count = int.from_bytes(output[start : start + _WORD], "big")
    words = [
        output[position : position + _WORD]
        for position in range(
            start + _WORD, start + _WORD * (min(count, MAX_VALIDATORS) + 1), _WORD
        )
    ]
    addresses = [Address(word[12:]) for word in words]
    if (
        not 0 < count <= MAX_VALIDATORS
        or any(len(address) != 20 for address in addresses)
        or len(set(addresses)) != count
    ):
        raise ChainBug(f"getValidators() answered no usable set: 0x{output[:256].hex()}")
    return addresses

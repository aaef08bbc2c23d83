"""Calls without a transaction: reading contracts, rehearsing transactions, estimating gas."""

from dataclasses import replace
from typing import Final

from consensus.genesis_config import QbftConfig
from consensus.header import BlockHeader
from consensus.types import Hash32
from node.chain.block_store import BlockStore
from node.chain.deadline import Deadline
from node.chain.execution import BlockEnvironment, ExecutionEngine, make_environment
from node.chain.results import CallRequest, CallResult
from node.chain.state_store import StateStore
from node.chain.state_view import RootReader
from node.chain.transactions import compute_intrinsic_gas

_ESTIMATE_TOLERANCE: Final = 64
"""An estimate may lie above the least sufficient gas by one part in this many."""

_CALL_DEPTH_SHARE: Final = 64
"""A call passes on all but one part in this many of its gas (EIP-150)."""

_CALL_STIPEND: Final = 2_300


class CallRunner:
    """Runs messages on the state after any retained block. Safe in any thread."""

    def __init__(
        self,
        engine: ExecutionEngine,
        block_store: BlockStore,
        state_store: StateStore,
        *,
        chain_id: int,
        config: QbftConfig,
    ) -> None:
        """Use the same engine and rules as the blocks."""
        self._engine = engine
        self._blocks = block_store
        self._states = state_store
        self._chain_id = chain_id
        self._config = config

    def call(self, request: CallRequest, header: BlockHeader, *, deadline: Deadline) -> CallResult:
        """Execute a message in the block `header`, on the state after it; nothing is kept."""
        gas = header.gas_limit if request.gas is None else min(request.gas, header.gas_limit)
        return self._engine.call(
            request,
            self.get_environment(header),
            RootReader(self._states, header.state_root),
            gas=gas,
            deadline=deadline,
        )

    def estimate_gas(
        self, request: CallRequest, header: BlockHeader, *, deadline: Deadline
    ) -> CallResult:
        """Find a gas limit that suffices, at most 1/64 above the least one.

        Returns the successful result with that limit as `gas_used`, or the failing one.
        """
        highest = header.gas_limit if request.gas is None else min(request.gas, header.gas_limit)
        best = self.call(replace(request, gas=highest), header, deadline=deadline)
        if best.error is not None:
            return best
        intrinsic = compute_intrinsic_gas(
            data=request.data, is_create=request.to is None, access_list=request.access_list
        )
        lowest = max(best.gas_used, intrinsic) - 1
        # Most calls need what they use, plus what EIP-150 holds back at each nested call.
        guess = min(highest, (best.gas_used + _CALL_STIPEND) * _CALL_DEPTH_SHARE // 63)
        for candidate in (best.gas_used, guess):
            if lowest < candidate < highest:
                result = self.call(replace(request, gas=candidate), header, deadline=deadline)
                if result.error is None:
                    highest, best = candidate, result
                else:
                    lowest = candidate
        while highest - lowest > max(1, highest // _ESTIMATE_TOLERANCE):
            middle = (highest + lowest) // 2
            result = self.call(replace(request, gas=middle), header, deadline=deadline)
            if result.error is None:
                highest, best = middle, result
            else:
                lowest = middle
        return replace(best, gas_used=highest)

    def get_environment(self, header: BlockHeader) -> BlockEnvironment:
        """Return what opcodes see in the block with this header."""
        return make_environment(
            header,
            chain_id=self._chain_id,
            beneficiary=self._config.mining_beneficiary,
            block_reward=self._config.block_reward,
            get_block_hash=self._get_block_hash,
        )

    def _get_block_hash(self, height: int) -> Hash32 | None:
        return self._blocks.get_hash(height)

"""Methods about consensus: Besu's `qbft_*`, and how a block became final."""

from typing import Any, Final

from eth_typing import Address

from api.access.callers import Role
from api.errors import InvalidField, LimitExceeded
from api.jsonrpc.context import RpcContext, hash_of
from api.jsonrpc.hexes import write_data, write_optional_data, write_quantity
from api.jsonrpc.methods import rpc
from api.jsonrpc.params import BlockSelector, Params
from api.ports import Vote
from consensus.extra_data import decode_extra_data
from consensus.header import BlockHeader
from consensus.quorum import compute_quorum

DEFAULT_METRIC_BLOCKS: Final = 100
"""Blocks that `qbft_getSignerMetrics` covers when no range is given."""


class QbftMethods:
    """Validators, votes and finality."""

    def __init__(self, context: RpcContext) -> None:
        self._context = context
        self._node = context.node

    @rpc("qbft_getValidatorsByBlockNumber", "block")
    async def validators_by_number(self, params: Params) -> list[str] | None:
        """Return the validators entitled to seal a block, ascending."""
        params.check_count(1)
        return await self._validators(params.block(0))

    @rpc("qbft_getValidatorsByBlockHash", "hash")
    async def validators_by_hash(self, params: Params) -> list[str] | None:
        """Return the validators entitled to seal a block, ascending."""
        params.check_count(1)
        return await self._validators(BlockSelector(hash=params.hash(0)))

    @rpc("qbft_getSignerMetrics", "from block, to block = latest")
    async def signer_metrics(self, params: Params) -> list[dict[str, str]]:
        """Return how many blocks each validator proposed, and which was its last.

        The range is the last 100 blocks unless given.
        """
        params.check_count(2)
        newest = await self._context.get_header(params.block(1), "params[1]")
        first = max(0, newest.number - DEFAULT_METRIC_BLOCKS + 1)
        if params.has(0):
            first = (await self._context.get_header(params.block(0), "params[0]")).number
        if first > newest.number:
            raise InvalidField("params[0]", "the range ends before it starts")
        if newest.number - first >= self._context.limits.max_log_blocks:
            raise LimitExceeded("the range has too many blocks", field="params[0]")
        counts = dict.fromkeys(await self._node.get_validators(newest), (0, 0))
        for header in await self._node.get_headers(max(first, 1), newest.number):
            count, _ = counts.get(header.coinbase, (0, 0))
            counts[header.coinbase] = (count + 1, header.number)
        return [
            {
                "address": write_data(address),
                "proposedBlockCount": write_quantity(count),
                "lastProposedBlockNumber": write_quantity(last),
            }
            for address, (count, last) in counts.items()
        ]

    @rpc("qbft_getRequestTimeoutSeconds", "")
    async def request_timeout(self, params: Params) -> int:
        """Return the timer of consensus round 0, in seconds."""
        params.check_count(0)
        return int(self._node.identity.request_timeout_s)

    @rpc("qbft_getPendingVotes", "")
    async def pending_votes(self, params: Params) -> dict[str, bool]:
        """Return this node's standing votes (header-vote mode only)."""
        params.check_count(0)
        return {write_data(vote.recipient): vote.add for vote in await self._node.get_votes()}

    @rpc("qbft_proposeValidatorVote", "address, add", role=Role.ADMIN)
    async def propose_vote(self, params: Params) -> bool:
        """Vote for adding or removing a validator (header-vote mode only).

        In contract mode the registry decides.
        """
        params.check_count(2)
        if not params.has(1):
            raise InvalidField("params[1]", "expected true (add) or false (remove)")
        vote = Vote(recipient=params.address(0), add=params.flag(1, default=False))
        await self._node.propose_vote(vote)
        return True

    @rpc("qbft_discardValidatorVote", "address", role=Role.ADMIN)
    async def discard_vote(self, params: Params) -> bool:
        """Withdraw a standing vote (header-vote mode only)."""
        params.check_count(1)
        await self._node.discard_vote(params.address(0))
        return True

    @rpc("atesta_getFinality", "block = latest")
    async def finality(self, params: Params) -> dict[str, Any] | None:
        """Return who was entitled to seal a block, who did, in which round, and the quorum."""
        params.check_count(1)
        header = await self._context.find_header(params.block(0))
        if header is None:
            return None
        validators = await self._node.get_validators(header)
        sealers = await self._node.get_sealers(header)
        quorum = compute_quorum(len(validators)) if validators else 0
        return {
            "blockNumber": write_quantity(header.number),
            "blockHash": write_data(hash_of(header)),
            "timestamp": write_quantity(header.timestamp),
            "round": write_quantity(_round_of(header)),
            "proposer": None if header.number == 0 else write_optional_data(header.coinbase),
            "validators": _write_all(validators),
            "sealers": _write_all(sealers),
            "quorum": write_quantity(quorum),
            # Genesis is final by agreement on the file, not by seals.
            "final": header.number == 0 or len(set(sealers) & set(validators)) >= quorum,
        }

    async def _validators(self, selector: BlockSelector) -> list[str] | None:
        header = await self._context.find_header(selector)
        if header is None:
            return None
        return _write_all(await self._node.get_validators(header))


def _write_all(addresses: tuple[Address, ...]) -> list[str]:
    return [write_data(address) for address in addresses]


def _round_of(header: BlockHeader) -> int:
    return 0 if header.number == 0 else decode_extra_data(header.extra_data).round

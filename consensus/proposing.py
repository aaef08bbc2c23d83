"""What a proposer puts forward: the prepared block if there is one, a fresh block otherwise."""

from collections.abc import Sequence
from dataclasses import replace

from consensus.block import Block
from consensus.context import Context
from consensus.effects import BuildBlock
from consensus.extra_data import ExtraData, encode_extra_data
from consensus.header import with_round
from consensus.height_state import HeightState
from consensus.justification import get_highest_prepared
from consensus.messages import RoundChange
from consensus.payloads import PreparePayload, Signed
from consensus.timeouts import compute_build_budget_ms, compute_timestamp
from consensus.types import Address, Round


def find_prepared_block(
    round_changes: Sequence[RoundChange], target: Round
) -> tuple[Block, tuple[Signed[PreparePayload], ...]] | None:
    """Return the block that must be proposed again in `target`, with its prepares.

    `round_changes` are validated. The block keeps its coinbase and timestamp; only the round in
    its extraData changes, so its block hash stays the same.
    """
    best = get_highest_prepared(message.signed for message in round_changes)
    if best is None:
        return None
    for message in round_changes:
        if message.signed.payload.prepared == best and message.block is not None:
            header = with_round(message.block.header, target)
            return replace(message.block, header=header), message.prepares
    raise AssertionError("a validated round change carries the block that it names")


def make_build_request(context: Context, height: HeightState, coinbase: Address) -> BuildBlock:
    """Return the effect that asks for a fresh block in the current round."""
    validators = () if context.config.is_contract_mode else height.validators
    extra_data = ExtraData(
        vanity=context.vanity,
        validators=validators,
        vote=height.vote,
        round=height.round.number,
    )
    return BuildBlock(
        parent=height.parent,
        height=height.number,
        round=height.round.number,
        timestamp=compute_timestamp(context.config, height.parent, context.now_ms),
        coinbase=coinbase,
        extra_data=encode_extra_data(extra_data),
        budget_ms=compute_build_budget_ms(context.config),
    )

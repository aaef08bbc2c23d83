"""How long a round lasts, and when a block is due.

Round r lasts `request_timeout * 2**r`: if messages are slower than expected, some later round is
long enough. The doubling stops at 2**6, because without a cap an outage that outlasts a few rounds
turns into days of waiting after its cause is gone (a public network once waited 91 hours).

A block is due one period after its parent: by the parent's timestamp when periods are whole
seconds, by the moment of the parent's import when they are milliseconds.
"""

from consensus.genesis_config import QbftConfig
from consensus.header import BlockHeader
from consensus.types import Round

MAX_DOUBLINGS = 6
MS_PER_S = 1_000


def compute_round_timeout_ms(config: QbftConfig, round_number: Round) -> int:
    """Return the length of a round in milliseconds."""
    return int(config.request_timeout_s * MS_PER_S * 2 ** min(round_number, MAX_DOUBLINGS))


def compute_period_ms(config: QbftConfig) -> int:
    """Return the block period in milliseconds."""
    if config.block_period_ms is not None:
        return config.block_period_ms
    return config.block_period_s * MS_PER_S


def compute_block_due_ms(config: QbftConfig, parent: BlockHeader, imported_ms: int) -> int:
    """Return the wall-clock moment, in milliseconds, before which nothing is sent."""
    if config.block_period_ms is not None:
        return imported_ms + config.block_period_ms
    return (parent.timestamp + config.block_period_s) * MS_PER_S


def compute_empty_block_due_ms(config: QbftConfig, parent: BlockHeader, imported_ms: int) -> int:
    """Return the moment at which even an empty block is proposed."""
    due_ms = compute_block_due_ms(config, parent, imported_ms)
    return max(due_ms, (parent.timestamp + config.empty_block_period_s) * MS_PER_S)


def compute_timestamp(config: QbftConfig, parent: BlockHeader, now_ms: int) -> int:
    """Return the timestamp, in seconds, of a block built now on `parent`."""
    period_s = 0 if config.block_period_ms is not None else config.block_period_s
    return max(now_ms // MS_PER_S, parent.timestamp + period_s)


def compute_build_budget_ms(config: QbftConfig) -> int:
    """Return how long a builder may run: half a period, the other half is for agreeing."""
    return max(1, compute_period_ms(config) // 2)


def compute_validation_budget_ms(config: QbftConfig, round_number: Round) -> int:
    """Return how long a validator may execute a proposal: half the round.

    It grows with the rounds, so a block that an honest but faster machine built gets through.
    """
    return max(1, compute_round_timeout_ms(config, round_number) // 2)

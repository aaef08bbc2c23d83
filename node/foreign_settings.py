"""What an operator decides about another network behind the API, where there is one."""

from dataclasses import dataclass
from typing import Annotated, Final

from node.setting_fields import Rule

TAGS: Final = ("finalized", "safe", "latest")
"""The blocks that nodes of Ethereum networks name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignSettings:
    """Another network behind `atesta api --contracts`: what to believe, and what to pay."""

    finality: Annotated[
        str,
        Rule(
            "Block up to which the API reads: `finalized`, `safe` or `latest`. Only where a block "
            "is final at once, as with QBFT on Besu, is `latest` safe."
        ),
    ] = "finalized"
    max_fee_gwei: Annotated[
        int, Rule("Most that is offered for a unit of gas, gwei.", low=0, high=10**9)
    ] = 100
    priority_fee_gwei: Annotated[
        int | None,
        Rule(
            "Offered on top of the base fee, gwei; absent: what the node suggests.",
            low=0,
            high=10**9,
        ),
    ] = None
    replace_after_s: Annotated[
        int,
        Rule(
            "Seconds after which a transaction whose offer became too low is offered for more.",
            low=5,
            high=86_400,
        ),
    ] = 60
    poll_ms: Annotated[
        int, Rule("Pause between two questions for a new block, milliseconds.", low=50, high=60_000)
    ] = 500

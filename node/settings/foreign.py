"""What an operator decides about another network behind the API, where there is one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from node.settings.fields import Rule

TAGS: Final = ("finalized", "safe", "latest")
"""The blocks that nodes of Ethereum networks name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignSettings:
    """Another network behind `atesta api`: where it is, what to believe, and what to pay."""

    rpc_url: Annotated[
        str | None,
        Rule("JSON-RPC of a node of that network, for commands that are given no `--rpc-url`."),
    ] = None
    rpc_token_file: Annotated[
        Path | None, Rule("File with the bearer token that this node asks for.")
    ] = None
    contracts_file: Annotated[
        Path | None,
        Rule(
            "Deployment file of `atesta contracts deploy`, for commands that are given no "
            "`--contracts`. With it the ledger is on that network, for every command."
        ),
    ] = None
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

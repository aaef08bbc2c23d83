"""Options that several groups of commands have in common, each explained in one way."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Option("--config", help="The node's settings file (TOML).")]
RpcTokenFile = Annotated[
    Path | None,
    typer.Option("--rpc-token-file", help="File with the bearer token that the node asks for."),
]

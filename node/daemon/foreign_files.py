"""The files that say how to reach another network and where the ledger stands there.

A command names them, or the settings do (`[foreign]`), which then holds for every command.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from api.finality import Tag, report
from api.networks.fees import GWEI, FeePolicy
from api.networks.foreign import ForeignNetwork
from contracts.deployment import Deployment, decode_deployment
from contracts.errors import DeploymentInvalid
from node.errors import UserFault
from node.keys.secret_files import read_secret_file
from node.settings import Settings

_TOKEN = re.compile(rb"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """What is behind an API, as a command and the settings name it together."""

    rpc_url: str | None
    """JSON-RPC of the node; None where neither names one."""
    rpc_token: str | None = field(repr=False)
    foreign: ForeignNetwork | None
    """The network of the deployment file; None for a node of ours."""

    @property
    def headers(self) -> dict[str, str]:
        """What goes with every request to the node."""
        return {} if self.rpc_token is None else {"Authorization": f"Bearer {self.rpc_token}"}


def find_behind(
    settings: Settings,
    *,
    rpc_url: str | None = None,
    rpc_token_file: Path | None = None,
    contracts_file: Path | None = None,
) -> Behind:
    """Return what a command shall read; what it is given goes before the settings.

    A node that the command names gets no token of the settings, which may be another node's.
    Raises UserFault for a file that cannot be used.
    """
    told = settings.foreign
    token_file = rpc_token_file or (told.rpc_token_file if rpc_url is None else None)
    deployment_file = contracts_file or told.contracts_file
    return Behind(
        rpc_url=rpc_url or told.rpc_url,
        rpc_token=None if token_file is None else read_token(token_file),
        foreign=None if deployment_file is None else make_foreign(settings, deployment_file),
    )


def read_deployment(path: Path) -> Deployment:
    """Read a deployment file; raises UserFault if it cannot be used."""
    try:
        return decode_deployment(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserFault("cannot be read", field=str(path)) from error
    except DeploymentInvalid as error:
        raise UserFault(
            f"is no deployment file: {error}",
            field=str(path),
            next_step="Give the file that `atesta contracts deploy` wrote",
        ) from error


def read_token(path: Path) -> str:
    """Read a bearer token; raises UserFault for a file that holds none."""
    text = read_secret_file(path).strip()
    if not _TOKEN.fullmatch(text):
        raise UserFault("holds no bearer token", field=str(path))
    return text.decode("ascii")


def make_foreign(settings: Settings, contracts_file: Path) -> ForeignNetwork:
    """Return the network of a deployment file; raises UserFault if it cannot be used."""
    deployment = read_deployment(contracts_file)
    if not deployment.is_complete:
        raise UserFault(
            "is of a deployment that is not complete",
            field=str(contracts_file),
            next_step="Run `atesta contracts deploy` again; it goes on where it stopped",
        )
    return ForeignNetwork(
        deployment=deployment,
        finality=report(cast("Tag", settings.foreign.finality)),
        fees=_make_fee_policy(settings),
        poll_s=settings.foreign.poll_ms / 1000,
    )


def _make_fee_policy(settings: Settings) -> FeePolicy:
    foreign = settings.foreign
    priority = foreign.priority_fee_gwei
    return FeePolicy(
        max_fee=foreign.max_fee_gwei * GWEI,
        priority_fee=None if priority is None else priority * GWEI,
        replace_after_s=foreign.replace_after_s,
    )

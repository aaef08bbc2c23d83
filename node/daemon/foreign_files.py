"""The files that say how to reach another network and where the ledger stands there."""

import re
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

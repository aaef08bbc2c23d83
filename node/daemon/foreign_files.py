"""The files that say how to reach another network and where the ledger stands there."""

import re
from pathlib import Path

from contracts.deployment import Deployment, decode_deployment
from contracts.errors import DeploymentInvalid
from node.errors import UserFault
from node.keys.secret_files import read_secret_file

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

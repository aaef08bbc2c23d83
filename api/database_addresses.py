"""Where a database is: a file, or an SQLAlchemy address of SQLite or PostgreSQL.

An address stands in a settings file and may be shown, so it holds no password; the password is in a
file that PostgreSQL's client library reads (`passfile`, or the environment's `PGPASSFILE`). What is
read from a database on another machine must not be overheard, so such an address asks for TLS.
"""

import ipaddress
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from api.errors import InvalidField

_BACKENDS: Final = ("sqlite", "postgresql")
_TLS_MODES: Final = ("require", "verify-ca", "verify-full")


def read_address(address: Path | str, *, field: str = "database") -> URL:
    """Return the SQLAlchemy address; a file's folder is made. Raises `InvalidField` without it."""
    if isinstance(address, Path):
        address.parent.mkdir(parents=True, exist_ok=True)
        return URL.create("sqlite", database=str(address))
    try:
        url = make_url(address)
        backend = url.get_backend_name()
    except ArgumentError:
        # Neither the message nor its cause may show the address.
        raise InvalidField(field, "this is no SQLAlchemy address") from None
    if backend not in _BACKENDS:
        raise InvalidField(field, "only sqlite:// and postgresql:// are served")
    return url


def check_setting(address: str, *, field: str) -> str:
    """Return an address that may stand in a settings file; raises `InvalidField`."""
    url = read_address(address, field=field)
    if url.get_backend_name() == "sqlite":
        return address
    if url.password is not None or "password" in url.query:
        raise InvalidField(
            field,
            "an address in the settings holds no password",
            next_step="write it into a password file (chmod 600) and add ?passfile=/path/to/it",
        )
    if not all(_is_local(host) for host in _list_hosts(url)) and (
        url.query.get("sslmode") not in _TLS_MODES
    ):
        raise InvalidField(
            field,
            "a database on another machine needs TLS",
            next_step="add ?sslmode=verify-full&sslrootcert=/path/to/the/authority.crt",
        )
    return address


def _list_hosts(url: URL) -> list[str]:
    """Return every host that the client library may try; none for the local socket."""
    hosts = [] if url.host is None else [url.host]
    for name in ("host", "hostaddr"):
        given = url.query.get(name, ())
        for item in (given,) if isinstance(given, str) else given:
            # Several hosts stand in one value, each with a port of its own.
            hosts += [host.rpartition(":")[0] or host for host in item.split(",")]
    return hosts


def _is_local(host: str) -> bool:
    if host in {"", "localhost"} or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False

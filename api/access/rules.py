"""The file `api.access_file`: providers, certificates and limits, in TOML.

    [limits]                     # of every caller that has none of its own
    reads = "6000/min"
    writes = "600/min"
    exports = "10/min"
    strangers = "600/min"        # requests without a caller, by address

    [[oidc]]
    issuer = "https://login.agency.example/realms/staff"
    audience = "atesta"
    algorithms = ["RS256", "ES256"]
    name_claim = "preferred_username"
    roles_claim = ["realm_access", "roles"]
    [oidc.roles]
    "atesta-officers" = ["officer", "issuer"]

    [certificates]
    authorities = "clients.pem"
    [[certificates.machine]]
    name = "tax-system"
    fingerprint = "4f:0c:..."
    roles = ["issuer"]

Paths start at the folder of the file. An unknown member, a wrong type or an unknown role is refused
by name. A running server reads the file again when it changes; while it cannot be read, nobody is
let in by a provider or a certificate.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from api.access.callers import Role
from api.access.certificates import Machine, Machines, read_fingerprint
from api.access.issuer_keys import KINDS, is_safe_address
from api.access.limits import (
    DEFAULT_LIMITS,
    STRANGERS,
    Limits,
    Quota,
    parse_limits,
    parse_quota,
)
from api.access.oidc import DEFAULT_ALGORITHMS, Provider
from api.access.persons import read_person
from api.errors import InvalidField

FIELD: Final = "api.access_file"

MAX_LEEWAY_S: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRules:
    """What the file says."""

    limits: Limits = DEFAULT_LIMITS
    strangers: Quota = STRANGERS
    providers: tuple[Provider, ...] = ()
    provider_authorities: Mapping[str, Path]
    """PEM file of a provider's own authority, by issuer, where it is no public one."""
    certificates: Machines | None = None

    @property
    def asks_for_proof(self) -> bool:
        """Whether there is a provider or a certificate by which callers are known."""
        return bool(self.providers) or self.certificates is not None


NO_RULES: Final = AccessRules(provider_authorities={})
"""What holds without a file."""


def load_rules(path: Path) -> AccessRules:
    """Read the file; raises `InvalidField` that names the member at fault."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidField(FIELD, "the access file cannot be read") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidField(FIELD, f"the access file is not TOML: {error}") from error
    _check_members(document, "", {"limits", "oidc", "certificates"})
    limits, strangers = _read_limits(document.get("limits", {}))
    tables = document.get("oidc", [])
    if not isinstance(tables, list):
        raise _refuse("oidc", "each provider is a table of its own, [[oidc]]")
    providers = tuple(_read_provider(table, f"oidc[{i}]") for i, table in enumerate(tables))
    issuers = [provider.issuer for provider in providers]
    if len(set(issuers)) != len(issuers):
        raise _refuse("oidc", "an issuer is named twice")
    certificates = document.get("certificates")
    return AccessRules(
        limits=limits,
        strangers=strangers,
        providers=providers,
        provider_authorities={
            provider.issuer: _read_file(table["authority"], path.parent, f"oidc[{i}].authority")
            for i, (provider, table) in enumerate(zip(providers, tables, strict=True))
            if "authority" in table
        },
        certificates=(
            None if certificates is None else _read_certificates(certificates, path.parent)
        ),
    )


def _read_limits(table: Any) -> tuple[Limits, Quota]:
    if not isinstance(table, dict):
        raise _refuse("limits", "must be a table")
    own = {name: text for name, text in table.items() if name != "strangers"}
    strangers = (
        parse_quota(table["strangers"], f"{FIELD}: limits.strangers")
        if "strangers" in table
        else STRANGERS
    )
    return parse_limits(own, f"{FIELD}: limits").over(DEFAULT_LIMITS), strangers


def _read_provider(table: Any, where: str) -> Provider:
    known = {"issuer", "audience", "algorithms", "name_claim", "roles_claim", "leeway_s"}
    known |= {"limits", "roles", "authority", "refused", "person_claim"}
    _check_members(table, where, known)
    issuer = _read_text(table, "issuer", where)
    if not is_safe_address(issuer):
        raise _refuse(f"{where}.issuer", "must be an https address")
    algorithms = _read_texts(table.get("algorithms", list(DEFAULT_ALGORITHMS)), where, "algorithms")
    for algorithm in algorithms:
        if algorithm not in KINDS:
            raise _refuse(f"{where}.algorithms", f"may be: {', '.join(KINDS)}")
    leeway_s = table.get("leeway_s", 30)
    if isinstance(leeway_s, bool) or not isinstance(leeway_s, int):
        raise _refuse(f"{where}.leeway_s", "must be a number of seconds")
    if not 0 <= leeway_s <= MAX_LEEWAY_S:
        raise _refuse(f"{where}.leeway_s", f"must be 0 to {MAX_LEEWAY_S}")
    roles = table.get("roles", {})
    if not isinstance(roles, dict):
        raise _refuse(f"{where}.roles", "must be a table: a value of the claim, and its roles")
    return Provider(
        issuer=issuer,
        audiences=_read_texts(table.get("audience"), where, "audience"),
        roles={
            value: _read_roles(given, f"{where}.roles.{value}") for value, given in roles.items()
        },
        algorithms=algorithms,
        name_claim=_read_text(table, "name_claim", where, "sub"),
        person_claim=(
            _read_text(table, "person_claim", where) if "person_claim" in table else None
        ),
        roles_claim=_read_texts(table.get("roles_claim", "roles"), where, "roles_claim"),
        refused=frozenset(
            _read_texts(table["refused"], where, "refused") if "refused" in table else ()
        ),
        leeway_s=leeway_s,
        limits=parse_limits(table.get("limits", {}), f"{FIELD}: {where}.limits"),
    )


def _read_certificates(table: Any, folder: Path) -> Machines:
    _check_members(table, "certificates", {"authorities", "machine"})
    entries = table.get("machine", [])
    if not isinstance(entries, list):
        raise _refuse("certificates.machine", "each machine is a table, [[certificates.machine]]")
    machines = tuple(
        _read_machine(entry, f"certificates.machine[{i}]") for i, entry in enumerate(entries)
    )
    _check_once(machines, "names", lambda machine: machine.name)
    _check_once(machines, "fingerprints", lambda machine: machine.fingerprint)
    _check_once(machines, "subjects", lambda machine: machine.subject)
    return Machines(
        authorities=_read_file(
            _read_text(table, "authorities", "certificates"), folder, "certificates.authorities"
        ),
        machines=machines,
    )


def _read_machine(entry: Any, where: str) -> Machine:
    _check_members(entry, where, {"name", "fingerprint", "subject", "roles", "limits", "person"})
    fingerprint = subject = None
    if ("fingerprint" in entry) == ("subject" in entry):
        raise _refuse(where, "needs either fingerprint or subject")
    if "fingerprint" in entry:
        fingerprint = read_fingerprint(_read_text(entry, "fingerprint", where))
        if fingerprint is None:
            raise _refuse(f"{where}.fingerprint", "must be a SHA-256 in 64 hex digits")
    else:
        subject = _read_text(entry, "subject", where)
    return Machine(
        name=_read_text(entry, "name", where),
        roles=_read_roles(entry.get("roles"), f"{where}.roles"),
        fingerprint=fingerprint,
        subject=subject,
        limits=parse_limits(entry.get("limits", {}), f"{FIELD}: {where}.limits"),
        person=read_person(entry.get("person"), f"{FIELD}: {where}.person"),
    )


def _check_once(
    machines: tuple[Machine, ...], what: str, read: Callable[[Machine], str | None]
) -> None:
    values = [value for machine in machines if (value := read(machine)) is not None]
    if len(set(values)) != len(values):
        raise _refuse("certificates.machine", f"two machines have equal {what}")


def _check_members(table: Any, where: str, known: set[str]) -> None:
    if not isinstance(table, dict):
        raise _refuse(where or "file", "must be a table")
    for name in table:
        if name not in known:
            place = f"{where}.{name}" if where else name
            raise _refuse(place, f"is unknown; known are {', '.join(sorted(known))}")


def _read_text(table: Mapping[str, Any], name: str, where: str, default: str | None = None) -> str:
    value = table.get(name, default)
    if not isinstance(value, str) or not value:
        raise _refuse(f"{where}.{name}", "must be a text that is not empty")
    return value


def _read_texts(value: Any, where: str, name: str) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if (
        not isinstance(values, list)
        or not values
        or not all(isinstance(part, str) and part for part in values)
    ):
        raise _refuse(f"{where}.{name}", "must be a text or a list of texts")
    return tuple(values)


def _read_roles(value: Any, where: str) -> frozenset[Role]:
    if not isinstance(value, list) or not value:
        raise _refuse(where, "must be a list of roles")
    try:
        return frozenset(Role(role) for role in value)
    except ValueError:
        raise _refuse(where, f"may hold: {', '.join(Role)}") from None


def _read_file(value: Any, folder: Path, where: str) -> Path:
    if not isinstance(value, str) or not value:
        raise _refuse(where, "must be the path of a PEM file")
    path = folder / value
    if not path.is_file():
        raise _refuse(where, "the file does not exist")
    return path


def _refuse(where: str, reason: str) -> InvalidField:
    return InvalidField(f"{FIELD}: {where}", reason, next_step="see docs/access.md")

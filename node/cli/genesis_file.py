"""Reading a group's founding document: TOML in, `GenesisSpec` out, every mistake with its key.

    chain_id = 4021

    [qbft]
    block_period_s = 1

    [governance]                        # how long decisions wait; all of it can be left out
    grave_delay_s = 604800

    [[agencies]]                        # one for each agency; `atesta init` writes its own
    label = "mo-health-bureau"
    jurisdiction = "MO"
    roles = ["ADMIN", "GOVERN", "ISSUE", "SCHEMA"]
    validators = ["0x…"]
    tls_pins = ["0x…"]
    accounts = [{ address = "0x…", roles = ["ADMIN", "GOVERN", "ISSUE"] }]

The group's rules and the agencies' blocks may be in one file or in several.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from eth_typing import Address, Hash32

from contracts.codes import Role
from contracts.errors import ContractError
from contracts.genesis_spec import AccountSpec, AgencySpec, GenesisSpec, GovernanceSpec, QbftSpec
from contracts.labels import encode_label
from node.errors import UserFault

_AGENCY_KEYS = frozenset(
    {"label", "jurisdiction", "profile_hash", "roles", "accounts", "validators", "tls_pins"}
)
_ACCOUNT_KEYS = frozenset({"address", "roles"})
_TOP_KEYS = frozenset(
    {
        "chain_id",
        "minimum_validators",
        "late_after_s",
        "gas_limit",
        "timestamp",
        "is_header_vote",
    }
)


class FoundingInvalid(UserFault):
    """A founding document that cannot be used; `field` is the dotted key."""


def read_founding(paths: Sequence[Path]) -> GenesisSpec:
    """Read and join founding documents; raises FoundingInvalid naming file and key.

    Whether the whole makes a usable ledger is judged by `contracts.genesis`.
    """
    top: dict[str, Any] = {}
    agencies: list[AgencySpec] = []
    for path in paths:
        document = _read_toml(path)
        for number, item in enumerate(_take(document, "agencies", list, [])):
            agencies.append(_parse_agency(f"agencies[{number}]", item))
        for key, value in document.items():
            if key in top:
                raise FoundingInvalid("is given twice", field=key)
            top[key] = value
    qbft = _parse_rules("qbft", _take(top, "qbft", dict, {}), QbftSpec)
    governance = _parse_rules("governance", _take(top, "governance", dict, {}), GovernanceSpec)
    if "chain_id" not in top:
        raise FoundingInvalid(
            "is missing", field="chain_id", next_step="Choose a number that no other network has"
        )
    _refuse_unknown("", top, _TOP_KEYS)
    return GenesisSpec(agencies=tuple(agencies), qbft=qbft, governance=governance, **top)


def read_agencies(path: Path) -> tuple[AgencySpec, ...]:
    """Read the `[[agencies]]` blocks of one file; raises FoundingInvalid naming file and key."""
    document = _read_toml(path)
    items = _take(document, "agencies", list, [])
    return tuple(_parse_agency(f"agencies[{number}]", item) for number, item in enumerate(items))


def format_agency(
    *, label: str, jurisdiction: str, roles: Role, account: Address, validator: Address, pin: Hash32
) -> str:
    """Return the `[[agencies]]` block of one agency."""
    names = ", ".join(f'"{role.name}"' for role in roles)
    return (
        "# What the other agencies need to know of this one to found a network with it.\n"
        "[[agencies]]\n"
        f'label = "{label}"\n'
        f'jurisdiction = "{jurisdiction}"\n'
        f"roles = [{names}]\n"
        f'validators = ["0x{validator.hex()}"]\n'
        f'tls_pins = ["0x{pin.hex()}"]\n'
        f'accounts = [{{ address = "0x{account.hex()}", roles = [{names}] }}]\n'
    )


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FoundingInvalid(f"cannot be read: {error.strerror}", field=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FoundingInvalid(f"is not TOML: {error}", field=str(path)) from error


def _parse_rules(
    name: str, table: dict[str, Any], kind: type[QbftSpec] | type[GovernanceSpec]
) -> Any:
    _refuse_unknown(f"{name}.", table, frozenset(item.name for item in fields(kind)))
    return kind(**table)


def _parse_agency(field: str, item: Any) -> AgencySpec:
    if not isinstance(item, dict):
        raise FoundingInvalid("is not a table", field=field)
    _refuse_unknown(f"{field}.", item, _AGENCY_KEYS)
    roles = _parse_roles(f"{field}.roles", item.get("roles"))
    accounts = []
    for number, account in enumerate(_take(dict(item), "accounts", list, [])):
        place = f"{field}.accounts[{number}]"
        if not isinstance(account, dict):
            raise FoundingInvalid("is not a table", field=place)
        _refuse_unknown(f"{place}.", account, _ACCOUNT_KEYS)
        accounts.append(
            AccountSpec(
                address=Address(_parse_hex(f"{place}.address", account.get("address"), 20)),
                roles=_parse_roles(f"{place}.roles", account.get("roles")),
            )
        )
    return AgencySpec(
        agency_id=_parse_label(f"{field}.label", item.get("label")),
        jurisdiction=_parse_label(f"{field}.jurisdiction", item.get("jurisdiction")),
        profile_hash=Hash32(
            _parse_hex(f"{field}.profile_hash", item.get("profile_hash", "0x" + 64 * "0"), 32)
        ),
        roles=roles,
        accounts=tuple(accounts),
        validators=tuple(
            Address(_parse_hex(f"{field}.validators[{number}]", value, 20))
            for number, value in enumerate(_take(dict(item), "validators", list, []))
        ),
        tls_pins=tuple(
            Hash32(_parse_hex(f"{field}.tls_pins[{number}]", value, 32))
            for number, value in enumerate(_take(dict(item), "tls_pins", list, []))
        ),
    )


def _parse_roles(field: str, names: Any) -> Role:
    roles = Role(0)
    if not isinstance(names, list) or not names:
        raise FoundingInvalid("must be a list of roles", field=field)
    for name in names:
        if name not in Role.__members__:
            known = ", ".join(Role.__members__)
            raise FoundingInvalid(f"{name!r} is no role; known are {known}", field=field)
        roles |= Role[name]
    return roles


def _parse_label(field: str, text: Any) -> Hash32:
    try:
        return encode_label(text if isinstance(text, str) else "")
    except ContractError as error:
        raise FoundingInvalid(str(error), field=field) from error


def _parse_hex(field: str, text: Any, size: int) -> bytes:
    try:
        value = bytes.fromhex(text.removeprefix("0x")) if isinstance(text, str) else b""
    except ValueError:
        value = b""
    if len(value) != size:
        raise FoundingInvalid(f"must be 0x and {2 * size} hexadecimal digits", field=field)
    return value


def _take(table: dict[str, Any], key: str, kind: type, default: Any) -> Any:
    value = table.pop(key, default)
    if not isinstance(value, kind):
        raise FoundingInvalid(f"must be a {'list' if kind is list else 'table'}", field=key)
    return value


def _refuse_unknown(prefix: str, table: dict[str, Any], known: frozenset[str]) -> None:
    for key in table:
        if key not in known:
            names = ", ".join(sorted(known))
            raise FoundingInvalid(f"is an unknown key; known are {names}", field=prefix + key)

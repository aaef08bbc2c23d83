"""Taking a call of the ledger's contracts apart into typed values, or refusing it by its field.

Everything that the outbox signs, everything a caller hands in signed, and everything a peer passes
on goes through `read_call`. What it lets through is a known function of a known contract, encoded
in the one canonical way (bytes behind the last argument, or in the gaps between two, would be
carried to every node and read by no contract), whose every argument is a value of its kind.
Arguments that hold a call or a decision of their own are opened as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.abi import collapse_if_tuple

from api.errors import InvalidField
from api.firewall.kinds import CALL, PAYLOAD, Kind, find_decision_kind, find_kind
from api.firewall.values import Value
from contracts import codec
from contracts.decisions import PAYLOADS, DecisionKind, decode_payload, encode_payload
from contracts.errors import CodecError
from contracts.loader import load_artifact

MAX_DEPTH: Final = 2
"""Calls inside a call: one posted late inside one signed elsewhere."""

_SELECTOR = 4
_LATE: Final = "act_late"
_RELAY: Final = "relay"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedField:
    """One argument of a call, or one part of it."""

    path: str
    """Such as `terms.subject` or `entries.0.terms.grantee`."""
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCall:
    """A call that consists of typed values only."""

    contract: str
    function: str
    """The innermost one: what is signed or posted late is named, not how it is carried."""
    fields: tuple[CheckedField, ...]
    """All values, those of the calls around it included."""

    def list_values(self, kind: Kind) -> list[tuple[str, Any]]:
        """Return path and data of every value of a kind, but for those left out (zeros)."""
        return [
            (field.path, field.value.data)
            for field in self.fields
            if isinstance(field.value, kind) and field.value.data not in _NOTHING
        ]


_NOTHING: Final = (bytes(32), bytes(20), 0)


def read_call(
    contract: str, data: bytes, *, is_strict: bool = False, field: str = "data"
) -> CheckedCall:
    """Return a call as typed values; raises `InvalidField` that names what is refused.

    `is_strict` holds commitments to the measure for what nobody here computed or saw opened;
    `field` names the call itself, for what is wrong with the whole.
    """
    function, fields = _read(contract, data, is_strict, field, 0)
    return CheckedCall(contract=contract, function=function, fields=tuple(fields))


def _read(
    contract: str, data: bytes, is_strict: bool, field: str, depth: int
) -> tuple[str, list[CheckedField]]:
    plan = _get_plans(contract).get(data[:_SELECTOR])
    if plan is None:
        raise InvalidField(field, "this is no act of a contract of the ledger")
    try:
        args = codec.decode_call(contract, data).args
    except CodecError:
        raise InvalidField(field, f"cannot be read as a call of {plan.function}") from None
    values = [_to_abi(args[name]) for name in plan.names]
    if encode(plan.types, values) != data[_SELECTOR:]:
        raise InvalidField(
            field,
            f"is not the canonical encoding of a call of {plan.function}",
            next_step="encode it anew, with nothing behind or between the arguments",
        )
    function = plan.function
    fields: list[CheckedField] = []
    for name in plan.names:
        if name == CALL:
            if depth == MAX_DEPTH or (depth and plan.function == _RELAY):
                raise InvalidField(f"{field}.{CALL}", "calls are nested too deep")
            function, inner = _read(contract, args[name], is_strict, _join(field, CALL), depth + 1)
            fields += inner
        elif name == PAYLOAD:
            fields += _read_decision(args["kind"], args[name], field=PAYLOAD)
        else:
            fields += _type(plan, name, args[name], name, is_strict=is_strict)
    return function, fields


def _type(
    plan: "_Plan", name: str, value: Any, path: str, *, is_strict: bool
) -> Iterator[CheckedField]:
    """Yield the typed values of an argument: itself, its members, or the parts of a struct."""
    if isinstance(value, Mapping):
        for part, inner in value.items():
            yield from _type(plan, part, inner, f"{path}.{part}", is_strict=is_strict)
    elif isinstance(value, tuple):
        for place, inner in enumerate(value):
            yield from _type(plan, name, inner, f"{path}.{place}", is_strict=is_strict)
    else:
        kind = find_kind(plan.contract, plan.function, name)
        assert kind is not None, f"{plan.contract}.{plan.function}: {name} has no kind"
        yield CheckedField(path=path, value=kind.of(value, path, is_strict=is_strict))


def _read_decision(number: int, payload: bytes, *, field: str) -> Iterator[CheckedField]:
    try:
        args = decode_payload(number, payload)
        kind = DecisionKind(number)
        is_canonical = encode_payload(kind, list(args.values())) == payload
    except (CodecError, ValueError):
        raise InvalidField(field, "is not the payload of a decision of this kind") from None
    if not is_canonical:
        raise InvalidField(field, "is not the canonical encoding of its decision")
    for name, _ in PAYLOADS[kind]:
        value_kind = find_decision_kind(kind, name)
        assert value_kind is not None, f"{kind.name}: {name} has no kind"
        path = f"{field}.{name}"
        yield CheckedField(path=path, value=value_kind.of(args[name], path))


def _join(field: str, name: str) -> str:
    return name if field == "data" else f"{field}.{name}"


def _to_abi(value: Any) -> Any:
    """Turn what the codec decoded back into what the ABI encodes: structs as tuples."""
    if isinstance(value, Mapping):
        return tuple(_to_abi(part) for part in value.values())
    if isinstance(value, tuple):
        return tuple(_to_abi(part) for part in value)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    contract: str
    function: str
    names: Sequence[str]
    types: Sequence[str]


@cache
def _get_plans(contract: str) -> Mapping[bytes, _Plan]:
    """Return the acts of a contract by selector: its functions that change something."""
    plans = {}
    for entry in load_artifact(contract).abi:
        if entry["type"] != "function" or entry["stateMutability"] in {"view", "pure"}:
            continue
        plans[codec.get_selector(contract, entry["name"])] = _Plan(
            contract=contract,
            function=entry["name"],
            names=tuple(item["name"] for item in entry["inputs"]),
            types=tuple(collapse_if_tuple(dict(item)) for item in entry["inputs"]),
        )
    return plans

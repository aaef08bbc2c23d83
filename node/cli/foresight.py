"""What a decision would do, asked of the contract before it is proposed or voted on.

The registry answers a dry run by carrying the decision out in a call that always reverts, so its
answer is exact. It does not say what is unwise: where a decision changes who makes blocks, the
validators after it are worked out here and `warn_of_dominance` looks at them.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.decisions import DecisionKind, decode_payload
from contracts.errors import CodecError
from contracts.refusals import find_refusal
from node.cli.dominance import warn_of_dominance
from node.cli.governing import Registry

_UNREADABLE = "the contract gives no readable reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """What would happen in this block."""

    is_possible: bool
    """Whether the decision itself could be carried out."""
    reason: str
    """The contract's reason if not, with its meaning; else empty."""
    is_passing: bool
    """Whether the approvals are enough now; false for what is not proposed."""
    earliest: int
    """When it could be carried out if it passed now, seconds since 1970; 0 for never any more."""
    warning: str | None
    """What the decision would make of the validators, if it is unwise."""

    def list_lines(self) -> list[str]:
        """Return it as lines for the eye."""
        if self.is_possible:
            lines = ["possible:  yes, it could be carried out in this block"]
        else:
            lines = [f"possible:  no: {self.reason}"]
        when = "never any more"
        if self.earliest:
            when = f"{dt.datetime.fromtimestamp(self.earliest, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
        lines.append(f"earliest:  {when}")
        if self.warning is not None:
            lines.append(f"warning:   {self.warning}")
        return lines


def foresee(registry: Registry, kind: DecisionKind, payload: bytes) -> Foresight:
    """Ask what would happen if this were decided."""
    return _ask(registry, kind, payload, "dry_run", int(kind), payload)


def foresee_proposal(registry: Registry, number: int) -> Foresight:
    """Ask what would happen with a proposal; UserFault if there is none of this number."""
    registry.get_proposal(number)
    raw = registry.ask("proposal", number)
    return _ask(registry, DecisionKind(raw["kind"]), raw["payload"], "dry_run_proposal", number)


def warn_now(registry: Registry) -> str | None:
    """Return the warning about the present validators, if there is one."""
    return _warn(registry, registry.read_validators())


def _ask(
    registry: Registry, kind: DecisionKind, payload: bytes, function: str, *args: Any
) -> Foresight:
    try:
        answer: Mapping[str, Any] = registry.ask(function, *args)
    except CodecError:  # another contract's refusal need not be text
        answer = {"is_possible": False, "reason": "", "is_passing": False, "earliest": 0}
    validators = _compute_validators(registry, kind, payload)
    return Foresight(
        is_possible=answer["is_possible"],
        reason="" if answer["is_possible"] else _explain(answer["reason"]),
        is_passing=answer["is_passing"],
        earliest=answer["earliest"],
        warning=None if validators is None else _warn(registry, validators),
    )


def _compute_validators(
    registry: Registry, kind: DecisionKind, payload: bytes
) -> dict[bytes, bytes] | None:
    """Return the agency of each validator after a decision; None if it changes none."""
    given = decode_payload(kind, payload)
    validators = registry.read_validators()
    match kind:
        case DecisionKind.ADD_VALIDATOR:
            return validators | {given["validator"]: given["agency"]}
        case DecisionKind.REMOVE_VALIDATOR:
            return {v: agency for v, agency in validators.items() if v != given["validator"]}
        case DecisionKind.SUSPEND_AGENCY:
            return {v: agency for v, agency in validators.items() if agency != given["agency"]}
        case _:
            return None


def _warn(registry: Registry, validators: Mapping[bytes, bytes]) -> str | None:
    if not registry.has_validators:
        return None
    jurisdictions, active = registry.read_jurisdictions()
    return warn_of_dominance(
        [jurisdictions.get(agency, bytes(32)) for agency in validators.values()], active
    )


def _explain(reason: str) -> str:
    refusal = find_refusal(reason)
    if refusal is None:
        return reason or _UNREADABLE
    return f"{reason} ({refusal.meaning})"

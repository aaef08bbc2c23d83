"""What the tests of deciding share: a ledger whose decisions wait, and a decision to wait for."""

from dataclasses import replace
from typing import Any

from eth_typing import Address

from contracts.codes import ProposalStatus
from contracts.decisions import DecisionKind
from contracts.development import build_development_spec
from contracts.genesis_spec import GovernanceSpec
from tests.contracts.contract_harness import (
    BUREAU,
    Ledger,
    auditor,
    bureau,
    commission,
    laboratory,
    uid_of,
)

DAY = 86_400
URGENT, ORDINARY, GRAVE = 3600, DAY, 7 * DAY
WAITING = GovernanceSpec(urgent_delay_s=URGENT, ordinary_delay_s=ORDINARY, grave_delay_s=GRAVE)


def build_ledger(**rules: int) -> Ledger:
    """A ledger whose decisions wait."""
    return Ledger(replace(build_development_spec(), governance=replace(WAITING, **rules)))


def propose_profile(ledger: Ledger, *, lasts_s: int = 3600) -> int:
    return ledger.propose(bureau, DecisionKind.SET_PROFILE, [BUREAU, uid_of(3)], lasts_s=lasts_s)


def pass_proposal(ledger: Ledger, number: int) -> None:
    for voter in (laboratory, bureau, commission):
        ledger.vote(voter, number)
    assert get(ledger, number)["status"] == ProposalStatus.PASSED


def get(ledger: Ledger, number: int) -> dict[str, Any]:
    found: dict[str, Any] = ledger.registry("proposal", number)
    return found


def carry_out(ledger: Ledger, number: int, sender: Address = auditor) -> list[str]:
    events = ledger.do(sender, "agency_registry", "carry_out", [number])
    return [event.event for event in events]


def refuse(ledger: Ledger, function: str, *args: Any, sender: Address = auditor) -> str | None:
    return ledger.refuse(sender, "agency_registry", function, args)


def has_profile(ledger: Ledger) -> bool:
    return bool(ledger.registry("agency", BUREAU)["profile_hash"] == uid_of(3))

"""A deployment rehearsed: its transactions run in a scratch state, at the blocks they ran at.

The scratch state runs the same code on the same data. If the network reports other events than the
rehearsal, then something else happened there than was planned; if it reports the same, then the
register holds what the founders decided and nothing more, because every change of it emits one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contracts.addresses import AGENCY_REGISTRY_NAME
from contracts.deployment import DeploymentPlan, get_data
from contracts.errors import FoundingFailed
from contracts.founding import Creation
from contracts.scratch import Log, ScratchState

CREATION_GAS: Final = 53_000
DATA_GAS: Final = 16
CODE_GAS: Final = 200
CONSTRUCTOR_GAS: Final = 120_000
"""More than any constructor here uses besides what its code costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a step ran."""

    number: int
    time_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What a deployment does."""

    events: tuple[Log, ...]
    """All events, in order."""
    gas: int
    """What all steps may use, somewhat more than they do."""


def rehearse(plan: DeploymentPlan, places: Sequence[Place] = ()) -> Rehearsal:
    """Run all steps, each at its place, or all in one block where no places are given.

    Raises FoundingFailed if one is refused, which a checked specification rules out.
    """
    scratch = ScratchState(chain_id=plan.chain_id, timestamp=places[0].time_s if places else 1)
    registry = plan.placement.book.get_address(AGENCY_REGISTRY_NAME)
    events: list[Log] = []
    gas = 0
    for number, step in enumerate(plan.steps):
        if places:
            scratch.block_number, scratch.timestamp = places[number].number, places[number].time_s
        if isinstance(step, Creation):
            events += scratch.create(step.address, step.code)
            size = len(scratch.get_code(step.address))
            gas += CREATION_GAS + CONSTRUCTOR_GAS + DATA_GAS * len(step.code) + CODE_GAS * size
            continue
        outcome = scratch.send(registry, get_data(step), sender=plan.placement.founder)
        if not outcome.succeeded:
            raise FoundingFailed(f"founding refused at {step.title}: {outcome.reason}")
        events += outcome.logs
        gas += outcome.gas_used
    return Rehearsal(events=tuple(events), gas=gas)

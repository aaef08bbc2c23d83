"""What becomes of a record, by its classes: when it is due, what a law asks to keep and until when.

A record stands or falls as a whole, so what counts is the last of its things: it is erased when
nothing of it is to be kept any more, and restricted when everything of it is past its time.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from api.publishing.evidence import ROLE as PUBLISH_ROLE
from api.retention.classes import Action, RetentionClass, RetentionPlan
from api.vault.claims import CERTIFICATE_ROLE
from api.vault.holdings import Holding

FOLLOWING: Final = frozenset((PUBLISH_ROLE, CERTIFICATE_ROLE))
"""Roles of materials that say why or as what a credential stands, and are kept as long as it: such
a one has a time of its own only where a class covers its role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """The class of one thing, and when it says that the thing's time is over."""

    of: RetentionClass
    end_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A law that asks to keep a record, whoever wants it gone."""

    of: RetentionClass
    until_s: int

    @property
    def basis(self) -> bytes | None:
        """The legal basis on the ledger, where the class names it."""
        return None if self.of.basis is None else bytes.fromhex(self.of.basis[2:])


def find_terms(
    plan: RetentionPlan, holdings: Sequence[Holding], action: Action = "erase"
) -> tuple[Term, ...] | None:
    """Return the terms of all things of a record; None if one of them is in no class."""
    terms = []
    for holding in holdings:
        found = plan.find_for(holding, action)
        if found is None and follows(holding, holdings):
            continue
        if found is None:
            return None
        start_s = found.find_start(holding.created_s, holding.valid_until_s)
        terms.append(Term(of=found, end_s=found.compute_end(start_s)))
    return tuple(terms)


def follows(holding: Holding, holdings: Sequence[Holding]) -> bool:
    """Tell whether a thing of a record is kept as long as the record's credential."""
    return holding.role in FOLLOWING and any(one.schema_uid is not None for one in holdings)


def find_duty(plan: RetentionPlan, holdings: Sequence[Holding], *, now_s: int) -> Duty | None:
    """Return the law that asks longest to keep a record; None if none does now.

    Of several that ask as long, the class that covers most of the record is named.
    """
    duties = [
        Duty(
            of=found,
            until_s=found.compute_duty_end(
                found.find_start(holding.created_s, holding.valid_until_s)
            ),
        )
        for holding in holdings
        if (found := plan.find_for(holding)) is not None and found.obligatory_years
    ]
    lasting = [duty for duty in duties if duty.until_s > now_s]
    counts = Counter(duty.of.name for duty in lasting)
    return max(lasting, key=lambda duty: (duty.until_s, counts[duty.of.name]), default=None)

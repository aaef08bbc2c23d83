"""Which ledger a record belongs on: within one jurisdiction its own, across them a shared one.

An API that serves one ledger cannot judge: it does not know what others its agency is on. One that
serves several refuses the wrong one before anything is signed, because what once stands on a shared
ledger is held by the other side for good. Of those that have all parties, the right one is that
with the fewest other jurisdictions. Parties of one jurisdiction never fall back to a shared ledger.

A credential has one party, its issuer; so it stands on the issuer's own ledger. On a shared ledger
it is attested when its holder asks (`api.publishing`), or stands there under a sealed root, which
tells nothing of a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from api.errors import UpstreamFault, UserFault
from api.rest.ledgers import build_prefix
from api.rest.services import RestServices
from contracts.labels import format_identifier


class LedgerRefused(UserFault):
    """The record does not belong on the ledger that was asked for."""

    status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A ledger of this API, as its own registry describes it."""

    services: RestServices
    jurisdictions: Mapping[bytes, bytes]

    @property
    def name(self) -> str:
        return self.services.ledger_name

    @property
    def places(self) -> frozenset[bytes]:
        return frozenset(self.jurisdictions.values())


async def check_parties(services: RestServices, parties: Mapping[str, bytes]) -> None:
    """Raise `LedgerRefused` unless a record of these agencies belongs on this ledger.

    `parties` are agencies by the field that names them. An agency that no registry has is left to
    the contract's own refusal. Raises `UpstreamFault` where no ledger that was reached is the right
    one, and another was never reached.
    """
    if not parties or len(services.ledgers) == 1:
        return
    candidates, away = await _list_candidates(services)
    places: dict[str, bytes] = {}
    for field, agency in parties.items():
        place = _find_place(candidates, services, agency)
        if place is None:
            return
        places[field] = place
    involved = frozenset(places.values())
    chosen = _choose(candidates, services, involved)
    if chosen is None and away is not None:
        raise away
    if chosen is None:
        raise _refuse_missing(places, involved)
    if chosen.ledger_name != services.ledger_name:
        raise _refuse_wrong(chosen, involved)


async def check_issuing(services: RestServices) -> None:
    """Raise `LedgerRefused` where a credential may be attested only when its holder asks."""
    if len(services.ledgers) == 1:
        return
    candidates, _ = await _list_candidates(services)
    place = _find_place(candidates, services, await services.identity.get_agency())
    if place is None:
        return
    chosen = _choose(candidates, services, frozenset((place,)))
    if chosen is None or chosen.ledger_name == services.ledger_name:
        return
    raise LedgerRefused(
        f"a credential stands on {chosen.ledger_name}; on {services.ledger_name} it is published "
        "when its holder asks",
        code="publish_request_missing",
        field="ledger",
        next_step=(
            f"attest it at {build_prefix(chosen.ledger_name)}; to carry it, POST "
            f"{build_prefix(services.ledger_name)}/publications with the holder's signed request, "
            "or seal it in a batch"
        ),
        extra={"ledger": chosen.ledger_name},
    )


async def _list_candidates(
    services: RestServices,
) -> tuple[list[_Candidate], UpstreamFault | None]:
    """Return the ledgers that were ever reached, and why one was not."""
    found = []
    away: UpstreamFault | None = None
    for one in services.ledgers:
        try:
            members = await services.ledgers.get_members(one).read()
        except UpstreamFault as fault:
            if one.ledger_name == services.ledger_name:
                raise
            # It was never reached, so nothing can be said for it; the others are judged alone.
            away = fault
            continue
        found.append(_Candidate(services=one, jurisdictions=members.jurisdictions))
    return found, away


def _find_place(
    candidates: list[_Candidate], services: RestServices, agency: bytes
) -> bytes | None:
    """Return an agency's jurisdiction, from the registry of the ledger asked for first."""
    first = sorted(candidates, key=lambda one: one.name != services.ledger_name)
    return next((one.jurisdictions[agency] for one in first if agency in one.jurisdictions), None)


def _choose(
    candidates: list[_Candidate], services: RestServices, involved: frozenset[bytes]
) -> RestServices | None:
    """Return the right ledger; the one asked for where another is as good."""
    if len(involved) == 1:
        fitting = [one for one in candidates if one.places == involved]
    else:
        fitting = [one for one in candidates if involved <= one.places]
    if not fitting:
        return None
    asked = services.ledger_name
    return min(fitting, key=lambda one: (len(one.places), one.name != asked)).services


def _refuse_wrong(chosen: RestServices, involved: frozenset[bytes]) -> LedgerRefused:
    return LedgerRefused(
        f"a record of {_name(involved)} belongs on {chosen.ledger_name}",
        code="ledger_wrong",
        field="ledger",
        next_step=f"send it to {build_prefix(chosen.ledger_name)}",
        extra={"ledger": chosen.ledger_name},
    )


_OWN_MISSING: Final = "send it through an API on the own ledger of"


def _refuse_missing(places: Mapping[str, bytes], involved: frozenset[bytes]) -> LedgerRefused:
    first = next(iter(places.values()))
    if len(involved) == 1:
        return LedgerRefused(
            f"all parties are of {_name(involved)}, and this API serves no ledger of its own",
            code="own_ledger_missing",
            field=next(iter(places)),
            next_step=f"{_OWN_MISSING} {_name(involved)}; a shared one would show it to others",
        )
    return LedgerRefused(
        f"no ledger of this API is shared by {_name(involved)}",
        code="shared_ledger_missing",
        field=next(field for field, place in places.items() if place != first),
        next_step="the operator adds a ledger that all of them are on to `api.ledgers`",
    )


def _name(places: frozenset[bytes]) -> str:
    return ", ".join(sorted(format_identifier(place) for place in places))

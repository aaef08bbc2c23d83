"""The scene of D6: who takes part when households are asked for, and under which law.

The identification bureau keeps the register of households and gives it under conditions only, which
its data officer judges. The social welfare bureau needs some of it for places in homes for the
elderly. The supervisor enters the law and uses none of it.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from atesta_client import requests
from atesta_client.answers import Accepted
from atesta_client.requests import LegalReference, Request, ScopeItem

from scripts.demos.law_describing import describe_dataset, enter_basis, publish_purpose
from scripts.demos.law_stage import LawStage, get_now, make_party
from scripts.demos.stage import require

IDENTITY: Final = make_party("mo-identification-bureau", "MO", "Identification Bureau, Macao")
WELFARE: Final = make_party("mo-social-welfare", "MO", "Social Welfare Bureau, Macao")
SUPERVISOR: Final = make_party(
    "mo-data-protection", "MO", "Data Protection Bureau, Macao", supervises=True
)

PERSONS, DISTRICT, RELATIONS = "/persons", "/district", "/relations"
RELEASED: Final = {"persons": 2, "district": "Santo Antonio, blocks 11 to 19"}
CASE: Final = "HE-2026-000731"
STANDING_CASE: Final = "HE-2026-000732"
OFFICER: Final = {"number": "SWB-0519", "name": "Officer Amelia Rebelo"}
DATA_OFFICER: Final = {"number": "IB-0007", "name": "Data Officer Joaquim Sardinha"}


@dataclass(slots=True, kw_only=True)
class Scene:
    """What stands on the ledger, by uid."""

    stage: LawStage
    households: str = ""
    places: str = ""
    law: str = ""
    refused: str = ""
    """The request that asked for too much."""
    refused_envelope: dict[str, Any] | None = None
    slow: str = ""
    """The request that nobody decided in time."""
    slow_envelope: dict[str, Any] | None = None
    standing: str = ""
    """The standing exchange."""

    def ask(self, **changes: Any) -> Request[Accepted]:
        """Build the welfare bureau's request for a household."""
        given: dict[str, Any] = {
            "provider": IDENTITY.label,
            "dataset": self.households,
            "fields": [PERSONS, DISTRICT],
            "purpose": self.places,
            "basis": self.law,
            "case": CASE,
            "officer": OFFICER,
            "retention_until": get_now() + timedelta(days=365),
        }
        return requests.request_exchange(**(given | changes))

    def decide(self, uid: str, decision: str, **changes: Any) -> Request[Accepted]:
        """Build a decision of a data officer."""
        return requests.decide_exchange(uid, decision=decision, officer=DATA_OFFICER, **changes)


async def describe(scene: Scene) -> None:
    """Describe the data with their conditions, the purpose and the law."""
    stage = scene.stage
    with stage.narrator.step("The bureau describes its data and the conditions; a law is entered"):
        fields = {
            PERSONS: "Persons in the household",
            DISTRICT: "District",
            RELATIONS: "Who is related to whom",
        }
        scene.households = await describe_dataset(
            stage,
            IDENTITY,
            "Households",
            fields,
            sharing="conditional",
            conditions={"text": "Only what the case needs; relations only in cases of custody."},
        )
        scene.places = await publish_purpose(
            stage, WELFARE, "place-in-a-home", "Places in homes for the elderly"
        )
        scene.law = await enter_basis(
            stage,
            SUPERVISOR,
            LegalReference(law="Rules on homes for the elderly (example)", article="Article 5"),
            [
                ScopeItem(
                    provider=IDENTITY.label,
                    recipient=WELFARE.label,
                    dataset=scene.households,
                    purpose=scene.places,
                )
            ],
            kind="statute",
        )
        welfare = await stage.get_officer(WELFARE)
        told = await welfare.send(requests.explain(scene.ask(due=get_now() + timedelta(days=1))))
        known = (told.allowed, told.facts.get("basis_kind"), told.facts.get("sharing"))
        require(
            known == (True, "statute", "conditional"), f"explain says {known} of the first request"
        )
        stage.narrator.confirm(
            "conditional: a statute covers it, and a data officer decides besides; explain says so"
        )

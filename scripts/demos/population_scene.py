"""The scene of the population: five agencies, two kinds of certificates, one dataset, one law."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from atesta_client.requests import LegalReference, ScopeItem, SubjectItem

from contracts.development import DevelopmentAgency
from scripts.demos.law_carrying import open_schema, recognise
from scripts.demos.law_describing import (
    describe_dataset,
    enter_basis,
    publish_notice,
    publish_purpose,
)
from scripts.demos.law_stage import LawStage, get_now, make_party

HEALTH: Final = make_party("mo-health-bureau", "MO", "Health Bureau, Macao")
FINANCE: Final = make_party("mo-financial-bureau", "MO", "Financial Services Bureau, Macao")
HOUSING: Final = make_party("mo-housing-institute", "MO", "Housing Institute, Macao")
CIVIL: Final = make_party("gd-civil-affairs", "CN-GD", "Civil Affairs Department, Guangdong")
SUPERVISOR: Final = make_party(
    "mo-data-protection", "MO", "Data Protection Bureau, Macao", supervises=True
)
PARTIES: Final = (HEALTH, FINANCE, HOUSING, CIVIL, SUPERVISOR)
"""As few as the three stories need, because all of their nodes share one machine."""

COUNTERS: Final = (
    (HEALTH, "care-allowance"),
    (FINANCE, "civil-service-pension"),
    (HOUSING, "rent-allowance"),
)
"""Three agencies that use a proof of life, each for its own purpose."""

BAND: Final = "/income_band"
OFFICER: Final = {"number": "HI-0412"}
_HEALTH_FIELDS: Final = (
    "/name",
    "/identity_number",
    "/birth_date",
    "/telephone",
    "/result",
    "/cnf",
)
_LIFE_FIELDS: Final = (
    "/name",
    "/identity_number",
    "/birth_date",
    "/alive_on",
    "/resides_in",
    "/cnf",
)
_MAX_AGE_S: Final = 30 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What everybody's records stand on, by uid."""

    health: str
    life: str
    income: str
    subsidy: str
    notice: str
    law: str

    def build_terms(self, reference: str) -> dict[str, Any]:
        """Return what a resident consents to: one field, for the subsidy, once."""
        return {
            "provider": FINANCE.label,
            "recipient": HOUSING.label,
            "dataset": self.income,
            "fields": [BAND],
            "purpose": self.subsidy,
            "notice": self.notice,
            "valid_until": get_now() + timedelta(days=90),
            "quota": 1,
            "response_s": 10 * 86_400,
            "subject": SubjectItem(reference=reference),
            "record": {
                "schema_version": "1.0",
                "privacy_notice": self.notice,
                "language": "en",
                "lawful_basis": "consent",
                "withdrawal_method": "the key that signed it, or any counter",
            },
        }


async def lay_ground(stage: LawStage) -> Ground:
    """Enter schemas, recognition policies, dataset, purpose, notice and law."""
    with stage.narrator.step("The agencies agree on certificates, data and law"):
        health = await open_schema(stage, HEALTH, "Health certificate", _HEALTH_FIELDS, [HEALTH])
        life = await open_schema(stage, CIVIL, "Proof of life", _LIFE_FIELDS, [CIVIL])
        await _recognise(stage, HEALTH, CIVIL, health)
        await _recognise(stage, CIVIL, HEALTH, life)
        income = await describe_dataset(stage, FINANCE, "Income bands", {BAND: "Income band"})
        subsidy = await publish_purpose(
            stage, HOUSING, "housing-subsidy", "Deciding a housing subsidy"
        )
        notice = await publish_notice(
            stage, HOUSING, "Housing subsidy: your data", "We ask for your income band, once."
        )
        scope = ScopeItem(
            provider=FINANCE.label, recipient=HOUSING.label, dataset=income, purpose=subsidy
        )
        law = await enter_basis(
            stage,
            SUPERVISOR,
            LegalReference(law="Law 2/2020", article="Article 6", jurisdiction="MO"),
            [scope],
        )
    return Ground(health=health, life=life, income=income, subsidy=subsidy, notice=notice, law=law)


async def _recognise(
    stage: LawStage, issuer: DevelopmentAgency, other: DevelopmentAgency, schema: str
) -> None:
    await recognise(
        stage,
        issuer,
        other,
        schema_uid=schema,
        issuers=[issuer.label],
        max_age_s=_MAX_AGE_S,
        assurance="substantial",
        agreement={
            "title": "Agreement on certificates (example)",
            "text": "Each side recognises the other's certificates, 30 days old at most.",
        },
    )

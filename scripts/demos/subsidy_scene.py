"""The scene of D2: who takes part in a housing subsidy, what they share, and under which law.

The financial bureau owns the income bands, the housing institute wants to know one, the
identification bureau knows whose key is whose, the supervisor enters the law and uses none of it.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from atesta_client import requests
from atesta_client.answers import Accepted
from atesta_client.requests import ConsentItems, LegalReference, Request, ScopeItem, SubjectItem
from atesta_client.resident_keys import ResidentKey

from scripts.demos.law_describing import (
    describe_dataset,
    enter_basis,
    publish_notice,
    publish_purpose,
)
from scripts.demos.law_stage import LawStage, get_now, make_party

FINANCE: Final = make_party("mo-financial-bureau", "MO", "Financial Services Bureau, Macao")
HOUSING: Final = make_party("mo-housing-institute", "MO", "Housing Institute, Macao")
IDENTITY: Final = make_party("mo-identification-bureau", "MO", "Identification Bureau, Macao")
SUPERVISOR: Final = make_party(
    "mo-data-protection", "MO", "Data Protection Bureau, Macao", supervises=True
)

BAND, YEAR, HOUSEHOLD = "/income_band", "/year", "/household_size"
RELEASED: Final = {"income_band": "Band C: 96,001 to 144,000"}
CASE: Final = "HS-2026-000417"
OFFICER: Final = {"number": "HI-0412", "name": "Officer Beatriz Fonseca"}
PEOPLE: Final = {
    "Ana": ("applicant-Ana-Xavier-5531", "taxpayer-Ana-Xavier-90021"),
    "Rui": ("applicant-Rui-Sequeira-5532", "taxpayer-Rui-Sequeira-90022"),
}
"""How the housing institute and the financial bureau call each resident."""


@dataclass(slots=True, kw_only=True)
class Scene:
    """What stands on the ledger, by uid."""

    stage: LawStage
    income: str = ""
    audits: str = ""
    deductions: str = ""
    subsidy: str = ""
    statistics: str = ""
    notice: str = ""
    law: str = ""
    expired_law: str = ""
    sensitive_law: str = ""
    consent: str = ""
    exchange: str = ""
    key: ResidentKey | None = None
    envelope: dict[str, Any] | None = None

    def ask(self, consent: str | None, **changes: Any) -> Request[Accepted]:
        """Build a request of the housing institute for Ana's income band."""
        given: dict[str, Any] = {
            "provider": FINANCE.label,
            "dataset": self.income,
            "fields": [BAND],
            "purpose": self.subsidy,
            "basis": self.law,
            "case": CASE,
            "officer": OFFICER,
            "subject": SubjectItem(reference=PEOPLE["Ana"][0]),
            "due": get_now() + timedelta(days=15),
            "retention_until": get_now() + timedelta(days=365),
        }
        if consent is not None:
            given["consents"] = ConsentItems(general=consent)
        return requests.request_exchange(**(given | changes))

    def build_terms(self, person: str, **changes: Any) -> dict[str, Any]:
        """Return what a resident consents to: one field, for the subsidy, once."""
        terms: dict[str, Any] = {
            "provider": FINANCE.label,
            "recipient": HOUSING.label,
            "dataset": self.income,
            "fields": [BAND],
            "purpose": self.subsidy,
            "notice": self.notice,
            "valid_until": get_now() + timedelta(days=90),
            "quota": 1,
            "response_s": 10 * 86_400,
            "subject": SubjectItem(reference=PEOPLE[person][0]),
            "record": {
                "schema_version": "1.0",
                "privacy_notice": self.notice,
                "language": "en",
                "lawful_basis": "consent",
                "withdrawal_method": "the key that signed it, or any counter",
            },
        }
        return terms | changes

    def record(self, person: str, **changes: Any) -> Request[Accepted]:
        """Build the record of a consent that was given at the institute's counter."""
        return requests.record_consent(
            **self.build_terms(person, **changes),
            channel="counter",
            assurance="substantial",
            clerk={"number": "HI-0077"},
            form={"form": "F-12", "archive": "2026/117"},
        )


async def describe(scene: Scene) -> None:
    """Describe the data, the purposes, the notice and the law."""
    stage = scene.stage
    with stage.narrator.step("The bureau describes its data; the supervisor enters the law"):
        fields = {BAND: "Income band", YEAR: "Tax year", HOUSEHOLD: "Persons in the household"}
        scene.income = await describe_dataset(stage, FINANCE, "Income bands", fields)
        scene.deductions = await describe_dataset(
            stage,
            FINANCE,
            "Medical deductions",
            {"/medical_deduction": "Deduction for treatment"},
            sensitivity="sensitive",
        )
        scene.audits = await describe_dataset(
            stage,
            FINANCE,
            "Tax audits under way",
            {"/stage": "Stage of the audit"},
            sharing="not_shared",
            legal_reference=LegalReference(
                law="Law of tax procedure (example)", article="Article 21", note="to check"
            ),
        )
        scene.subsidy = await publish_purpose(
            stage, HOUSING, "housing-subsidy", "Deciding a housing subsidy"
        )
        scene.statistics = await publish_purpose(
            stage, HOUSING, "rent-statistics", "Statistics of rents"
        )
        scene.notice = await publish_notice(
            stage,
            HOUSING,
            "Housing subsidy: your data",
            "We ask the financial bureau for your income band, once, to decide your application.",
        )
        law = LegalReference(law="Law 2/2020", article="Article 6", jurisdiction="MO")
        scopes = [
            ScopeItem(
                provider=FINANCE.label,
                recipient=recipient.label,
                dataset=scene.income,
                purpose=purpose,
                fields=[BAND, YEAR],
            )
            for recipient in (HOUSING, IDENTITY)
            for purpose in (scene.subsidy, scene.statistics)
        ]
        scene.law = await enter_basis(stage, SUPERVISOR, law, scopes)
        scene.expired_law = await enter_basis(
            stage,
            SUPERVISOR,
            LegalReference(law="Subsidy programme of 2024 (example)", article="Article 3"),
            scopes[:1],
            valid_from=get_now() - timedelta(days=700),
            valid_until=get_now() - timedelta(days=335),
        )
        scene.sensitive_law = await enter_basis(
            stage,
            SUPERVISOR,
            LegalReference(law="Law 8/2005", article="Article 7"),
            [ScopeItem(dataset=scene.deductions, purpose=scene.subsidy)],
            sensitivity="sensitive",
        )
        stage.narrator.confirm(
            "three datasets, one of them never shared; three legal bases, entered by who does not "
            "use them"
        )

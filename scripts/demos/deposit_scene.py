"""The scene of D7: who takes part when a deposit is proved across the border, and what is agreed.

A bank in Macao keeps the deposit, the monetary authority keeps the form of the proof and signs for
Macao, the property registry in Guangdong wants to know and signs for Guangdong, the supervisor
enters the law and the instrument under which data may leave, and uses neither.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from atesta_client import requests
from atesta_client.answers import Accepted
from atesta_client.requests import ConsentItems, LegalReference, Request, ScopeItem, SubjectItem

from scripts.demos.law_describing import (
    describe_dataset,
    enter_basis,
    publish_notice,
    publish_purpose,
)
from scripts.demos.law_stage import LawStage, get_now, make_party

BANK: Final = make_party("mo-commercial-bank", "MO", "Commercial Bank, Macao")
AUTHORITY: Final = make_party("mo-monetary-authority", "MO", "Monetary Authority, Macao")
REGISTRY: Final = make_party("gd-property-registry", "CN-GD", "Property Registry, Guangdong")
SUPERVISOR: Final = make_party(
    "mo-data-protection", "MO", "Data Protection Bureau, Macao", supervises=True
)

BAND, DAY, ACCOUNTS = "/balance_band", "/as_of", "/account_count"
RELEASED: Final = {"balance_band": "MOP 2,000,001 to 2,500,000", "as_of": "2026-11-20"}
CASE: Final = "PR-2026-000093"
OFFICER: Final = {"number": "PR-0088", "name": "Officer Liang Wenjun"}
CUSTOMER, BUYER = "customer-Teresa-Lameiras-7712", "buyer-Teresa-Lameiras-0093"
"""How the bank and the registry call the same person."""


@dataclass(slots=True, kw_only=True)
class Scene:
    """What stands on the ledger, by uid."""

    stage: LawStage
    deposits: str = ""
    purchase: str = ""
    notice: str = ""
    law: str = ""
    instrument: str = ""
    consents: dict[str, str] = field(default_factory=dict)
    """General, sensitive and cross-border consent by kind."""
    exchange: str = ""
    schema: str = ""
    policy: str = ""

    def ask(self, **changes: Any) -> Request[Accepted]:
        """Build the registry's request for the balance band of one person."""
        given: dict[str, Any] = {
            "provider": BANK.label,
            "dataset": self.deposits,
            "fields": [BAND, DAY],
            "purpose": self.purchase,
            "basis": self.law,
            "instrument": self.instrument or None,
            "consents": ConsentItems(**self.consents),
            "case": CASE,
            "officer": OFFICER,
            "subject": SubjectItem(reference=BUYER),
            "due": get_now() + timedelta(days=5),
            "retention_until": get_now() + timedelta(days=365),
        }
        return requests.request_exchange(**(given | changes))

    def record(self, kind: str) -> Request[Accepted]:
        """Build the record of one consent, given at the bank's counter."""
        return requests.record_consent(
            provider=BANK.label,
            recipient=REGISTRY.label,
            dataset=self.deposits,
            fields=[BAND, DAY],
            purpose=self.purchase,
            notice=self.notice,
            kind=kind,
            valid_until=get_now() + timedelta(days=30),
            quota=1,
            response_s=10 * 86_400,
            subject=SubjectItem(reference=CUSTOMER),
            record={
                "schema_version": "1.0",
                "privacy_notice": self.notice,
                "language": "en",
                "lawful_basis": "consent",
                "withdrawal_method": "any counter of the bank",
            },
            channel="counter",
            assurance="high",
            clerk={"number": "CB-0301"},
            form={"form": f"D-7 {kind}", "archive": "2026/7712"},
        )

    def enter_instrument(self) -> Request[Accepted]:
        """Build the entry of the contract under which these data may leave Macao."""
        return requests.enter_instrument(
            kind="contract",
            filing={"number": "GBA-SC-2026-0311", "authority": "to check"},
            provider=BANK.label,
            recipient=REGISTRY.label,
            dataset=self.deposits,
            valid_from=get_now() - timedelta(days=1),
            valid_until=get_now() + timedelta(days=730),
        )


async def describe(scene: Scene) -> None:
    """Describe the data, the purpose, the notice and the law; meet the person."""
    stage = scene.stage
    with stage.narrator.step("The bank describes its data; the supervisor enters the law"):
        fields = {BAND: "Balance band", DAY: "As of", ACCOUNTS: "Number of accounts"}
        scene.deposits = await describe_dataset(
            stage, BANK, "Deposits", fields, sensitivity="sensitive"
        )
        scene.purchase = await publish_purpose(
            stage, REGISTRY, "property-purchase", "Means of the buyer of a property"
        )
        scene.notice = await publish_notice(
            stage,
            BANK,
            "Your deposit, shown in Guangdong",
            "With your consents the bank tells the property registry the band of your balance.",
        )
        scene.law = await enter_basis(
            stage,
            SUPERVISOR,
            LegalReference(law="Law 8/2005", article="Articles 7, 19 and 20", note="to check"),
            [
                ScopeItem(
                    provider=BANK.label,
                    recipient=REGISTRY.label,
                    dataset=scene.deposits,
                    purpose=scene.purchase,
                    fields=[BAND, DAY],
                )
            ],
            sensitivity="sensitive",
            from_jurisdiction="MO",
            to_jurisdiction="CN-GD",
        )
        bank, registry = await stage.get_officer(BANK), await stage.get_officer(REGISTRY)
        known = await bank.send(
            requests.create_subject(reference=CUSTOMER, counterparty=REGISTRY.label)
        )
        await registry.send(
            requests.match_subject(reference=BUYER, counterparty=BANK.label, handle=known.handle)
        )
        stage.narrator.confirm(
            "a sensitive dataset, one basis by consent, from Macao to Guangdong only; bank and "
            "registry mean the buyer by a random handle"
        )

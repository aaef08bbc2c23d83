"""The scene of D3: a company, its manager, its accountant, and the agencies that they deal with.

The commercial registry keeps companies and records who acts for them. The municipal bureau licenses
restaurants and needs to know whether a company has tax debts; the financial bureau knows. A statute
allows that exchange, so nobody's consent is asked; but whoever applies for a company needs a
mandate for it.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from atesta_client import requests
from atesta_client.answers import Accepted
from atesta_client.requests import (
    BodyReference,
    LegalReference,
    MandateItem,
    MandateUse,
    Request,
    ScopeItem,
)

from scripts.demos.law_describing import (
    describe_dataset,
    enter_basis,
    publish_act_list,
    publish_purpose,
)
from scripts.demos.law_stage import LawStage, get_now, make_party

REGISTRY: Final = make_party("mo-commercial-registry", "MO", "Commercial Registry, Macao")
MUNICIPAL: Final = make_party("mo-municipal-bureau", "MO", "Municipal Affairs Bureau, Macao")
FINANCE: Final = make_party("mo-financial-bureau", "MO", "Financial Services Bureau, Macao")
SUPERVISOR: Final = make_party(
    "mo-data-protection", "MO", "Data Protection Bureau, Macao", supervises=True
)

COMPANY: Final = BodyReference(register_name="mo-companies", number="SO-48213-Dim-Sum-House")
MANAGER: Final = {"name": "Lou Kam Fai", "document": "MO-1234-LKF"}
ACCOUNTANT: Final = {"name": "Isabel Noronha", "document": "MO-9876-IN"}
TRAINEE: Final = {"name": "Tiago Noronha", "document": "MO-9877-TN"}
OFFICER: Final = {"number": "IAM-0031", "name": "Officer Cheang Mei"}
CASE: Final = "RL-2026-000093"
FEE: Final = 38_000
"""What the licence costs, in patacas."""
LIMIT: Final = 50_000

DEBTS, CLEARED = "/has_debts", "/cleared_until"
RELEASED: Final = {"has_debts": False, "cleared_until": "2027-03-31"}

ACTS: Final = {
    "apply-licence": "Apply for a licence",
    "request-clearance": "Have tax clearance asked for",
    "file-return": "File the yearly return",
    "borrow": "Take out a loan",
}


@dataclass(slots=True, kw_only=True)
class Scene:
    """What stands on the ledger, by uid."""

    stage: LawStage
    clearance: str = ""
    licensing: str = ""
    law: str = ""
    act_list: str = ""
    mandates: dict[str, str] = field(default_factory=dict)
    """Uids by what people call them."""
    told: dict[str, Any] = field(default_factory=dict)
    """The envelopes of the accountant's power, which she carries."""
    exchange: str = ""

    def describe_power(self, grantee: dict[str, str], **changes: Any) -> MandateItem:
        """Describe a power of the company: licence and clearance, 50,000, one year."""
        given: dict[str, Any] = {
            "kind": "power",
            "body": COMPANY,
            "grantee": grantee,
            "act_list": self.act_list,
            "acts": ["apply-licence", "request-clearance"],
            "limit": LIMIT,
            "valid_from": get_now() - timedelta(days=1),
            "valid_until": get_now() + timedelta(days=364),
            "record": {"deed": "N-17/2026", "notary": "First Notary"},
        }
        return MandateItem(**(given | changes))

    def ask(
        self,
        mandate: str,
        *,
        acts: tuple[str, ...] = ("request-clearance",),
        amount: int = FEE,
        **changes: Any,
    ) -> Request[Accepted]:
        """Build the municipal bureau's request for tax clearance, under somebody's mandate."""
        given: dict[str, Any] = {
            "provider": FINANCE.label,
            "dataset": self.clearance,
            "fields": [DEBTS, CLEARED],
            "purpose": self.licensing,
            "basis": self.law,
            "mandate": MandateUse(uid=mandate, acts=acts, amount=amount),
            "channel": "counter",
            "case": CASE,
            "officer": OFFICER,
            "due": get_now() + timedelta(days=15),
            "retention_until": get_now() + timedelta(days=730),
        }
        return requests.request_exchange(**(given | changes))


async def describe(scene: Scene) -> None:
    """Describe the data, the purpose, the law and the list of acts."""
    stage = scene.stage
    with stage.narrator.step("The agencies describe the data, the law and a list of acts"):
        scene.clearance = await describe_dataset(
            stage,
            FINANCE,
            "Tax clearance of companies",
            {DEBTS: "Whether there are tax debts", CLEARED: "Until when it is cleared"},
        )
        scene.licensing = await publish_purpose(
            stage, MUNICIPAL, "restaurant-licence", "Deciding on a restaurant's licence"
        )
        scene.law = await enter_basis(
            stage,
            SUPERVISOR,
            LegalReference(law="Licensing of restaurants (example)", article="Article 9"),
            [
                ScopeItem(
                    provider=FINANCE.label,
                    recipient=MUNICIPAL.label,
                    dataset=scene.clearance,
                    purpose=scene.licensing,
                )
            ],
            kind="statute",
        )
        scene.act_list = await publish_act_list(stage, REGISTRY, "Acts for companies", ACTS)
        stage.narrator.confirm(
            f"a statute, so no consent is needed; {len(ACTS)} acts, in which mandates count"
        )


async def record(scene: Scene) -> None:
    """Record the manager's office and powers of the company."""
    stage = scene.stage
    with stage.narrator.step("The registry records who acts for the company"):
        registry = await stage.get_officer(REGISTRY)
        now = get_now()
        items = {
            "the manager": MandateItem(
                kind="office",
                body=COMPANY,
                grantee=MANAGER,
                act_list=scene.act_list,
                acts=list(ACTS),
                valid_from=now - timedelta(days=900),
                record={"office": "manager"},
            ),
            "the accountant": scene.describe_power(ACCOUNTANT),
            "last year's power": scene.describe_power(
                ACCOUNTANT,
                valid_from=now - timedelta(days=500),
                valid_until=now - timedelta(days=135),
            ),
            "next year's power": scene.describe_power(
                ACCOUNTANT,
                valid_from=now + timedelta(days=364),
                valid_until=now + timedelta(days=729),
            ),
            "a power to hand on": scene.describe_power(ACCOUNTANT, may_delegate=True),
        }
        # Not all at once: each is a fact of its own, and one transaction stays a small one.
        for place in range(0, len(items), 2):
            names = list(items)[place : place + 2]
            made = await stage.do(
                registry, requests.record_mandate(mandates=[items[name] for name in names])
            )
            envelopes = (made.envelope or {})["mandates"]
            for name, told in zip(names, envelopes, strict=True):
                scene.mandates[name] = told["uid"]
                if name == "the accountant":
                    scene.told = told
        stage.narrator.confirm(
            f"{len(items)} mandates; the ledger has commitments, the accountant carries the "
            "envelopes of hers"
        )

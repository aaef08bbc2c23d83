"""The scene of D8: who takes part when a pensioner abroad proves to be alive.

The civil affairs department in Guangdong meets the pensioner and makes the proof. Three agencies in
Macao pay something: the social security fund, the pension fund, the social welfare bureau. The
supervisor enters the law and the instrument, and uses neither.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from atesta_client import requests
from atesta_client.answers import Accepted
from atesta_client.requests import ConsentItems, LegalReference, Request, ScopeItem, SubjectItem

from contracts.development import DevelopmentAgency
from scripts.demos.law_describing import (
    describe_dataset,
    enter_basis,
    publish_notice,
    publish_purpose,
)
from scripts.demos.law_stage import LawStage, get_now, make_party

CIVIL: Final = make_party("gd-civil-affairs", "CN-GD", "Civil Affairs Department, Guangdong")
FUND: Final = make_party("mo-social-security", "MO", "Social Security Fund, Macao")
PENSIONS: Final = make_party("mo-pension-fund", "MO", "Pension Fund, Macao")
WELFARE: Final = make_party("mo-social-welfare", "MO", "Social Welfare Bureau, Macao")
SUPERVISOR: Final = make_party(
    "mo-data-protection", "MO", "Data Protection Bureau, Macao", supervises=True
)

SEEN, PLACE = "/last_seen_on", "/place"
ALIVE: Final = "/alive_on"
RELEASED: Final = {"last_seen_on": "2026-11-19"}
CASES: Final = {
    FUND.label: "PL-2026-004410",
    PENSIONS.label: "RP-2026-000871",
    WELFARE.label: "SW-2026-001206",
}
OFFICER: Final = {"number": "FSS-0231", "name": "Officer Carlos Meireles"}
MET, INSURED, RETIRED = (
    "resident-Ilda-Noronha-3301",
    "insured-Ilda-Noronha-4410",
    "retired-Ilda-Noronha-0871",
)
"""How the department, the fund, and those after the fund call the same person."""


@dataclass(slots=True, kw_only=True)
class Scene:
    """What stands on the ledger, by uid."""

    stage: LawStage
    sightings: str = ""
    pensioners: str = ""
    purpose: str = ""
    notice: str = ""
    law: str = ""
    sharing_law: str = ""
    archive_law: str = ""
    instrument: str = ""
    consents: dict[str, str] = field(default_factory=dict)
    """General and cross-border consent by kind."""
    exchange: str = ""
    onward: dict[str, str] = field(default_factory=dict)
    """By the label of who asked the fund."""

    def ask_department(self) -> Request[Accepted]:
        """Build the fund's request for the day when the pensioner was last seen."""
        return requests.request_exchange(
            provider=CIVIL.label,
            dataset=self.sightings,
            fields=[SEEN],
            purpose=self.purpose,
            basis=self.law,
            instrument=self.instrument,
            consents=ConsentItems(**self.consents),
            case=CASES[FUND.label],
            officer=OFFICER,
            subject=SubjectItem(reference=INSURED),
            due=get_now() + timedelta(days=10),
            retention_until=get_now() + timedelta(days=1_825),
        )

    def ask_fund(self, recipient: DevelopmentAgency) -> Request[Accepted]:
        """Build a request for what the fund received, to be handed on."""
        return requests.request_exchange(
            provider=FUND.label,
            dataset=self.pensioners,
            fields=[ALIVE],
            purpose=self.purpose,
            basis=self.sharing_law,
            onward_of=self.exchange,
            case=CASES[recipient.label],
            officer=OFFICER,
            subject=SubjectItem(reference=RETIRED),
            due=get_now() + timedelta(days=10),
            retention_until=get_now() + timedelta(days=365),
        )

    def record(self, kind: str) -> Request[Accepted]:
        """Build the record of a consent, given at the department's counter."""
        return requests.record_consent(
            provider=CIVIL.label,
            recipient=FUND.label,
            dataset=self.sightings,
            fields=[SEEN],
            purpose=self.purpose,
            notice=self.notice,
            kind=kind,
            valid_until=get_now() + timedelta(days=365),
            response_s=10 * 86_400,
            subject=SubjectItem(reference=MET),
            record={
                "schema_version": "1.0",
                "privacy_notice": self.notice,
                "language": "zh-Hant",
                "lawful_basis": "consent",
                "recipient_third_parties": [FUND.name, PENSIONS.name, WELFARE.name],
                "withdrawal_method": "any counter of the department",
            },
            channel="counter",
            assurance="high",
            clerk={"number": "CA-0012"},
            form={"form": f"D-8 {kind}", "archive": "2026/3301"},
        )


async def describe(scene: Scene) -> None:
    """Describe the data, the purpose, the notice and the law; meet the person."""
    stage = scene.stage
    with stage.narrator.step("The agencies describe their data; the supervisor enters the law"):
        scene.sightings = await describe_dataset(
            stage, CIVIL, "Residents seen in person", {SEEN: "Last seen on", PLACE: "Where"}
        )
        scene.pensioners = await describe_dataset(
            stage, FUND, "Pensioners known to be alive", {ALIVE: "Alive on"}
        )
        scene.purpose = await publish_purpose(
            stage, FUND, "pension-payment", "Paying pensions only to those who live"
        )
        scene.notice = await publish_notice(
            stage,
            CIVIL,
            "Your proof of life in Macao",
            "We tell the social security fund when you were last seen. It hands that on to the "
            "pension fund and the social welfare bureau.",
        )
        scene.law = await enter_basis(
            stage,
            SUPERVISOR,
            LegalReference(law="PIPL", article="Articles 13, 23 and 39", note="to check"),
            [_scope(scene, CIVIL, FUND, scene.sightings)],
            from_jurisdiction="CN-GD",
            to_jurisdiction="MO",
        )
        scene.sharing_law = await enter_basis(
            stage,
            SUPERVISOR,
            LegalReference(law="Law 2/2020 amended by Law 13/2024", article="to check"),
            [_scope(scene, FUND, recipient, scene.pensioners) for recipient in (PENSIONS, WELFARE)],
            kind="statute",
        )
        scene.archive_law = await enter_basis(
            stage,
            SUPERVISOR,
            LegalReference(law="Rules on accounts of payments (example)", article="Article 9"),
            [_scope(scene, CIVIL, FUND, scene.sightings)],
            kind="statute",
        )
        supervisor = await stage.get_supervisor(SUPERVISOR)
        entered = await stage.do(
            supervisor,
            requests.enter_instrument(
                kind="contract",
                filing={"number": "GBA-SC-2026-0417", "authority": "to check"},
                provider=CIVIL.label,
                recipient=FUND.label,
                dataset=scene.sightings,
                onward=True,
                valid_from=get_now() - timedelta(days=1),
            ),
        )
        scene.instrument = entered.uid
        await _meet(scene)
        stage.narrator.confirm(
            "one basis by consent across the border, one statute within Macao, an instrument "
            "that allows to hand on"
        )


async def _meet(scene: Scene) -> None:
    """Let the agencies agree on handles, by which each pair means the pensioner."""
    stage = scene.stage
    pairs = ((CIVIL, MET, FUND, INSURED), (FUND, INSURED, PENSIONS, RETIRED))
    for first, here, second, there in (*pairs, (FUND, INSURED, WELFARE, RETIRED)):
        client, other = await stage.get_officer(first), await stage.get_officer(second)
        known = await client.send(
            requests.create_subject(reference=here, counterparty=second.label)
        )
        await other.send(
            requests.match_subject(reference=there, counterparty=first.label, handle=known.handle)
        )


def _scope(
    scene: Scene, provider: DevelopmentAgency, recipient: DevelopmentAgency, dataset: str
) -> ScopeItem:
    return ScopeItem(
        provider=provider.label,
        recipient=recipient.label,
        dataset=dataset,
        purpose=scene.purpose,
    )

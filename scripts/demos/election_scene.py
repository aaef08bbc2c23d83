"""The scene of D4: the register of associations, one of them before and after its election.

The identification bureau keeps the register and imports it as it is: one file, one line for each
mandate, a few lines wrong as in any real file. The social welfare bureau gives grants to
associations and must know whether who applies is in office.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from atesta_client import requests
from atesta_client.answers import Accepted
from atesta_client.requests import (
    BodyReference,
    LegalReference,
    MandateItem,
    MandateUse,
    OfficeItem,
    Request,
    ScopeItem,
)

from scripts.demos.law_describing import (
    describe_dataset,
    enter_basis,
    publish_act_list,
    publish_purpose,
)
from scripts.demos.law_stage import LawStage, get_now, make_party, make_uid

REGISTER: Final = make_party("mo-identification-bureau", "MO", "Identification Bureau, Macao")
WELFARE: Final = make_party("mo-social-welfare", "MO", "Social Welfare Bureau, Macao")
SUPERVISOR: Final = make_party(
    "mo-data-protection", "MO", "Data Protection Bureau, Macao", supervises=True
)

ASSOCIATIONS: Final = 200
"""How many associations the register's file has."""

CHOIR: Final = BodyReference(register_name="mo-associations", number="A-0417-Choir-of-Taipa")
OLD_PRESIDENT: Final = {"name": "Lam Weng Hong", "document": "MO-5551-LWH"}
NEW_PRESIDENT: Final = {"name": "Ung Sok Ieng", "document": "MO-5552-USI"}
NEW_TREASURER: Final = {"name": "Pedro Gracias", "document": "MO-5553-PG"}
LAWYER: Final = {"name": "Helena Assis", "document": "MO-5554-HA"}
BOOKKEEPER: Final = {"name": "Fong Ka Lok", "document": "MO-5555-FKL"}
OFFICER: Final = {"number": "SW-0208", "name": "Officer Ho Iok Lin"}
CASE: Final = "GR-2026-000051"

REGISTERED, SEAT = "/is_registered", "/seat"
RELEASED: Final = {"is_registered": True, "seat": "Taipa"}
ACTS: Final = {
    "apply-grant": "Apply for a grant",
    "sign-contract": "Sign contracts",
    "appear-in-court": "Appear in court",
    "keep-books": "Keep the books",
}


@dataclass(slots=True, kw_only=True)
class Scene:
    """What stands on the ledger, by uid."""

    stage: LawStage
    register: str = ""
    grants: str = ""
    law: str = ""
    act_list: str = ""
    mandates: dict[str, str] = field(default_factory=dict)
    """Uids by what people call them."""
    exchange: str = ""

    def ask(
        self, mandate: str, *, acts: tuple[str, ...] = ("apply-grant",), **changes: Any
    ) -> Request[Accepted]:
        """Build the welfare bureau's request for the register's extract, under a mandate."""
        given: dict[str, Any] = {
            "provider": REGISTER.label,
            "dataset": self.register,
            "fields": [REGISTERED, SEAT],
            "purpose": self.grants,
            "basis": self.law,
            "mandate": MandateUse(uid=mandate, acts=acts),
            "case": CASE,
            "officer": OFFICER,
            "due": get_now() + timedelta(days=15),
            "retention_until": get_now() + timedelta(days=730),
        }
        return requests.request_exchange(**(given | changes))

    def build_office(self, grantee: dict[str, str], office: str, **changes: Any) -> OfficeItem:
        """Build an office of the choir's next board."""
        return OfficeItem(
            grantee=grantee,
            act_list=self.act_list,
            acts=["apply-grant", "sign-contract"],
            record={"office": office},
            **changes,
        )

    def build_power(self, grantee: dict[str, str], *acts: str) -> MandateItem:
        """Build a power that the choir gives."""
        return MandateItem(
            kind="power",
            body=CHOIR,
            grantee=grantee,
            act_list=self.act_list,
            acts=list(acts),
            valid_from=get_now() - timedelta(days=200),
            record={"deed": "N-3/2026"},
        )

    def write_register(self, began: datetime) -> tuple[bytes, str, int]:
        """Write the register's file; return it, the uid of the choir's president, wrong lines."""
        lines: list[str] = []
        president = make_uid()
        for number in range(ASSOCIATIONS):
            is_choir = number == ASSOCIATIONS // 2
            line = {
                "uid": president if is_choir else make_uid(),
                "kind": "office",
                "body": {
                    "register_name": CHOIR.register_name,
                    "number": CHOIR.number if is_choir else f"A-{number:04d}",
                },
                "grantee": OLD_PRESIDENT if is_choir else {"name": f"President {number:04d}"},
                "act_list": self.act_list,
                "acts": ["apply-grant", "sign-contract"],
                "valid_from": f"{began:%Y-%m-%dT%H:%M:%SZ}",
                "record": {"office": "president"},
            }
            lines.append(json.dumps(line))
        wrong = [
            json.dumps({"kind": "office", "grantee": {"name": "Nobody"}}),
            json.dumps(json.loads(lines[0]) | {"uid": make_uid(), "acts": ["sing"]}),
            "{ this line was cut off",
        ]
        lines[20:20] = wrong
        return "".join(line + "\n" for line in lines).encode(), president, len(wrong)


async def describe(scene: Scene) -> None:
    """Describe the data, the purpose, the law and the list of acts."""
    stage = scene.stage
    with stage.narrator.step("The agencies describe the data, the law and a list of acts"):
        scene.register = await describe_dataset(
            stage,
            REGISTER,
            "Extract of the register of associations",
            {REGISTERED: "Whether it is registered", SEAT: "Seat"},
        )
        scene.grants = await publish_purpose(
            stage, WELFARE, "association-grant", "Deciding on a grant to an association"
        )
        scene.law = await enter_basis(
            stage,
            SUPERVISOR,
            LegalReference(law="Grants to associations (example)", article="Article 4"),
            [
                ScopeItem(
                    provider=REGISTER.label,
                    recipient=WELFARE.label,
                    dataset=scene.register,
                    purpose=scene.grants,
                )
            ],
            kind="statute",
        )
        scene.act_list = await publish_act_list(stage, REGISTER, "Acts for associations", ACTS)
        stage.narrator.confirm("a statute, a list of acts, and nobody's name")

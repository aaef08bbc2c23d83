"""A published credential is sealed twice in the vault: each copy goes in its own time, or both do.

Why there are two is said in `docs/adr/0013-two-sealed-copies.md`.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from atesta_client.holder_keys import HolderKey
from sqlalchemy import select

from api.erasing.eraser import Eraser
from api.outbox.forgetting import FORGOTTEN, TOMBSTONE
from api.outbox.tables import OPERATIONS
from api.publishing.evidence import ROLE
from api.retention.classes import RetentionClass, RetentionPlan
from api.retention.pruning import find_due, prune
from api.vault.tables import MATERIALS, RECORDS
from tests.engines import ON_BOTH_ENGINES
from tests.unit.ledgers.test_ledgers_publishing import PUBLISH, issue, wish
from tests.unit.ledgers.two_ledgers import OWN_SCHEMA, SHARED_SCHEMA, TwoLedgers, agree
from tests.unit.rest.ledger_world import Caller

DAY_S = 86_400


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A credential of Macao's own ledger and what was published of it."""

    world: TwoLedgers
    laboratory: Caller
    own: str
    published: str

    async def finish(self) -> None:
        """Carry out all orders to erase."""
        eraser = Eraser(self.world.laboratory.services)
        for _ in range(6):
            await eraser.turn()
            await self.world.settle()

    async def erase(self, uid: str, place: str = "") -> None:
        """Erase one of the two as its holder asks."""
        await self.laboratory.post(f"{place}/credentials/{uid}/erase", {"reason": "holder_request"})
        await self.finish()

    async def prune(self, days: int, **classes: dict[str, Any]) -> dict[str, int]:
        """Prune so many days later; returns what no class covers."""
        self.world.macao.now_s += days * DAY_S
        services = self.world.laboratory.services
        assert services.maybe_keyring is not None
        plan = build_plan(**classes)
        report = await prune(
            services.maybe_keyring, plan, now_s=self.world.macao.now_s, is_dry_run=False
        )
        await self.finish()
        return report.findings.uncovered

    def list_sealed(self) -> set[tuple[str, str]]:
        """Return what stands sealed in the vault: uid, and `credential` or a role."""
        keyring = self.world.laboratory.services.maybe_keyring
        assert keyring is not None
        records = keyring.database.read_now(lambda c: c.execute(select(RECORDS.c.uid)).all())
        materials = keyring.database.read_now(
            lambda c: c.execute(select(MATERIALS.c.uid, MATERIALS.c.role)).all()
        )
        found = {("0x" + bytes(row.uid).hex(), "credential") for row in records}
        return found | {("0x" + bytes(row.uid).hex(), row.role) for row in materials}

    async def read_states(self) -> tuple[str, str]:
        """Return what each ledger says of its record."""
        own = await self.laboratory.get(f"/attestations/{self.own}")
        published = await self.laboratory.get(f"/ledgers/shared/attestations/{self.published}")
        return own["state"], published["state"]


def build_plan(**classes: dict[str, Any]) -> RetentionPlan:
    """Return classes for the schemas of the two ledgers, by `own` and `shared`."""
    schemas = {"own": OWN_SCHEMA, "shared": SHARED_SCHEMA}
    return RetentionPlan(
        classes=tuple(
            RetentionClass.model_validate(
                {
                    "name": name,
                    "start": "created",
                    "legal_reference": "the archive plan of the tests",
                    "checked": True,
                    "schemas": [schemas[name]],
                }
                | given
            )
            for name, given in classes.items()
        )
    )


@pytest.fixture
async def pair(world: TwoLedgers, laboratory: Caller, bureau: Caller, key: HolderKey) -> Pair:
    await agree(world, laboratory, bureau)
    credential = await issue(world, laboratory, key)
    accepted = await laboratory.post(PUBLISH, await wish(world, credential, key))
    await world.settle()
    made = Pair(
        world=world,
        laboratory=laboratory,
        own="0x" + credential.record.uid.hex(),
        published=accepted["uid"],
    )
    assert made.list_sealed() >= {
        (made.own, "credential"), (made.published, "credential"), (made.published, ROLE),
    }  # fmt: skip
    return made


@ON_BOTH_ENGINES
async def test_erasing_the_credential_takes_both_copies(pair: Pair) -> None:
    await pair.erase(pair.own)
    assert await pair.read_states() == ("erased", "erased")
    left = {uid for uid, _ in pair.list_sealed()}
    assert not left & {pair.own, pair.published}


async def test_erasing_what_was_published_leaves_the_credential(pair: Pair) -> None:
    await pair.erase(pair.published, "/ledgers/shared")
    assert await pair.read_states() == ("active", "erased")
    left = pair.list_sealed()
    assert (pair.own, "credential") in left
    assert pair.published not in {uid for uid, _ in left}
    assert (await pair.laboratory.get(f"/credentials/{pair.own}"))["credential"] is not None


async def test_each_copy_is_pruned_in_its_own_time(pair: Pair) -> None:
    classes: dict[str, dict[str, Any]] = {"own": {"days": 30}, "shared": {"days": 300}}
    await pair.prune(31, **classes)
    assert await pair.read_states() == ("erased", "active")
    left = {uid for uid, _ in pair.list_sealed()}
    assert (pair.own in left, pair.published in left) == (False, True)
    # Not too early: what was published still opens, and so does why it was published.
    place = f"/ledgers/shared/credentials/{pair.published}"
    assert (await pair.laboratory.get(place))["credential"] is not None
    told = await pair.laboratory.get(f"/ledgers/shared/publications/{pair.published}")
    assert (told["holds"], told["origin"], told["credential"]) == (True, "macao", pair.own)
    # Not too long: the request has no class, and goes with the credential that it is kept for.
    uncovered = await pair.prune(270, **classes)
    assert f"role {ROLE}" not in uncovered
    assert await pair.read_states() == ("erased", "erased")
    assert pair.published not in {uid for uid, _ in pair.list_sealed()}


async def test_what_was_published_may_go_first(pair: Pair) -> None:
    classes: dict[str, dict[str, Any]] = {"own": {"days": 300}, "shared": {"days": 30}}
    await pair.prune(31, **classes)
    assert await pair.read_states() == ("active", "erased")
    await pair.prune(270, **classes)
    assert await pair.read_states() == ("erased", "erased")


async def test_class_of_the_request_keeps_what_was_published_as_long(pair: Pair) -> None:
    later = {"days": 900, "schemas": [], "roles": [ROLE]}
    classes: dict[str, dict[str, Any]] = {"shared": {"days": 30}, "own": later}
    await pair.prune(31, **classes)
    assert await pair.read_states() == ("active", "active")


async def test_copy_that_a_law_asks_to_keep_is_kept_for_storage_only(pair: Pair) -> None:
    duty = {"years": 3, "obligatory_years": 3}
    for one in pair.world.laboratory.services.ledgers:
        object.__setattr__(one, "retention", build_plan(shared=duty))
    await pair.erase(pair.own)
    assert await pair.read_states() == ("erased", "active")
    place = f"/ledgers/shared/credentials/{pair.published}"
    problem = await pair.laboratory.get(place, status=403)
    assert (problem["code"], problem["cause"]) == ("record_restricted", "request")
    await pair.laboratory.get(place, Atesta_Purpose="retained")
    # It ends when that law's time is over, also where no class says how long it would be kept.
    await pair.prune(3 * 366, shared=duty)
    assert await pair.read_states() == ("erased", "erased")


async def test_request_without_its_credential_is_kept_by_itself(pair: Pair) -> None:
    keyring = pair.world.laboratory.services.maybe_keyring
    assert keyring is not None
    keyring.database.write_now(
        lambda c: c.execute(
            RECORDS.delete().where(RECORDS.c.uid == bytes.fromhex(pair.published[2:]))
        )
    )
    found = find_due(keyring, build_plan(own={"days": 30}), now_s=pair.world.macao.now_s)
    assert found.uncovered == {f"role {ROLE}": 1}


async def test_erasing_forgets_what_requests_said_on_both_ledgers(pair: Pair) -> None:
    def read() -> list[set[bytes]]:
        """Return the fingerprints of bodies on each ledger."""
        uids = [bytes.fromhex(uid[2:]) for uid in (pair.own, pair.published)]
        query = select(OPERATIONS.c.body_fingerprint).where(
            OPERATIONS.c.uid.in_(uids), OPERATIONS.c.kind != TOMBSTONE
        )
        return [
            {
                bytes(row.body_fingerprint)
                for row in one.outbox._database.read_now(lambda c: c.execute(query).all())
            }
            for one in pair.laboratory.agency.services.ledgers
        ]

    before = read()
    assert [len(found) > 0 for found in before] == [True, True]
    assert not any(FORGOTTEN in found for found in before)
    await pair.erase(pair.own)
    assert read() == [{FORGOTTEN}, {FORGOTTEN}]

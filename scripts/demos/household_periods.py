"""The standing exchange of D6: 50,000 households in a period, one altered and one missing.

Both sides keep what they sent and received, and state count and root on the ledger. The roots
differ, so the ledger says mismatch; the two lists say where; each side names the leaf that it has
there, with a proof under the root that it stated.
"""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final

from atesta_client import requests
from atesta_client.answers import LawEvent, Period
from atesta_client.envelopes import EnvelopeKind, seal_envelope
from atesta_client.statements import (
    DifferenceKind,
    Statement,
    compare_deliveries,
    make_statement,
)
from atesta_client.trees import compute_root_from_path

from scripts.demos.household_scene import IDENTITY, STANDING_CASE, WELFARE, Scene
from scripts.demos.law_stage import Attempt, get_now
from scripts.demos.stage import require

COUNT: Final = 50_000
SEED: Final = 20_261_122
PERIOD: Final = 202_611
"""November 2026."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """What went over in a period, as commitments in the order of delivery."""

    sent: list[bytes]
    received: list[bytes]
    altered: int
    """Place of the record that arrived altered."""
    missing: int
    """Place of the record that did not arrive."""


def make_deliveries(count: int, seed: int) -> Deliveries:
    """Seal invented households; on the way one is altered and a later one gets lost."""
    random = Random(seed)  # noqa: S311 - invents households, nothing secret

    def seal(number: int, persons: int) -> bytes:
        body = {"household": number, "persons": persons}
        return seal_envelope(EnvelopeKind.DELIVERY, body, secrets.token_bytes).commitment

    sent = [seal(number, random.randint(1, 6)) for number in range(count)]
    altered = random.randrange(count // 3)
    missing = random.randrange(count // 2, count - 1)
    received = list(sent)
    received[altered] = seal(altered, 7)
    del received[missing]
    return Deliveries(sent=sent, received=received, altered=altered, missing=missing)


async def authorise(scene: Scene) -> None:
    """Ask for a standing exchange and have it approved."""
    stage = scene.stage
    with stage.narrator.step("The welfare bureau asks to be told every month, and is allowed to"):
        welfare = await stage.get_officer(WELFARE)
        data_officer = await stage.get_data_officer(IDENTITY)
        asked = await stage.do(
            welfare,
            scene.ask(
                mode="standing",
                case=STANDING_CASE,
                due=get_now() + timedelta(days=10),
                valid_until=get_now() + timedelta(days=365),
            ),
        )
        scene.standing = asked.uid
        identity = await stage.get_officer(IDENTITY)
        begin = requests.begin_period(asked.uid, PERIOD)
        await stage.show_refusals(
            [
                Attempt(
                    title="a delivery before the data officer decided",
                    code="exchange_not_approved",
                    client=identity,
                    request=begin,
                )
            ]
        )
        await stage.do(data_officer, scene.decide(asked.uid, "approve"))
        await stage.do(identity, begin)
        stage.narrator.confirm("one authorisation for a year; the first period has begun")


async def deliver(scene: Scene) -> None:
    """Deliver 50,000 records, state both sides, and find what differs."""
    stage = scene.stage
    title = f"{COUNT:,} households go over; one is altered on the way, and one gets lost"
    with stage.narrator.step(title):
        deliveries = await asyncio.to_thread(make_deliveries, COUNT, SEED)
        stage.narrator.say(f"seed {SEED}; each record is an envelope with a salt of its own")
        for party, commitments in ((IDENTITY, deliveries.sent), (WELFARE, deliveries.received)):
            client = await stage.get_officer(party)
            listed = ["0x" + commitment.hex() for commitment in commitments]
            made = await stage.do(
                client, requests.make_statement(scene.standing, PERIOD, deliveries=listed)
            )
            stated = made.envelope or {}
            stage.narrator.say(f"{party.name} states {stated['count']:,}, {stated['root'][:18]}…")
        period = await read_period(scene)
        require(period.state == "mismatched", f"the period is {period.state}, not mismatched")
        stage.narrator.confirm("the roots differ: the ledger raises a mismatch for all to see")
    await name_leaves(scene, deliveries)
    await correct(scene, deliveries)


async def name_leaves(scene: Scene, deliveries: Deliveries) -> None:
    """Compare the lists, and let each side name its leaf at both places, with proof."""
    stage = scene.stage
    with stage.narrator.step("Both compare their lists and name the leaves, each with its proof"):
        found = compare_deliveries(deliveries.sent, deliveries.received)
        told = [(one.kind, one.provider_index, one.requester_index) for one in found]
        require(
            told
            == [
                (DifferenceKind.ALTERED, deliveries.altered, deliveries.altered),
                (DifferenceKind.MISSING, deliveries.missing, None),
            ],
            f"the lists differ at {told}, not at {deliveries.altered} and {deliveries.missing}",
        )
        stage.narrator.say(f"altered: place {deliveries.altered:,}")
        stage.narrator.say(f"missing: place {deliveries.missing:,}; all after it moved up by one")
        places = (deliveries.altered, deliveries.missing)
        for party in (IDENTITY, WELFARE):
            client = await stage.get_officer(party)
            for place in places:
                await stage.do(client, requests.name_leaf(scene.standing, PERIOD, index=place))
        identity, welfare = await stage.get_officer(IDENTITY), await stage.get_officer(WELFARE)
        # Beyond its own count the welfare bureau has none, and says so by the place alone.
        await stage.do(welfare, requests.name_leaf(scene.standing, PERIOD, index=COUNT - 1))
        page = await identity.send(requests.get_exchange_history(scene.standing, limit=100))
        named = [event for event in page.items if event.kind == "exchange.leaf_named"]
        await prove(scene, deliveries, named)
        await stage.show_refusals(
            [
                Attempt(
                    title="a leaf that was never stated",
                    code="period_leaf_not_under_the_root",
                    client=welfare,
                    request=requests.name_leaf(
                        scene.standing,
                        PERIOD,
                        index=deliveries.altered + 1,
                        leaf="0x" + "5a" * 32,
                        proof=["0x" + "5a" * 32] * (COUNT - 2).bit_length(),
                    ),
                )
            ]
        )
        stage.narrator.confirm(
            f"{len(named)} leaves stand on the ledger; each was proved under its side's own root"
        )


async def prove(scene: Scene, deliveries: Deliveries, named: list[LawEvent]) -> None:
    """Check what the ledger names against the lists, by paths computed here."""
    period = await read_period(scene)
    require(period.named_leaves == len(named), f"{period.named_leaves} leaves are named")
    told: dict[tuple[str, int], LawEvent] = {}
    for event in named:
        details = event.details or {}
        told[event.agency, int(details["index"])] = event
    sides = (
        (IDENTITY.label, deliveries.sent, period.stated_by_provider),
        (WELFARE.label, deliveries.received, period.stated_by_requester),
    )
    for label, commitments, stated in sides:
        statement = await asyncio.to_thread(_compute, scene, commitments)
        require(
            stated is not None
            and stated.count == statement.count
            and stated.root == "0x" + statement.root.hex(),
            f"{label} stated something else than it has",
        )
        for place in (deliveries.altered, deliveries.missing):
            details = told[label, place].details or {}
            leaf = bytes.fromhex(details["leaf"][2:])
            root = compute_root_from_path(
                leaf=leaf,
                index=place,
                size=statement.count,
                path=statement.tree.compute_path(place),
            )
            require(
                root == statement.root and not details["is_missing"],
                f"the leaf that {label} named at {place} is not proved under its root",
            )
    here, there = ((told[label, deliveries.altered].details or {})["leaf"] for label, _, _ in sides)
    require(here != there, "both sides named the same leaf where the record was altered")
    last = told[WELFARE.label, COUNT - 1].details or {}
    require(last["is_missing"] is True, "the requester's last place is not told as missing")


async def correct(scene: Scene, deliveries: Deliveries) -> None:
    """Deliver the two records again; the requester corrects its statement, and both agree."""
    stage = scene.stage
    with stage.narrator.step("The two records are delivered again; the statement is corrected"):
        welfare = await stage.get_officer(WELFARE)
        listed = ["0x" + commitment.hex() for commitment in deliveries.sent]
        await stage.do(welfare, requests.make_statement(scene.standing, PERIOD, deliveries=listed))
        period = await read_period(scene)
        require(period.state == "agreed", f"the period is {period.state}, not agreed")
        await stage.show_refusals(
            [
                Attempt(
                    title="a leaf named where both agree",
                    code="period_no_mismatch",
                    client=welfare,
                    request=requests.name_leaf(scene.standing, PERIOD, index=0),
                )
            ]
        )
        stage.narrator.confirm(f"{COUNT:,} of {COUNT:,}: both roots are equal")


async def read_period(scene: Scene) -> Period:
    """Read the period on the requester's node."""
    client = await scene.stage.get_officer(WELFARE)
    (listed,) = (await client.send(requests.list_periods(exchange=scene.standing))).items
    return await client.send(requests.get_period(listed.uid))


def _compute(scene: Scene, commitments: list[bytes]) -> Statement:
    exchange = bytes.fromhex(scene.standing[2:])
    return make_statement(exchange=exchange, period=PERIOD, commitments=commitments)

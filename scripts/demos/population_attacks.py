"""The two attacks on a population: linking its records, and searching for its values.

Neither has the keys of a vault. The first has the chain and knows whose record is whose, in order
to count what could be linked, by content and by order; the second has everything that every agency
keeps, sends and logs.
"""

import asyncio
import hashlib
import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final

from atesta_client.base64url import decode_base64url
from coincurve import PrivateKey
from eth_hash.auto import keccak

from api.firewall.search.clean import CleanValues
from api.firewall.search.controls import Controls
from api.firewall.search.folders import search_folder
from api.firewall.search.guesses import GuessTable, iterate_digests, list_birth_dates
from api.firewall.search.needles import NeedleSet
from api.firewall.search.report import CONTROL
from scripts.demos.law_stage import LawStage
from scripts.demos.narrator import Narrator
from scripts.demos.population_acts import AUTHORISED, CONSENT, Resident
from scripts.demos.population_linkage import IDENTITY, Link, Record, find_links
from scripts.demos.population_order import (
    MOST_BY_CHANCE,
    OrderedStep,
    count_same_rank,
    guess_by_order,
)
from scripts.demos.population_people import Person, list_guesses, list_needles
from scripts.demos.stage import StoryFailed, require

_PLANTED: Final = ("planted, first", "planted, second")
_FIRST_BIRTH: Final = date(1930, 1, 1)
_WORD: Final = 32
_DAY_S: Final = 86_400


def link_records(
    narrator: Narrator, residents: Sequence[Resident], chain: Mapping[str, tuple[bytes, ...]]
) -> None:
    """Try to link two records of each person; only consent and exchange may be, and must be."""
    records = [record for one in residents for record in _build_records(one, chain)]
    planted = _plant(residents[0].person, len(residents))
    title = "It looks for anything that two records of one person share"
    with narrator.step(title, total=len(records) + len(planted)) as step:
        links = find_links([*records, *planted], people=len(residents), progress=step.advance)
    found = Counter((link.first, link.second) for link in links)
    wanted = {Link(len(residents), first, second) for first, second in _pair_planted()}
    require(wanted <= links.keys(), "the planted hash was not found: it would miss others too")
    narrator.show(
        ("records", "linked persons", "of"),
        [
            (f"{first} and {second}", f"{count:,}", f"{len(residents):,}")
            for (first, second), count in sorted(found.items())
            if first not in _PLANTED and second not in _PLANTED
        ],
    )
    authorised = found[AUTHORISED]
    require(
        authorised == len(residents),
        f"it linked {authorised} consents and exchanges, not {len(residents)}: it overlooks links",
    )
    others = sorted(
        link
        for link in links
        if (link.first, link.second) != AUTHORISED and link.person < len(residents)
    )
    require(not others, f"{len({link.person for link in others})} persons linked: {others[:3]}")
    narrator.confirm(
        f"{len({link.person for link in others})} of {len(residents):,} persons linked across two "
        f"records or named; {authorised:,} exchanges lead to the consent that authorises them, as "
        "they must; an identity number's plain hash, planted in two records, was found"
    )


def link_by_order(
    narrator: Narrator, residents: Sequence[Resident], chain: Mapping[str, tuple[bytes, ...]]
) -> None:
    """Try to tell by rank and by event time whose records are whose; chance must do as well."""
    with narrator.step("It guesses who is who by the order of the records and by their times"):
        steps = _order_steps(residents, chain)
        guesses = guess_by_order(steps, (AUTHORISED,))
        # A step beside itself is a list that is worked through twice in the same order.
        same = count_same_rank(steps[0], steps[0])
    require(same == len(residents), "an order that was repeated was not found")
    narrator.show(
        ("steps of two records", "by rank", "by time", "of"),
        [
            (
                f"{guess.first} and {guess.second}",
                f"{guess.by_rank:.0f}",
                f"{guess.by_time:.1f}",
                f"{len(residents):,}",
            )
            for guess in guesses
        ],
    )
    caught = [guess for guess in guesses if guess.most >= MOST_BY_CHANCE]
    require(not caught, f"the order tells who is who: {caught[:2]}")
    mean = sum(guess.by_rank + guess.by_time for guess in guesses) / (2 * len(guesses))
    narrator.confirm(
        f"it guessed {mean:.1f} of {len(residents):,} persons right on average, where chance makes "
        f"1, and at most {max(guess.most for guess in guesses):.1f}, in {2 * len(guesses)} tries"
    )


async def search_stores(stage: LawStage, people: tuple[Person, ...]) -> None:
    """Stop all nodes and search every folder for every value, and for hashes of guesses."""
    controls, clean = Controls(), CleanValues()
    with stage.narrator.step("It hashes whatever it can guess"):
        dates, _ = list_birth_dates(datetime.now(UTC).date(), first=_FIRST_BIRTH)
        guesses = await asyncio.to_thread(
            GuessTable, [*controls.guesses, *list_guesses(people), *dates]
        )
        values = list_needles(people)
        needles = await asyncio.to_thread(NeedleSet, [*controls.needles, *values])
        stage.narrator.confirm(
            f"{len(values):,} values in {needles.form_count:,} forms; "
            f"{guesses.digest_count:,} digests"
        )
    title = "It searches chain, index, vault, outbox and logs of every agency"
    rows, leaks, missed, planted = [], [], [], 0
    with stage.narrator.step(title, total=len(stage.nodes)) as step:
        await asyncio.to_thread(stage.stop_all)
        for node in stage.nodes:
            await asyncio.to_thread(stage.databases.bring_back, node)
            await asyncio.to_thread(stage.ground.bring_back, node)
            report = await asyncio.to_thread(
                search_folder,
                node.folder,
                needles,
                guesses=guesses,
                controls=controls,
                clean=clean,
            )
            hits = [hit for hit in report.hits if not hit.label.startswith(CONTROL)]
            leaks += [(node.name, hit) for hit in hits]
            missed += [(node.name, *one) for one in controls.find_missed(report)]
            planted += controls.count()
            size = sum(report.sizes.values())
            rows.append((node.name, f"{size / 1e6:.0f} MB", str(len(hits)), str(controls.count())))
            step.advance()
    stage.narrator.show(("agency", "searched", "found", "controls"), rows)
    require(not missed, f"the search missed a control: {missed[:2]}; it would miss a leak too")
    if leaks:
        name, hit = leaks[0]
        raise StoryFailed(
            f"{len(leaks)} values found; first: {hit.label} at {name}, {hit.store}, {hit.place}, "
            f"as {hit.encoding}",
        )
    stage.narrator.confirm(
        f"no value and no guessable digest at any agency, in clear not even in its own vault; all "
        f"{planted:,} planted controls were found"
    )


def _order_steps(
    residents: Sequence[Resident], chain: Mapping[str, tuple[bytes, ...]]
) -> list[OrderedStep]:
    """Return every step of every record as it stands on the chain, which is in order."""
    places = {name: place for place, name in enumerate(chain)}
    found: dict[tuple[str, int], list[tuple[int, int, int]]] = {}
    for resident in residents:
        numbers: Counter[str] = Counter()
        for transaction, kind in resident.transactions.items():
            entry = places[transaction], resident.person.number, _read_time(chain[transaction][0])
            found.setdefault((kind, numbers[kind]), []).append(entry)
            numbers[kind] += 1
    return [
        OrderedStep(
            kind=kind,
            number=number,
            people=tuple(person for _, person, _ in sorted(entries)),
            times_s=tuple(time_s for _, _, time_s in sorted(entries)),
        )
        for (kind, number), entries in found.items()
    ]


def _read_time(call: bytes) -> int:
    """Return a call's event time: the last time in it that is over; 0 for none."""
    now_s = int(time.time())
    words = (call[place : place + _WORD] for place in range(len(call) % _WORD, len(call), _WORD))
    numbers = (int.from_bytes(word) for word in words)
    return max((number for number in numbers if now_s - _DAY_S < number <= now_s), default=0)


def _build_records(resident: Resident, chain: Mapping[str, tuple[bytes, ...]]) -> list[Record]:
    """Collect what is public about each of a person's records, and what identifies the person."""
    number = resident.person.number
    pieces: dict[str, list[bytes]] = {}
    for transaction, kind in resident.transactions.items():
        pieces.setdefault(kind, []).extend(chain[transaction])
    for kind, carried in resident.carried.items():
        assert carried.key is not None, "every certificate has its holder's key"
        field = carried.key.public_key.to_field()
        jwk = field["jwk"]
        assert isinstance(jwk, dict), "a holder's key is written as JWK"
        point = b"".join(decode_base64url(jwk[name]) or b"" for name in ("x", "y"))
        pieces[kind] += [point, *_hash_key(point)]
    point = PrivateKey(resident.key.secret).public_key.format(compressed=False)[1:]
    pieces[CONSENT] += [point, *_hash_key(point)]
    digests = [
        digest
        for _, value in resident.person.iterate_values()
        for digest in iterate_digests(value.encode())
    ]
    return [
        *(Record(person=number, kind=kind, pieces=tuple(own)) for kind, own in pieces.items()),
        Record(person=number, kind=IDENTITY, pieces=tuple(digests)),
    ]


def _hash_key(point: bytes) -> list[bytes]:
    """Return digests of a public key as programs write it: bare, marked, compressed."""
    compressed = bytes([2 + point[-1] % 2]) + point[:32]
    return [
        digest
        for text in (point, b"\x04" + point, compressed)
        for digest in (keccak(text), hashlib.sha256(text).digest())
    ]


def _plant(person: Person, number: int) -> list[Record]:
    """Make two records of nobody that hold the plain hash of an identity number."""
    digest = keccak(person.identity.encode())
    known = Record(person=number, kind=IDENTITY, pieces=(digest,))
    return [
        known,
        *(
            Record(person=number, kind=kind, pieces=(secrets.token_bytes(36) + digest,))
            for kind in _PLANTED
        ),
    ]


def _pair_planted() -> tuple[tuple[str, str], ...]:
    return (_PLANTED, *((IDENTITY, kind) for kind in _PLANTED))

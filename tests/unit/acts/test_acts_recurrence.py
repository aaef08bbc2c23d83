"""Nothing that goes on the chain recurs in two dealings of one person.

Generated persons consent, are asked about and have data released, again and again, between the same
two agencies. A dealing is a consent with the exchange that rests on it: these share the consent's
uid, which is meant to be. Every word of every transaction is looked at: one that stands in two
dealings of a person, and with nobody else, would tell that both are the same person's.
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

import pytest

from tests.unit.acts.exchange_world import (
    Law,
    ask,
    make_law,
    record_consent,
    release,
)
from tests.unit.rest.ledger_world import Caller

WORD = 32
SMALL = 2**64
"""Below are codes, counts and times, which are shared by chance."""

Dealing = frozenset[bytes]


def find_recurring(dealings: Mapping[str, Sequence[Dealing]]) -> dict[str, set[bytes]]:
    """Return, by person, the words that stand in two of their dealings and with nobody else."""
    owners: dict[bytes, set[str]] = defaultdict(set)
    for person, theirs in dealings.items():
        for dealing in theirs:
            for word in dealing:
                owners[word].add(person)
    found: dict[str, set[bytes]] = {}
    for person, theirs in dealings.items():
        recurring = {
            word
            for number, dealing in enumerate(theirs)
            for other in theirs[number + 1 :]
            for word in dealing & other
            if owners[word] == {person}
        }
        if recurring:
            found[person] = recurring
    return found


def read_words(data: bytes) -> set[bytes]:
    """Return the words of a call, but for small numbers; the ABI has every value in words."""
    body = data[4:]
    assert len(body) % WORD == 0, "a call is its selector and whole words"
    words = {body[start : start + WORD] for start in range(0, len(body), WORD)}
    return {word for word in words if int.from_bytes(word, "big") >= SMALL}


async def list_calls(*callers: Caller) -> dict[str, bytes]:
    """Return every transaction that these agencies have promised, by operation."""
    found: dict[str, bytes] = {}
    for caller in callers:
        outbox = caller.agency.services.outbox
        page = await outbox.get_page(limit=10_000, before=None, state=None, uid=None)
        found |= {operation.id: operation.data for operation in page}
    return found


def draw_person(chance: random.Random) -> str:
    family = chance.choice(["Chan", "Lei", "Wong", "da Silva", "陳", "Ferreira"])
    return f"{family}-{chance.randrange(10**7):07}({chance.randrange(10)})"


@pytest.fixture
async def law(bureau: Caller, laboratory: Caller, commission: Caller, supervisor: Caller) -> Law:
    return await make_law(bureau, supervisor, laboratory, commission)


@pytest.mark.parametrize("seed", [20_261_122])
async def test_nothing_of_a_person_recurs_across_two_dealings(
    bureau: Caller, laboratory: Caller, law: Law, seed: int
) -> None:
    chance = random.Random(seed)
    people = [draw_person(chance) for _ in range(3)]
    rounds = [person for person in people for _ in range(2)]
    chance.shuffle(rounds)
    dealings: dict[str, list[Dealing]] = {person: [] for person in people}
    known = set(await list_calls(bureau, laboratory))
    for person in rounds:
        subject = {"reference": person}
        consent = await record_consent(laboratory, law, subject=subject)
        asked = await ask(laboratory, law, consent["uid"], subject=subject)
        await release(bureau, asked)
        calls = await list_calls(bureau, laboratory)
        fresh = [data for name, data in calls.items() if name not in known]
        assert len(fresh) == 3, "a consent, a request and a release"
        known = set(calls)
        dealings[person].append(frozenset[bytes]().union(*map(read_words, fresh)))
    assert find_recurring(dealings) == {}
    # A value of the person, planted into two of their dealings, would have been found.
    planted = bytes(range(100, 132))
    person = people[0]
    dealings[person] = [dealing | {planted} for dealing in dealings[person]]
    assert find_recurring(dealings) == {person: {planted}}

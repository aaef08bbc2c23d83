"""A population of residents, and the attacks on what of it is public."""

import hashlib
import random
import secrets
import time
from collections.abc import Callable

import pytest
from atesta_client.holder_keys import HolderKey
from atesta_client.resident_keys import ResidentKey
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.demos import population
from scripts.demos.law_carrying import Carried
from scripts.demos.narrator import Narrator
from scripts.demos.population_acts import CONSENT, EXCHANGE, HEALTH_RECORD, LIFE_RECORD, Resident
from scripts.demos.population_attacks import link_by_order, link_records
from scripts.demos.population_linkage import Link, Record, find_links
from scripts.demos.population_order import OrderedStep, count_nearest_time, count_same_rank
from scripts.demos.population_people import Person, list_guesses, list_needles, make_people
from scripts.demos.stage import StoryFailed

PEOPLE = 10
AGENCY = b"mo-health-bureau".ljust(32, b"\0")
Chain = dict[str, tuple[bytes, ...]]


def pad(number: int) -> bytes:
    return number.to_bytes(32, "big")


def build_pair(first: bytes, second: bytes) -> list[Record]:
    """Make two records of one person among those of others, of which each is random."""
    noise = [
        Record(
            person=person,
            kind=kind,
            pieces=(b"call" + AGENCY + pad(1_790_000_000) + secrets.token_bytes(96),),
        )
        for person in range(1, PEOPLE)
        for kind in ("first", "second")
    ]
    own = [
        Record(person=0, kind=kind, pieces=(b"call" + AGENCY + pad(1_790_000_000), piece))
        for kind, piece in (("first", first), ("second", second))
    ]
    return [*noise, *own]


def test_people_are_the_same_for_a_seed_and_share_no_number() -> None:
    people = make_people(300, 7)
    assert people == make_people(300, 7) != make_people(300, 8)
    for values in ({one.identity for one in people}, {one.phone for one in people}):
        assert len(values) == len(people)
    assert any(one.name.isascii() for one in people)
    assert any("ç" in one.name or "ã" in one.name for one in people)
    assert any("\u4e00" <= one.name[0] <= "\u9fff" for one in people)
    assert {len(one.identity) for one in people} == {8, 18}


def test_everything_that_tells_of_a_person_is_looked_for_and_guessed() -> None:
    people = make_people(3, 1)
    wanted = {value for one in people for _, value in one.iterate_values()}
    assert {needle.value for needle in list_needles(people)} == wanted
    assert wanted <= {guess.text for guess in list_guesses(people)}
    assert not any(value in needle.label for needle in list_needles(people) for value in wanted)


@settings(max_examples=25)
@given(before=st.integers(0, 70), after=st.integers(0, 70), shared=st.binary(min_size=24))
def test_link_by_the_same_bytes_is_found_at_every_place(
    before: int, after: int, shared: bytes
) -> None:
    value = hashlib.sha256(shared).digest()[:16].replace(b"\0", b"\1")
    first = secrets.token_bytes(before) + value
    second = secrets.token_bytes(after) + value + secrets.token_bytes(7)
    assert find_links(build_pair(first, second), people=PEOPLE).keys() == {
        Link(0, "first", "second")
    }


@pytest.mark.parametrize(
    "derive",
    [
        keccak,
        lambda word: hashlib.sha256(word).digest(),
        lambda word: pad(0)[:12] + keccak(word)[-20:],
        lambda word: keccak(word.hex().encode()),
        lambda word: keccak(word + AGENCY),
    ],
    ids=["keccak", "sha-256", "address", "over hex", "with its neighbour"],
)
def test_link_by_a_digest_of_a_word_is_found(derive: Callable[[bytes], bytes]) -> None:
    uid = secrets.token_bytes(32)
    records = build_pair(b"call" + uid + AGENCY, b"call" + derive(uid))
    assert find_links(records, people=PEOPLE).keys() == {Link(0, "first", "second")}


def test_nothing_is_linked_by_what_is_common_or_a_number() -> None:
    records = build_pair(pad(77_123) + secrets.token_bytes(32), pad(77_123))
    assert find_links(records, people=PEOPLE) == {}


def test_nothing_is_linked_by_a_byte_beside_what_is_common() -> None:
    # The last byte of a time before an agency's name, and the first byte of chance after it.
    first = pad(1_790_000_077) + AGENCY + b"\x5a" + secrets.token_bytes(31)
    second = pad(1_790_000_333) + AGENCY + b"\x5a" + secrets.token_bytes(31)
    assert 1_790_000_077 % 256 == 1_790_000_333 % 256
    assert find_links(build_pair(first, second), people=PEOPLE) == {}


def test_one_person_apart_from_the_others_is_not_hidden_by_their_number() -> None:
    value = secrets.token_bytes(32)
    others = [
        Record(person=person, kind="first", pieces=(value,)) for person in range(PEOPLE, PEOPLE + 3)
    ]
    records = build_pair(value, value)
    assert find_links([*records, *others[:2]], people=PEOPLE) != {}
    assert find_links([*records, *others], people=PEOPLE) == {}
    # Among many people, more of them may share something before it is common.
    assert find_links([*records, *others], people=1_000) != {}


def build_chain(people: tuple[Person, ...]) -> tuple[list[Resident], Chain]:
    """Make residents, and a chain with what they leave on one: uids and commitments by chance."""
    residents: list[Resident] = []
    chain: Chain = {}
    for person in people:
        resident = Resident(person=person)
        consent = secrets.token_bytes(32)
        words = {
            HEALTH_RECORD: secrets.token_bytes(64),
            LIFE_RECORD: secrets.token_bytes(64),
            CONSENT: consent + bytes(12) + bytes.fromhex(resident.key.address[2:]),
            EXCHANGE: secrets.token_bytes(64) + consent,
        }
        for kind, word in words.items():
            name = secrets.token_hex(32)
            resident.transactions[name] = kind
            chain[name] = (b"call" + AGENCY + word, pad(1_790_000_000))
        for kind in (HEALTH_RECORD, LIFE_RECORD):
            # The attack looks at the key only; there is no file to open.
            carried = Carried(credential=None, key=HolderKey.generate())  # type: ignore[arg-type]
            resident.carried[kind] = carried
        residents.append(resident)
    return residents, chain


def add(chain: Chain, resident: Resident, kind: str, piece: bytes) -> None:
    name = next(name for name, one in resident.transactions.items() if one == kind)
    chain[name] = (*chain[name], piece)


def test_population_is_linked_by_its_consents_only() -> None:
    residents, chain = build_chain(make_people(PEOPLE, 3))
    link_records(Narrator(), residents, chain)


def test_population_with_one_plain_hash_is_found() -> None:
    residents, chain = build_chain(make_people(PEOPLE, 3))
    add(chain, residents[4], LIFE_RECORD, keccak(residents[4].person.phone.encode()))
    with pytest.raises(StoryFailed, match="1 persons linked"):
        link_records(Narrator(), residents, chain)


def test_population_with_a_key_used_twice_is_found() -> None:
    residents, chain = build_chain(make_people(PEOPLE, 3))
    residents[2].carried[LIFE_RECORD] = residents[2].carried[HEALTH_RECORD]
    with pytest.raises(StoryFailed, match="1 persons linked"):
        link_records(Narrator(), residents, chain)


def test_population_whose_consent_key_appears_elsewhere_is_found() -> None:
    residents, chain = build_chain(make_people(PEOPLE, 3))
    add(chain, residents[6], HEALTH_RECORD, bytes.fromhex(residents[6].key.address[2:]))
    with pytest.raises(StoryFailed, match="1 persons linked"):
        link_records(Narrator(), residents, chain)


def test_population_whose_authorised_links_are_overlooked_fails() -> None:
    residents, chain = build_chain(make_people(PEOPLE, 3))
    other = Resident(person=residents[1].person, key=ResidentKey.generate())
    name = next(name for name, kind in residents[1].transactions.items() if kind == EXCHANGE)
    chain[name] = (secrets.token_bytes(64),)
    assert other.key.address != residents[1].key.address
    with pytest.raises(StoryFailed, match="it overlooks links"):
        link_records(Narrator(), residents, chain)


def order_chain(chain: Chain, residents: list[Resident], kind: str, order: list[int]) -> Chain:
    """Write a kind of record in this order of persons, a second after the other."""
    start_s = int(time.time()) - 10_000
    written = {}
    for place, number in enumerate(order):
        name = next(key for key, one in residents[number].transactions.items() if one == kind)
        call = chain[name][0] + pad(start_s + place)
        written[name] = (call, *chain[name][1:])
    return written


def write_months(orders: dict[str, list[int]], count: int) -> tuple[list[Resident], Chain]:
    residents, chain = build_chain(make_people(count, 3))
    ordered: Chain = {}
    for kind in (HEALTH_RECORD, CONSENT, EXCHANGE, LIFE_RECORD):
        ordered |= order_chain(chain, residents, kind, orders[kind])
    return residents, ordered


@pytest.mark.parametrize("seed", range(5))
def test_population_that_comes_in_any_order_is_guessed_by_chance(seed: int) -> None:
    chance = random.Random(seed)
    kinds = (HEALTH_RECORD, CONSENT, EXCHANGE, LIFE_RECORD)
    orders = {kind: chance.sample(range(200), 200) for kind in kinds}
    link_by_order(Narrator(), *write_months(orders, 200))


def test_population_worked_through_in_one_order_is_found() -> None:
    chance = random.Random(1)
    kinds = (CONSENT, EXCHANGE, LIFE_RECORD)
    orders = {kind: chance.sample(range(40), 40) for kind in kinds}
    orders[HEALTH_RECORD] = orders[LIFE_RECORD]
    with pytest.raises(StoryFailed, match="the order tells who is who"):
        link_by_order(Narrator(), *write_months(orders, 40))


def test_nearest_time_finds_an_order_that_is_kept_about() -> None:
    """Some come in between: no rank is the same, yet the times are about the same."""
    people = tuple(range(50))
    first = OrderedStep(kind="a", number=0, people=people, times_s=tuple(range(0, 500, 10)))
    moved = (*people[1:], people[0])
    late = OrderedStep(kind="b", number=0, people=moved, times_s=(*range(12, 502, 10), 0))
    assert count_same_rank(first, late) == 0
    assert count_nearest_time(first, late) > 40
    none = OrderedStep(kind="b", number=0, people=people, times_s=(7,) * 50)
    assert count_nearest_time(first, none) == pytest.approx(1)


@pytest.mark.long
@pytest.mark.processes
def test_population_of_ten_lives_and_is_not_found(capsys: pytest.CaptureFixture[str]) -> None:
    code = population.main(["--residents", str(PEOPLE), "--seed", "7"])
    told = capsys.readouterr().out
    assert (code, told.strip().splitlines()[-1]) == (0, "demo: ok"), told
    assert "0 of 10 persons linked" in told
    assert "seed 7" in told

"""A thousand residents who do not exist, with Chinese, Portuguese and English names.

Their numbers have the forms of real ones, because those forms decide what can be guessed: eight
digits for a Macao identity card, eighteen for one of the mainland, mobile numbers of both sides.
The same seed gives the same people.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from api.firewall.search.guesses import Guess, iterate_date_texts
from api.firewall.search.needles import Needle

_CHINESE: Final = ("陳林黃李梁吳張劉何鄭", "美玲志強家豪詠詩俊傑嘉欣偉明淑芬國榮")
_PORTUGUESE: Final = (
    ("João", "Inês", "Conceição", "Luís", "António", "Margarida", "Estêvão", "Graça"),
    ("Assunção", "Gonçalves", "Simões", "do Rosário", "Magalhães", "Sequeira", "Guimarães"),
)
_ENGLISH: Final = (
    ("Margaret", "Oliver", "Harriet", "Desmond", "Rosalind", "Clement", "Beatrice"),
    ("Whitfield", "Ashdown", "Pemberton", "Hargreaves", "Thornbury", "Lockwood"),
)
_FIRST_BIRTH: Final = date(1935, 1, 1)
_BIRTH_DAYS: Final = 26_000
_GUANGDONG_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One fictional resident."""

    number: int
    """From 0."""
    name: str
    identity: str
    """Identity number; every agency files the person under it, as careless ones do."""
    phone: str
    birth_date: date

    @property
    def case(self) -> str:
        """The number of the person's case: the identity number again."""
        return f"HS-{self.identity}"

    def iterate_values(self) -> Iterator[tuple[str, str]]:
        """Yield what tells of the person, each with what it is."""
        yield "name", self.name
        yield "identity number", self.identity
        yield "telephone number", self.phone
        yield "birth date", self.birth_date.isoformat()
        yield "case number", self.case


def make_people(count: int, seed: int) -> tuple[Person, ...]:
    """Make so many residents; numbers are given once, names and birth dates are not."""
    chance = random.Random(seed)  # noqa: S311 - people of a story, no secrets
    taken: set[str] = set()

    def draw(beginnings: tuple[str, ...], digits: int) -> str:
        while True:
            tail = "".join(chance.choice("0123456789") for _ in range(digits))
            number = chance.choice(beginnings) + tail
            if number not in taken:
                taken.add(number)
                return number

    people = []
    for number in range(count):
        birth = _FIRST_BIRTH + timedelta(days=chance.randrange(_BIRTH_DAYS))
        if chance.random() < _GUANGDONG_SHARE:
            identity = draw(("440402", "440301", "440106"), 4)
            identity = f"{identity[:6]}{birth:%Y%m%d}{identity[6:]}"
            phone = draw(("135", "138", "159", "186"), 8)
        else:
            identity, phone = draw(("1", "5", "7"), 7), draw(("6",), 7)
        people.append(
            Person(
                number=number,
                name=_make_name(chance, number),
                identity=identity,
                phone=phone,
                birth_date=birth,
            )
        )
    return tuple(people)


def list_needles(people: tuple[Person, ...]) -> list[Needle]:
    """Return every value of every resident once, labelled without repeating it."""
    seen: dict[str, Needle] = {}
    for person in people:
        for what, value in person.iterate_values():
            label = f"{what} of resident {person.number}"
            seen.setdefault(value, Needle(label=label, value=value))
    return list(seen.values())


def list_guesses(people: tuple[Person, ...]) -> list[Guess]:
    """Return every value of every resident as somebody may have hashed it."""
    guesses: dict[str, Guess] = {}
    for person in people:
        for what, value in person.iterate_values():
            texts = {value, value.upper(), value.lower(), value.replace(" ", "")}
            if what == "birth date":
                texts |= set(iterate_date_texts(person.birth_date))
            elif what == "telephone number":
                texts |= {f"+853{value}", f"853{value}", f"+86{value}", f"86{value}"}
            label = f"{what} of resident {person.number}"
            for text in sorted(texts):
                guesses.setdefault(text, Guess(text=text, label=label))
    return list(guesses.values())


def _make_name(chance: random.Random, number: int) -> str:
    if number % 3 == 0:
        families, given = _CHINESE
        return chance.choice(families) + chance.choice(given) + chance.choice(given)
    first, last = _PORTUGUESE if number % 3 == 1 else _ENGLISH
    return f"{chance.choice(first)} {chance.choice(last)}"

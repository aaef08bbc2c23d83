"""The certificates of the demonstration: reading them, their schema, what a border needs to see.

A file holds one JSON object a line: ``certificate`` is an EU digital COVID certificate (its public
JSON form: ``nam`` names, ``dob`` birth date, and one of ``v`` vaccination, ``t`` test, ``r``
recovery), ``context`` says among other things at which moment its makers tested it. The project
ships a dozen fictional ones; public test data of real issuers has the same shape.

Real test data is not tidy: several certificates share an identifier, some are there twice, most
were made for a moment that is long past. Nothing is dropped or repaired here. It is counted, and
the demonstration says so.
"""

import json
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from atesta_client.canonical import dump_canonical, load_json
from atesta_client.errors import ClientError
from atesta_client.pointers import Absent, get_value, parse_pointer

from api.firewall.search.needles import Needle

SCHEMA_TITLE: Final = "Health certificate (vaccination, test, recovery)"

POINTERS: Final = (
    "/ver",
    "/nam/fn",
    "/nam/gn",
    "/nam/fnt",
    "/nam/gnt",
    "/dob",
    *(f"/v/0/{name}" for name in ("ci", "co", "dn", "dt", "is", "ma", "mp", "sd", "tg", "vp")),
    *(
        f"/t/0/{name}"
        for name in ("ci", "co", "dr", "is", "ma", "nm", "sc", "tc", "tg", "tr", "tt")
    ),
    *(f"/r/0/{name}" for name in ("ci", "co", "df", "du", "fr", "is", "tg")),
    "/meta",
    "/cnf",
)
"""The fields of the schema in order; ``/meta`` is one leaf however it is built."""

REFERENCE: Final = (
    "/dob",
    "/nam/fn",
    "/nam/gn",
    "/v/0/ci",
    "/v/0/dn",
    "/v/0/dt",
    "/t/0/ci",
    "/t/0/sc",
    "/t/0/tt",
    "/t/0/dr",
    "/r/0/ci",
    "/r/0/fr",
)
"""What makes two certificates the same one. The identifier alone would not do: real test data uses
one identifier for a test and a vaccination, and even for different people."""

NEEDED: Final = {
    "v": ("/v/0/tg", "/v/0/dn", "/v/0/sd", "/v/0/dt"),
    "t": ("/t/0/tg", "/t/0/tr", "/t/0/sc"),
    "r": ("/r/0/tg", "/r/0/fr", "/r/0/du"),
}
"""What the policy of the border needs to see of each kind: what, and when. Never who: the holder's
key answers that."""

KINDS: Final = {"v": "vaccination", "t": "test", "r": "recovery"}

PURPOSES: Final = {kind: f"border-crossing.{name}" for kind, name in KINDS.items()}
"""For which purpose the border checks each kind; its node has a recognition policy for each."""

_PERSONAL: Final = (
    ("family name", "/nam/fn"),
    ("given name", "/nam/gn"),
    ("family name in passport letters", "/nam/fnt"),
    ("given name in passport letters", "/nam/gnt"),
    ("birth date", "/dob"),
    ("certificate identifier", "/v/0/ci"),
    ("certificate identifier", "/t/0/ci"),
    ("certificate identifier", "/r/0/ci"),
    ("passport number", "/meta/passportNumber"),
)


class DocumentsUnusable(Exception):
    """The file of documents cannot be used; the message says which line and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One certificate."""

    number: int
    """Its line in the file, from 1."""
    country: str
    """Who issued the original."""
    certificate: dict[str, Any]
    """The certificate itself."""
    clock: datetime | None
    """The moment for which its makers tested it, if they say."""

    @property
    def kind(self) -> str:
        """``v``, ``t`` or ``r``."""
        return next(kind for kind in KINDS if kind in self.certificate)

    @property
    def identifier(self) -> str:
        """The certificate identifier."""
        return str(self.certificate[self.kind][0].get("ci", ""))

    @property
    def reference(self) -> bytes:
        """What makes it the same certificate as another one."""
        return dump_canonical([_get_text(self.certificate, pointer) for pointer in REFERENCE])


@dataclass(frozen=True, slots=True, kw_only=True)
class Peculiarities:
    """What is untidy about a file of documents, in numbers."""

    sharing_identifier: int
    """Documents whose identifier another, different certificate in the file has too."""
    repeated: int
    """Documents that are the same certificate as an earlier one."""
    past_clock: int
    """Documents whose makers tested them for a moment that is past."""
    holders: int
    """Different people, by name and birth date."""


def load_documents(path: Path) -> tuple[Document, ...]:
    """Read a file of certificates; raise :class:`DocumentsUnusable` naming the line at fault."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise DocumentsUnusable(f"{path}: {error.strerror}") from error
    documents = tuple(
        _read_line(line, number, path) for number, line in enumerate(lines, start=1) if line.strip()
    )
    if not documents:
        raise DocumentsUnusable(f"{path}: holds no documents")
    return documents


def count_peculiarities(documents: Sequence[Document], *, now: datetime) -> Peculiarities:
    """Count what the demonstration has to mention."""
    certificates_of: dict[str, set[bytes]] = {}
    for document in documents:
        certificates_of.setdefault(document.identifier, set()).add(document.reference)
    people = {
        tuple(_get_text(document.certificate, pointer) for pointer in REFERENCE[:3])
        for document in documents
    }
    references = Counter(document.reference for document in documents)
    return Peculiarities(
        sharing_identifier=sum(
            len(certificates_of[document.identifier]) > 1 for document in documents
        ),
        repeated=len(documents) - len(references),
        past_clock=sum(
            document.clock is not None and document.clock < now for document in documents
        ),
        holders=len(people),
    )


def iterate_needles(documents: Sequence[Document]) -> Iterator[Needle]:
    """Yield every personal value of the documents once, labelled without repeating it."""
    seen = set()
    for document in documents:
        for what, pointer in _PERSONAL:
            value = _get_text(document.certificate, pointer)
            if value and value not in seen:
                seen.add(value)
                yield Needle(label=f"{what} of document {document.number}", value=value)


def make_control_certificate() -> dict[str, Any]:
    """Make a certificate of nobody, for a record that the privacy search must find by its uid."""
    identifier = f"URN:UVCI:01:MO:{secrets.token_hex(12)}"
    return {"ver": "1.3.0", "nam": {"fn": "Control"}, "t": [{"ci": identifier}]}


def _read_line(line: bytes, number: int, path: Path) -> Document:
    try:
        entry = load_json(line)
    except ClientError as error:
        raise DocumentsUnusable(f"{path}, line {number}: {error}") from error
    certificate = entry.get("certificate") if isinstance(entry, Mapping) else None
    if not isinstance(certificate, dict) or not any(certificate.get(kind) for kind in KINDS):
        raise DocumentsUnusable(f"{path}, line {number}: holds no certificate of a known kind")
    context = entry.get("context")
    return Document(
        number=number,
        country=str(entry.get("country", "")),
        certificate=certificate,
        clock=_read_clock(context.get("VALIDATIONCLOCK") if isinstance(context, Mapping) else None),
    )


def _read_clock(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _get_text(certificate: dict[str, Any], pointer: str) -> str:
    value = get_value(certificate, parse_pointer(pointer))
    if isinstance(value, Absent):
        return ""
    return value if isinstance(value, str) else json.dumps(value)

"""What is looked for: everything in the vault that tells of a person, and every secret beside it.

The vault holds documents and envelopes; both are opened row by row. Of their bodies every leaf is
looked for, unless it is clear that it tells of nobody (`leaves`): code words, what is common to
many persons, what a public text says too, dates of the last two years (they are in every log),
identifiers that are public. How many leaves were left out for which reason is in the report.
Salts and handles are looked for as bytes: whoever finds one can test guesses, or link.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from atesta_client.canonical import load_json
from atesta_client.errors import ClientError
from sqlalchemy import Row, func, select, tuple_

from api.errors import ApiError
from api.firewall.audit.leaves import JsonNumber, Leaf, LeafBook
from api.firewall.search.guesses import Guess
from api.firewall.search.needles import Needle
from api.vault.ciphers import Sealed
from api.vault.keyring import Keyring
from api.vault.sealed_tables import SEALED_TABLES, SealedTable

_MOST_NUMBERS: Final = 64
_BATCH_ROWS: Final = 200
_SECRET_HEX: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
_DATE: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_NUMBER: Final = re.compile(r"[A-Za-z]{0,2}[0-9][0-9 ()/.+-]{4,30}[0-9X)]")
_SECRETS: Final = frozenset({"salt", "salts", "handle"})
_BODIES: Final = frozenset({"document", "body"})
# EIP-712 writes numbers as texts; these are times in seconds, which stand on the ledger as well.
_SIGNED_TIMES: Final = frozenset(
    f"/message/{member}" for member in ("eventTime", "responseTime", "validFrom", "validUntil")
)
# The number that a signature serves for once: 32 random bytes, which stand on the ledger as well.
_SIGNED_NONCE: Final = "/message/nonce"
_NAMING_MEMBERS: Final = frozenset({"reference", "references", "number"})
"""Members of envelopes and acts that name somebody: persons, cases, officers."""
_CODED_MEMBERS: Final = frozenset(
    {
        *("act", "agency", "alg", "calendar", "calendar_version", "collection_method"),
        *("counterparty", "event_state", "event_type", "fields", "jurisdiction", "kind"),
        *("language", "lawful_basis", "outcome", "pii_controllers", "pii_type", "profile"),
        *("profile_version", "provider", "recipient", "recipient_third_parties", "requester"),
        *("responseTime", "role", "schema_version", "state", "type", "version"),
    }
)
"""Members of envelopes and acts that take codes and the names of agencies only."""
_FREE_MEMBERS: Final = ("/data/", "/document/", "/message/text")
"""Parts of envelopes that hold what an agency's own formats say."""


@dataclass(slots=True, kw_only=True)
class VaultValues:
    """What a vault gives to look for."""

    needles: list[Needle] = field(default_factory=list)
    guesses: list[Guess] = field(default_factory=list)
    """Every text of the vault, as somebody may have hashed it."""
    numbers: set[str] = field(default_factory=set)
    """Digits of what reads as a number of a person."""
    rows: int = 0
    unreadable: int = 0
    """Rows that do not open; `atesta vault check` names them."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Leaves that are not looked for, by reason."""


def read_values(
    keyring: Keyring,
    *,
    today: date,
    public: Collection[str] = (),
    references: Mapping[bytes, Collection[str]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> VaultValues:
    """Open everything in the vault and return what to look for.

    `public` are texts that everybody may read; `references` the pointers of each schema whose
    values name a certificate. `progress` is told (rows done, all rows).
    """
    values = VaultValues()
    book = LeafBook(today=today, public=public)
    total = sum(_count_rows(keyring, sealed) for sealed in SEALED_TABLES)
    secrets: dict[bytes, str] = {}
    for sealed, row in _iterate_rows(keyring):
        values.rows += 1
        if progress is not None:
            progress(values.rows, total)
        name = _name_row(sealed, row)
        content = _open(keyring, sealed, row)
        if content is None:
            values.unreadable += 1
            continue
        for path, secret in _iterate_secrets(content):
            secrets.setdefault(secret, f"{name} {path}")
        document = _name_document(row) or name
        for leaf in _iterate_content(name, content, _find_pointers(row, content, references)):
            book.add(leaf, document)
    values.needles += [Needle(label=label, value=secret) for secret, label in secrets.items()]
    for leaf, reason in book.judge():
        if reason is not None:
            values.left_out[reason] += 1
            continue
        values.needles.append(Needle(label=leaf.label, value=leaf.text))
        _add_guesses(values, leaf)
    return values


def _add_guesses(values: VaultValues, leaf: Leaf) -> None:
    digits = "".join(part for part in leaf.text if part.isdigit())
    texts = {leaf.text, leaf.text.upper(), leaf.text.lower(), leaf.text.replace(" ", "")}
    if (
        _DATE.fullmatch(leaf.text) is None
        and _NUMBER.fullmatch(leaf.text)
        and 5 <= len(digits) <= _MOST_NUMBERS
    ):
        values.numbers.add(digits)
        texts |= {digits, f"+853{digits}", f"853{digits}", f"+86{digits}", f"86{digits}"}
    values.guesses += [Guess(text=text, label=leaf.label) for text in sorted(texts)]


def _iterate_content(name: str, content: Any, pointers: Collection[str]) -> Iterator[Leaf]:
    """Yield every leaf that is in a body; `pointers` are those that name somebody in a document."""
    if not isinstance(content, Mapping) or not _BODIES & content.keys():
        content = {"body": content}
    for path, text in _walk(content.get("document"), ""):
        is_name = any(f"{path}/".startswith(f"{pointer}/") for pointer in pointers)
        yield Leaf(text=text, label=f"{name} {path}", names_person=is_name)
    for path, text in _walk(content.get("body"), ""):
        members = [part for part in path.split("/") if part and not part.isdigit()]
        is_free = f"{path}/".startswith(_FREE_MEMBERS)
        member = members[-1] if members and not is_free else ""
        is_decimal = text.isascii() and text.isdecimal()
        is_time = path in _SIGNED_TIMES and is_decimal
        is_nonce = path == _SIGNED_NONCE and is_decimal
        spelt = f"0x{int(text):064x}" if is_nonce else text
        yield Leaf(
            text=JsonNumber(text) if is_time else spelt,
            label=f"{name} {path}",
            names_person=member in _NAMING_MEMBERS,
            is_coded=is_time or member in _CODED_MEMBERS,
        )


def _walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in _SECRETS:
                yield from _walk(inner, f"{path}/{name}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _walk(inner, f"{path}/{place}")
    elif isinstance(value, str):
        yield path, value
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10_000:
        yield path, JsonNumber(value)


def _iterate_secrets(value: Any, path: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield salts and handles, wherever they are."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in _SECRETS:
                for place, text in enumerate(inner if isinstance(inner, list) else [inner]):
                    found = _SECRET_HEX.fullmatch(text) if isinstance(text, str) else None
                    if found is not None:
                        yield f"{path}/{name}/{place}", bytes.fromhex(found[1])
            else:
                yield from _iterate_secrets(inner, f"{path}/{name}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _iterate_secrets(inner, f"{path}/{place}")


def _open(keyring: Keyring, sealed: SealedTable, row: Row[Any]) -> Any:
    parts = Sealed(
        epoch=row.epoch, wrapped_key=bytes(row.wrapped_key), ciphertext=bytes(row.ciphertext)
    )
    try:
        return load_json(keyring.open(parts, sealed.build_identity(row)))
    except (ApiError, ClientError, ValueError):
        return None


def _iterate_rows(keyring: Keyring) -> Iterator[tuple[SealedTable, Row[Any]]]:
    for sealed in SEALED_TABLES:
        keys = [sealed.table.c[name] for name in sealed.keys]
        query = (
            select(sealed.table)
            .where(sealed.table.c.wrapped_key.is_not(None))
            .order_by(*keys)
            .limit(_BATCH_ROWS)
        )
        page = query
        while rows := keyring.database.read_now(lambda c, q=page: c.execute(q).all()):  # type: ignore[misc]
            for row in rows:
                yield sealed, row
            last = tuple(getattr(rows[-1], name) for name in sealed.keys)
            page = query.where(tuple_(*keys) > last)


def _count_rows(keyring: Keyring, sealed: SealedTable) -> int:
    query = select(func.count()).select_from(sealed.table)
    present = query.where(sealed.table.c.wrapped_key.is_not(None))
    return int(keyring.database.read_now(lambda c: c.execute(present).scalar_one()))


def _find_pointers(
    row: Row[Any], content: Any, references: Mapping[bytes, Collection[str]] | None
) -> Collection[str]:
    """Return the pointers of a row's schema whose values name a certificate."""
    if not references:
        return ()
    schema_uid = getattr(row, "schema_uid", None)
    if schema_uid is not None:
        return references.get(bytes(schema_uid), ())
    written = content.get("schema_uid") if isinstance(content, Mapping) else None
    found = _SECRET_HEX.fullmatch(written) if isinstance(written, str) else None
    return () if found is None else references.get(bytes.fromhex(found[1]), ())


def _name_document(row: Row[Any]) -> str | None:
    """Name the record that a row is of, if it is of one: its envelopes are one document with it."""
    uid = getattr(row, "uid", None)
    return None if uid is None else bytes(uid).hex()


def _name_row(sealed: SealedTable, row: Row[Any]) -> str:
    """Name a row by its random identifier, for labels."""
    parts = (getattr(row, name) for name in sealed.keys)
    texts = (f"0x{part.hex()[:16]}…" if isinstance(part, bytes) else str(part) for part in parts)
    return " ".join((sealed.name, *texts))

"""What is looked for: everything in the vault that tells of a person, and every secret beside it.

The vault holds documents and envelopes; both are opened row by row. Of their bodies every leaf is
looked for, unless it is clear that it tells of nobody: a code word such as `positive`, what stands
in many records alike, what a public text says too, a date of the last two years (it is in every
log), identifiers that are public. How many leaves were left out for which reason is in the report.
Salts and handles are looked for as bytes: whoever finds one can test guesses, or link.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from atesta_client.canonical import load_json
from atesta_client.errors import ClientError
from sqlalchemy import Row, func, select, tuple_

from api.errors import ApiError
from api.firewall.search.guesses import Guess
from api.firewall.search.needles import Needle
from api.vault.ciphers import Sealed
from api.vault.keyring import Keyring
from api.vault.sealed_tables import SEALED_TABLES, SealedTable

COMMON_RECORDS: Final = 5
"""What stands in so many records, and in one of fifty, is a word for many, not a person's."""
_COMMON_SHARE: Final = 0.02
_SHORTEST: Final = 4
_RECENT: Final = timedelta(days=731)
_MOST_NUMBERS: Final = 64
_BATCH_ROWS: Final = 200
_CODE_WORD: Final = re.compile(r"[a-z][a-z0-9_.:/-]{0,39}|[A-Z]{2,3}(-[A-Z]{2,3})?")
_PUBLIC_HEX: Final = re.compile(r"0x[0-9a-fA-F]{8,}|[0-9a-f]{64}")
_SECRET_HEX: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
_LAST_TIME_S: Final = 4_102_444_800
"""The year 2100 in seconds since 1970: larger numbers are no times."""
_DATE: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_NUMBER: Final = re.compile(r"[A-Za-z]{0,2}[0-9][0-9 ()/.+-]{4,30}[0-9X)]")
_SECRETS: Final = frozenset({"salt", "salts", "handle"})
_BODIES: Final = frozenset({"document", "body"})


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


class _Number(str):
    """The digits of a number, which may be a time in seconds; digits in a text never are."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class _Leaf:
    label: str
    text: str


def read_values(
    keyring: Keyring,
    *,
    today: date,
    public: Collection[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> VaultValues:
    """Open everything in the vault and return what to look for.

    `public` are texts that everybody may read. `progress` is told (rows done, all rows).
    """
    values = VaultValues()
    leaves: dict[str, _Leaf] = {}
    uses: dict[str, set[str]] = defaultdict(set)
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
        for path, text in _iterate_leaves(content):
            leaves.setdefault(text, _Leaf(f"{name} {path}", text))
            if len(uses[text]) < max(COMMON_RECORDS, total):
                uses[text].add(name)
    values.needles += [Needle(label=label, value=secret) for secret, label in secrets.items()]
    known = frozenset(public)
    for text, leaf in leaves.items():
        reason = _find_reason(text, len(uses[text]), total, today, known)
        if reason is not None:
            values.left_out[reason] += 1
            continue
        values.needles.append(Needle(label=leaf.label, value=text))
        _add_guesses(values, leaf)
    return values


def _find_reason(
    text: str, uses: int, total: int, today: date, public: frozenset[str]
) -> str | None:
    """Say why a text is not looked for; None if it is."""
    if len(text.encode("utf-8", "surrogatepass")) < _SHORTEST:
        return "too short to be told from chance"
    if _PUBLIC_HEX.fullmatch(text):
        return "public identifiers"
    if _CODE_WORD.fullmatch(text):
        return "code words"
    if uses >= COMMON_RECORDS and uses >= total * _COMMON_SHARE:
        return "common to many records"
    if text in public:
        return "public texts"
    return "recent dates" if _is_recent(text, today - _RECENT) else None


def _is_recent(text: str, since: date) -> bool:
    if isinstance(text, _Number):
        first_s = int(datetime(since.year, since.month, since.day, tzinfo=UTC).timestamp())
        return first_s <= int(text) < _LAST_TIME_S
    found = _DATE.match(text)
    return found is not None and f"{since}" <= found.group()


def _add_guesses(values: VaultValues, leaf: _Leaf) -> None:
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


def _iterate_leaves(content: Any) -> Iterator[tuple[str, str]]:
    """Yield pointer and text of every leaf that is in a body."""
    if isinstance(content, Mapping) and _BODIES & content.keys():
        for name in sorted(_BODIES & content.keys()):
            yield from _walk(content[name], "")
    else:
        yield from _walk(content, "")


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
        yield path, _Number(value)


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


def _name_row(sealed: SealedTable, row: Row[Any]) -> str:
    """Name a row by its random identifier, for labels."""
    parts = (getattr(row, name) for name in sealed.keys)
    texts = (f"0x{part.hex()[:16]}…" if isinstance(part, bytes) else str(part) for part in parts)
    return " ".join((sealed.name, *texts))

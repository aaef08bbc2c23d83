"""Turning facts into pages: Jinja templates, with every word from the catalogue.

Autoescaping is on for every template. The content security policy allows nothing but the
explorer's own stylesheet: no script, no foreign font, no frame.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.explorer.law.kinds import KINDS
from api.explorer.law.moments import write_moment
from api.explorer.ledgers import PREFIX, find_root, list_choices
from api.explorer.texts import AS_REPORTED, LANGUAGES, Language, choose_language
from api.records import compute_moment
from api.rest.services import RestServices

LANGUAGE_COOKIE: Final = "atesta_language"

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)

_FIELD_FACTS: Final = {
    "account": "address",
    "agency_id": "agency",
    "alg": "algorithm",
    "batch_uid": "uid",
    "first_key": "key",
    "first_pin": "pin",
    "index": "place",
    "proposal_id": "proposal",
    "schema_uid": "schema",
}
"""Parameters of the contracts that the catalogue knows under another name."""

SECTIONS: Final = (
    ("", "overview"),
    ("/records", "records"),
    ("/attestations", "attestations"),
    ("/batches", "batches"),
    ("/schemas", "schemas"),
    ("/agencies", "agencies"),
    ("/governance", "governance"),
    ("/validators", "validators"),
    ("/cases", "cases"),
    ("/blocks", "blocks"),
)
"""Paths below a ledger's first page and names of what the main navigation offers, in its order."""

_HERE: Final = Path(__file__).parent
_RECORD_PATHS: Final = frozenset({kind.path for kind in KINDS} | {"provenance"})
_TONES: Final[Mapping[str, frozenset[str]]] = {
    "active": frozenset({"active", "approved", "received", "agreed", "executed", "released"}),
    "suspended": frozenset({"suspended", "requested", "proposed", "begun", "open", "passed"}),
    "revoked": frozenset({"revoked", "refused", "disputed", "mismatched"}),
}
"""Styles of states; what is over in good order has the last one, `erased`."""

_YEAR_S: Final = 365 * 24 * 3600


def render(
    request: web.Request,
    services: RestServices,
    template: str,
    context: Mapping[str, Any],
    *,
    status: int = 200,
) -> web.Response:
    """Return a page of these services' ledger in the reader's language."""
    root = find_root(services)
    choices = list_choices(services)
    chosen = request.query.get("lang")
    language = find_language(request)
    if not services.ledger.network.finality.is_final:
        language = AS_REPORTED[language.tag]
    text = (
        _get_environment()
        .get_template(template)
        .render(
            t=language.say,
            code=language.name_code,
            language=language,
            languages=LANGUAGES.values(),
            age=lambda seconds: write_age(language, seconds),
            this_path=request.path,
            query_with=lambda **changes: write_query(request, changes),
            name_field=lambda name: name_field(language, name),
            name_call=lambda contract, function: name_call(language, contract, function),
            write_moment=write_moment,
            sections=SECTIONS,
            section=find_section(request.path, root),
            root=root,
            ledgers=choices,
            here=services.ledger_name if choices else None,
            css=get_stylesheet()[1],
            **context,
        )
    )
    response = web.Response(
        status=status,
        text=text,
        content_type="text/html",
        headers={
            "Content-Security-Policy": POLICY,
            "Content-Language": language.tag,
            "Referrer-Policy": "same-origin",
            "Vary": "Accept-Language, Cookie",
        },
    )
    if chosen is not None and chosen in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE,
            chosen,
            path=PREFIX,
            max_age=_YEAR_S,
            httponly=True,
            samesite="Lax",
        )
    return response


def find_language(request: web.Request) -> Language:
    """Return the reader's language: chosen by link, remembered, or what the browser prefers."""
    return choose_language(
        request.query.get("lang") or request.cookies.get(LANGUAGE_COOKIE),
        request.headers.get("Accept-Language", ""),
    )


@cache
def get_stylesheet() -> tuple[bytes, str]:
    """Return the stylesheet and its path, which names its content so that it may be cached."""
    content = (_HERE / "static" / "explorer.css").read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:12]
    return content, f"{PREFIX}/static/explorer-{digest}.css"


def write_age(language: Language, seconds: int) -> str:
    """Return a length of time in its largest whole unit."""
    for key, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return language.say(f"age.{key}", count=seconds // size)
    return language.say("age.seconds", count=seconds)


def name_field(language: Language, name: str) -> str:
    """Return the words for a parameter of the contracts, or its own name; items are numbered."""
    base, _, number = name.rpartition(" ")
    if base and number.isdecimal():
        return f"{name_field(language, base)} {number}"
    known = language.texts.get(f"fact.{name}")
    return known or language.texts.get(f"fact.{_FIELD_FACTS.get(name, name)}", name)


def name_call(language: Language, contract: str | None, function: str) -> str:
    """Return the words for a function of the contracts, or its own name."""
    key = f"call.{contract}.{function}"
    return language.texts.get(key, language.name_code("call", function))


def find_section(path: str, root: str = PREFIX) -> str | None:
    """Return which entry of the main navigation of a ledger's pages a page stands under."""
    first = path.removeprefix(root).strip("/").split("/")[0]
    if first in _RECORD_PATHS:
        return "records"
    return next((name for place, name in SECTIONS if place.strip("/") == first), None)


def write_tone(state: str) -> str:
    """Return the style of a state: in force, waiting, ended badly, or over."""
    return next((tone for tone, states in _TONES.items() if state in states), "erased")


def write_algorithm(name: str) -> str:
    """Return a hash algorithm's usual name."""
    return {"sha256": "SHA-256", "sm3": "SM3"}.get(name, name)


def write_time(time_s: int) -> str:
    """Return a moment as people write it, in UTC."""
    return compute_moment(time_s).strftime("%Y-%m-%d %H:%M:%S UTC")


def write_machine_time(time_s: int) -> str:
    """Return a moment as the `datetime` attribute takes it."""
    return compute_moment(time_s).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_number(value: int) -> str:
    """Return a number in groups of three digits, apart by narrow spaces."""
    return f"{value:,}".replace(",", "\u202f")


def write_short(text: str) -> str:
    """Return the ends of a long identifier, for lists."""
    return text if len(text) <= 20 else f"{text[:10]}…{text[-6:]}"


def write_query(request: web.Request, changes: Mapping[str, Any]) -> str:
    """Return the request's query with some parameters exchanged; None removes one."""
    query = dict(request.query)
    query.pop("lang", None)
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
        else:
            query[name] = str(value)
    return "?" + str(request.rel_url.with_query(query).query_string) if query else ""


@cache
def _get_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        time=write_time,
        machine_time=write_machine_time,
        number=write_number,
        short=write_short,
        algorithm=write_algorithm,
        tone=write_tone,
    )
    return environment

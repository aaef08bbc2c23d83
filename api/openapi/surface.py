"""Serving the document at `/openapi.json` and the page at `/docs`.

The page is rendered here, once, from the same document: no script, no font and no picture comes
from elsewhere, so it reads the same on a machine without any network.
"""

import asyncio
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from api.access.callers import Handler, requires
from api.app import Surface
from api.openapi.document import build_document, write_document

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
"""Content Security Policy of the page: it loads nothing."""


def build_documentation_surface() -> Surface:
    """Return the surface to mount on the root."""
    app = web.Application()
    app.router.add_get("/openapi.json", _serve(_write_once, "application/json"))
    app.router.add_get("/docs", _serve(render_page, "text/html"))
    return Surface(name="docs", prefix="", app=app)


@cache
def render_page() -> str:
    """Return the documentation page as HTML; it never changes while the program runs."""
    environment = Environment(
        loader=PackageLoader("api.openapi"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = _render_prose
    environment.filters["pretty"] = _write_pretty
    document = build_document()
    return environment.get_template("docs.html").render(
        document=document,
        groups=_group_operations(document),
        schemas=document["components"]["schemas"],
        describe_type=_describe_type,
    )


@cache
def _write_once() -> str:
    return write_document()


def _serve(make: Callable[[], str], content_type: str) -> Handler:
    async def serve(_request: web.Request) -> web.StreamResponse:
        # Making it takes a good part of a second, so it is made when somebody asks, in a thread:
        # neither the start of a node nor its timers wait for documentation.
        body = (await asyncio.to_thread(make)).encode()
        headers = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"}
        return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)

    # The document tells the interface, not the ledger: anybody may read it.
    requires()(serve)
    return serve


def _group_operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    groups = [{**tag, "operations": []} for tag in document["tags"]]
    by_name = {group["name"]: group for group in groups}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            entry = {"path": path, "method": method.upper(), **operation}
            by_name[operation["tags"][0]]["operations"].append(entry)
    return groups


def _describe_type(schema: dict[str, Any]) -> str:
    """Say a schema's type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(_describe_type(option) for option in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_describe_type(schema['items'])}"
    if schema.get("format") == "date-time":
        return "time"
    if "64}" in schema.get("pattern", ""):
        return "32 bytes"
    if "40}" in schema.get("pattern", ""):
        return "address"
    return str(schema.get("type", "any value"))


def _render_prose(text: str) -> Markup:
    """Render the little markup that descriptions use: paragraphs, lists, bold and code."""
    blocks = []
    for block in text.strip().split("\n\n"):
        if block.startswith("- "):
            items = re.split(r"^- ", block, flags=re.MULTILINE)[1:]
            inner = Markup("").join(Markup("<li>{}</li>").format(_mark(item)) for item in items)
            blocks.append(Markup("<ul>{}</ul>").format(inner))
        else:
            blocks.append(Markup("<p>{}</p>").format(_mark(block)))
    return Markup("").join(blocks)


def _mark(text: str) -> Markup:
    escaped = str(escape(" ".join(text.split())))
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)
    escaped = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", escaped)
    # Every character of the input was escaped above; only our own two tags were added.
    return Markup(escaped)  # noqa: S704


def _write_pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)

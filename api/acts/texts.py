"""The public texts that come inside the bodies of acts."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from api.errors import InvalidField
from api.rest.values import Model, Title
from api.texts.text import PublicText, TextKind

LanguageTag = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=32)
]
"""A language as BCP 47 writes it, such as `zh-Hant`, in at most 32 characters."""


class LegalReference(Model):
    """A law and its article, as an official cites it."""

    law: Title = Field(description="The law.", examples=["Law 8/2005"])
    article: Title = Field(description="Article and paragraph.", examples=["Article 6, 4)"])
    title: Title | None = Field(
        default=None, description="What it is about.", examples=["Personal data protection"]
    )
    jurisdiction: Title | None = Field(
        default=None, description="Whose law it is.", examples=["MO"]
    )
    url: Annotated[str, StringConstraints(max_length=500, pattern=r"^https?://")] | None = Field(
        default=None, description="Where it can be read.", examples=[None]
    )
    note: Annotated[str, StringConstraints(max_length=2_000)] | None = Field(
        default=None,
        description="What is not certain, such as `to check`.",
        examples=["to check"],
    )


def build_text(
    kind: TextKind, body: Mapping[str, Any] | None, language: str, *, field: str | None = None
) -> PublicText | None:
    """Return a text for a body given inside an act, None for none; raises `InvalidField`."""
    if body is None:
        return None
    kept = {name: value for name, value in body.items() if value is not None}
    text = PublicText(kind=kind, language=language, body=kept)
    require_writable(text, field or kind.value)
    return text


def require_writable(text: PublicText, field: str) -> None:
    """Raise `InvalidField` for a text that has no single written form (RFC 8785)."""
    try:
        written = text.written
    except Exception as error:
        raise InvalidField(field, "the text holds what JSON cannot write in one way") from error
    if len(written) > MAX_TEXT_BYTES:
        raise InvalidField(field, f"a public text has at most {MAX_TEXT_BYTES} bytes")


MAX_TEXT_BYTES = 200_000

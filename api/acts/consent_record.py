"""The full consent record (ISO/IEC TS 27560) that goes into the vaults of provider and recipient.

The ledger has 32 bytes of it. A caller says what only the agency knows, at least by which edition
the record is written and how the resident withdraws; whatever follows from the terms of the consent
is filled in here, so that the record says the same as the ledger and is whole without it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from api.acts.context import ActContext
from api.index import law_queries
from api.reading.facts import view_party
from api.rest.values import JsonObject, Model, encode_hex, parse_time

Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]
Texts = Annotated[list[Text], Field(min_length=1, max_length=100)]


class ConsentRecordItem(Model):
    """A consent record by ISO/IEC TS 27560; members that are not listed here are kept as well.

    `record_id` and `pii_principal_id` are always filled in, all others where they are absent and
    follow from the consent.
    """

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    schema_version: Text = Field(
        description="By which edition the record is written.", examples=["1.0"]
    )
    withdrawal_method: Text = Field(
        description="How the resident withdraws.", examples=["at any counter"]
    )
    language: Text | None = Field(
        default=None, description="Of the notice that was shown.", examples=["zh-Hant"]
    )
    privacy_notice: Text | None = Field(
        default=None, description="The notice that was shown.", examples=[None]
    )
    purpose: Text | None = Field(default=None, description="What for.", examples=[None])
    purpose_type: Text | None = Field(
        default=None, description="Its kind, such as a term of W3C's DPV.", examples=[None]
    )
    lawful_basis: Text | None = Field(
        default=None, description="`consent` where absent.", examples=[None]
    )
    pii_information: Annotated[list[JsonObject], Field(min_length=1, max_length=256)] | None = (
        Field(
            default=None,
            description="`pii_type` and `sensitive_pii_category` of each field.",
            examples=[None],
        )
    )
    pii_controllers: Texts | None = Field(
        default=None, description="Whose data these are.", examples=[None]
    )
    recipient_third_parties: Texts | None = Field(
        default=None, description="Who receives them.", examples=[None]
    )
    collection_method: Text | None = Field(
        default=None, description="Where the consent was given.", examples=[None]
    )
    processing_locations: Texts | None = Field(
        default=None, description="Where they are processed.", examples=[None]
    )
    storage_locations: Texts | None = Field(
        default=None, description="Where they are kept.", examples=[["MO"]]
    )
    retention_period: Text | None = Field(
        default=None, description="How long they are kept.", examples=["P1Y"]
    )
    geographic_restrictions: Texts | None = Field(
        default=None, description="Where they must not go.", examples=[None]
    )
    jurisdiction: Text | None = Field(
        default=None, description="Under whose law; the provider's where absent.", examples=[None]
    )
    event: JsonObject | None = Field(
        default=None,
        description="`event_time`, `validity_duration`, `entity_id`, `event_type`, `event_state`.",
        examples=[None],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the terms of a consent say for its record."""

    uid: bytes
    handle: bytes
    provider: bytes
    recipient: bytes
    notice: bytes
    purpose: str
    fields: tuple[str, ...]
    is_sensitive: bool
    channel: str
    event_time: str
    """RFC 3339."""
    valid_from: str | None
    valid_until: str | None


def write_time(seconds: int) -> str:
    """Return a time of the ledger by RFC 3339."""
    return parse_time(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


async def fill_record(
    context: ActContext, given: ConsentRecordItem, known: Known
) -> dict[str, Any]:
    """Return the whole record."""
    head = await context.services.ledger.get_head()
    controller = await context.services.records.get_agency(known.provider, head.number)
    category = {"sensitive_pii_category": "sensitive"} if known.is_sensitive else {}
    following: Mapping[str, Any] = {
        "language": await _find_language(context, known.notice),
        "privacy_notice": encode_hex(known.notice),
        "purpose": known.purpose,
        "lawful_basis": "consent",
        "pii_information": [{"pii_type": pointer, **category} for pointer in known.fields],
        "pii_controllers": [view_party(known.provider)],
        "recipient_third_parties": [view_party(known.recipient)],
        "collection_method": known.channel,
        "jurisdiction": None if controller is None else view_party(controller.jurisdiction),
        "event": {
            "event_time": known.event_time,
            "validity_duration": _write_duration(known),
            "entity_id": encode_hex(known.handle),
            "event_type": "explicit consent",
            "event_state": "consent given",
        },
    }
    filled = {name: value for name, value in following.items() if value is not None}
    return {
        **filled,
        **given.model_dump(mode="json", exclude_none=True),
        "record_id": encode_hex(known.uid),
        "pii_principal_id": encode_hex(known.handle),
    }


async def _find_language(context: ActContext, notice: bytes) -> str | None:
    """Return the language of a notice on the ledger; None if the index does not have it."""
    row = await context.services.index.read(
        lambda c: law_queries.get_law_record(c, notice, kind="notice")
    )
    if row is None:
        return None
    language: str = json.loads(row.terms)["language"]
    return bytes.fromhex(language[2:]).rstrip(b"\0").decode("ascii", "replace") or None


def _write_duration(known: Known) -> str:
    """Return from when to when the consent holds, as an ISO 8601 interval."""
    return f"{known.valid_from or known.event_time}/{known.valid_until or '..'}"

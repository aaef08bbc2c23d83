"""All collections of the ledger's law, in the order of the documentation."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from pydantic import Field, create_model

from api.index.law_events import OF_BASIS, OF_DATASET, OF_PURPOSE, PARTY
from api.reading import bases, catalogue, consents, exchanges, live, mandates, policies, posts
from api.reading.collection import Collection, LinkFilter
from api.reading.models import LawRecord
from api.reading.states import EXCHANGE_STATES, PERIOD_STATES, POLICY_STATES, RECORD_STATES
from api.rest.values import Model
from api.rest.words import (
    BasisKind,
    ConsentType,
    ExchangeMode,
    InstrumentKind,
    MandateType,
    SharingClass,
    StopKind,
)


def _link(name: str, description: str, *, role: str = "", target: str | None = None) -> LinkFilter:
    """Return a filter; role of the link and kind of what it names are its name, if not said."""
    return LinkFilter(
        name=name,
        role=role or name,
        description=description,
        target=name if target is None else target,
    )


_AGENCY: Final = _link("agency", "Only records of this agency, on either side.", role=PARTY)
_DATASET: Final = _link("dataset", "Only records about this dataset.")
_PURPOSE: Final = _link("purpose", "Only records for this purpose.")
_BASIS: Final = _link("basis", "Only records on this basis.")


def _make_page(model: type[LawRecord]) -> type[Model]:
    page: type[Model] = create_model(
        f"{model.__name__}Page",
        __base__=Model,
        __doc__=f"A page of a list of records of the kind {model.__name__}, newest first.",
        items=(list[model], Field(description="The records.")),  # type: ignore[valid-type]
        next=(str | None, Field(description="Cursor of the next page; null at the end.")),
        indexed_block=(int, Field(description="Block that this rests on.", examples=[1201])),
    )
    return page


def _collect(
    kind: str,
    path: str,
    tag: str,
    model: type[LawRecord],
    view: Any,
    *filters: LinkFilter,
    states: Mapping[str, int] = RECORD_STATES,
    subkinds: type[StrEnum] | None = None,
    **more: Any,
) -> Collection:
    return Collection(
        kind=kind,
        path=path,
        title=kind.replace("_", " "),
        tag=tag,
        model=model,
        page=_make_page(model),
        view=view,
        filters=(_AGENCY, *filters),
        subkinds=subkinds,
        states=states,
        **more,
    )


COLLECTIONS: Final[tuple[Collection, ...]] = (
    _collect(
        "dataset",
        "datasets",
        "datasets",
        catalogue.Dataset,
        catalogue.view_dataset,
        subkinds=SharingClass,
    ),
    _collect("notice", "notices", "notices", catalogue.Notice, catalogue.view_notice),
    _collect("purpose", "purposes", "purposes", catalogue.Purpose, catalogue.view_purpose),
    _collect(
        "basis",
        "bases",
        "bases",
        bases.Basis,
        bases.view_basis,
        _DATASET,
        _PURPOSE,
        subkinds=BasisKind,
    ),
    _collect(
        "instrument",
        "instruments",
        "instruments",
        bases.Instrument,
        bases.view_instrument,
        _DATASET,
        subkinds=InstrumentKind,
    ),
    _collect(
        "stop",
        "stops",
        "stops",
        bases.Stop,
        bases.view_stop,
        _link("dataset", "Only stops of this dataset.", role=OF_DATASET),
        _link("basis", "Only stops of this basis.", role=OF_BASIS),
        # A pair of agencies is no record, so nothing tells whether there is such a one.
        _link("subject", "Only stops of this dataset, pair or basis.", target=""),
        subkinds=StopKind,
    ),
    _collect(
        "consent",
        "consents",
        "consents",
        consents.Consent,
        consents.view_consent,
        _DATASET,
        _PURPOSE,
        _link("notice", "Only consents given on this notice."),
        subkinds=ConsentType,
        live=live.read_consent,
    ),
    _collect(
        "key_binding",
        "key-bindings",
        "consents",
        consents.KeyBinding,
        consents.view_key_binding,
    ),
    _collect(
        "exchange",
        "exchanges",
        "exchanges",
        exchanges.Exchange,
        exchanges.view_exchange,
        _DATASET,
        _PURPOSE,
        _BASIS,
        _link("consent", "Only exchanges on this consent."),
        _link("instrument", "Only exchanges under this instrument."),
        _link("onward_of", "Only what was handed on from this exchange.", target="exchange"),
        states=EXCHANGE_STATES,
        subkinds=ExchangeMode,
        live=live.read_exchange,
    ),
    _collect(
        "period",
        "periods",
        "exchanges",
        exchanges.Period,
        exchanges.view_period,
        _link("dataset", "Only periods of exchanges of this dataset.", role=OF_DATASET),
        _link("purpose", "Only periods of exchanges for this purpose.", role=OF_PURPOSE),
        _link("basis", "Only periods of exchanges on this basis.", role=OF_BASIS),
        _link("exchange", "Only periods of this exchange."),
        states=PERIOD_STATES,
        live=live.read_period,
    ),
    _collect(
        "mandate",
        "mandates",
        "mandates",
        mandates.Mandate,
        mandates.view_mandate,
        _link("body", "Only mandates of this body."),
        _link("parent", "Only what was handed on from this mandate.", target="mandate"),
        subkinds=MandateType,
    ),
    _collect("body", "bodies", "mandates", mandates.Body, mandates.view_body),
    _collect(
        "policy",
        "policies",
        "policies",
        policies.Policy,
        policies.view_policy,
        _link("schema", "Only policies on this schema."),
        _link("jurisdiction", "Only policies of this side."),
        states=POLICY_STATES,
        live=live.read_policy,
    ),
    _collect("post", "posts", "posts", posts.Post, posts.view_post, live=live.read_post),
)
"""The collections; `routes.py` makes three operations of each."""

COLLECTION_BY_KIND: Final = {collection.kind: collection for collection in COLLECTIONS}

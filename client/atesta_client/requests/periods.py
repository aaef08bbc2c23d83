"""Periods of standing and bulk exchanges: both sides state what was delivered."""

from collections.abc import Sequence
from typing import Unpack

from atesta_client.answers import Accepted, LawEvent, Page, Period
from atesta_client.requests.encoding import Hex
from atesta_client.requests.request import Acting, Filters, Paging, Request, act, get, list_page


def list_periods(
    *,
    dataset: Hex | None = None,
    purpose: Hex | None = None,
    basis: Hex | None = None,
    exchange: Hex | None = None,
    **filters: Unpack[Filters],
) -> Request[Page[Period]]:
    """List periods, newest first.

    - ``dataset``: only periods of exchanges of this dataset;
    - ``purpose``: only periods of exchanges for this purpose;
    - ``basis``: only periods of exchanges on this basis;
    - ``exchange``: only periods of this exchange.
    """
    query = {"dataset": dataset, "purpose": purpose, "basis": basis, "exchange": exchange}
    return list_page(Period, "/periods", {**query, **filters})


def get_period(uid: Hex) -> Request[Period]:
    """Read one period at the last settled block."""
    return get(Period, "/periods/{uid}", uid=uid)


def get_period_history(uid: Hex, **paging: Unpack[Paging]) -> Request[Page[LawEvent]]:
    """Everything that happened to one period."""
    return list_page(LawEvent, "/periods/{uid}/history", {**paging}, uid=uid)


def begin_period(uid: Hex, period: int, **options: Unpack[Acting]) -> Request[Accepted]:
    """Begin the delivery of a period, as the provider; the law must cover it now."""
    return act(
        "period.begin", "/exchanges/{uid}/periods/{period}", {}, options, uid=uid, period=period
    )


def make_statement(
    uid: Hex,
    period: int,
    *,
    deliveries: Sequence[Hex] | None = None,
    count: int | None = None,
    root: Hex | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """State what was delivered in a period: the list of deliveries, or count and root.

    - ``deliveries``: commitments of the deliveries' envelopes, in the order of delivery;
    - ``count``: number of deliveries, without the list;
    - ``root``: RFC 6962 root over their leaves, without the list; ``None`` if there were none.
    """
    return act(
        "statement.make",
        "/exchanges/{uid}/periods/{period}/statement",
        {"deliveries": deliveries, "count": count, "root": root},
        options,
        uid=uid,
        period=period,
    )


def name_leaf(
    uid: Hex,
    period: int,
    *,
    index: int,
    leaf: Hex | None = None,
    proof: Sequence[Hex] | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Name a leaf at which the two statements differ, as this side has it.

    - ``index``: place in the order of delivery, beginning with 0;
    - ``leaf``: the leaf's hash, if it is proved elsewhere;
    - ``proof``: its inclusion path from below, if it is proved elsewhere.
    """
    return act(
        "leaf.name",
        "/exchanges/{uid}/periods/{period}/leaves",
        {"index": index, "leaf": leaf, "proof": proof},
        options,
        uid=uid,
        period=period,
    )

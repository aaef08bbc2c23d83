"""Batches: many commitments under one root, each with a state of its own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Unpack

from atesta_client.answers import Accepted, Batch, Event, Leaf, Page
from atesta_client.requests.encoding import AgencyName, Hex
from atesta_client.requests.request import Acting, Paging, Request, act, get, list_page


def list_batches(
    *,
    issuer: AgencyName | None = None,
    schema_uid: Hex | None = None,
    state: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    **paging: Unpack[Paging],
) -> Request[Page[Batch]]:
    """List batches.

    - ``issuer``: only batches by this agency;
    - ``schema_uid``: only batches under this schema;
    - ``state``: only batches in this state;
    - ``since``: block time not before this;
    - ``until``: block time before this.
    """
    return list_page(
        Batch,
        "/batches",
        {
            "issuer": issuer,
            "schema": schema_uid,
            "state": state,
            "since": since,
            "until": until,
            **paging,
        },
    )


def create_batch(
    *,
    schema_uid: Hex,
    members: Sequence[Hex] | None = None,
    root: Hex | None = None,
    count: int | None = None,
    uid: Hex | None = None,
    alg: str = "sha-256",
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Seal many credentials of one schema under one root.

    - ``schema_uid``: schema of every member;
    - ``members``: credentials, in any order; each one's file then names its index, which is
      chosen by its random uid;
    - ``root``: a bare root;
    - ``count``: number of leaves under a bare root;
    - ``uid``: 32 random bytes; made here when absent;
    - ``alg``: hash of the tree.
    """
    return act(
        "batch.create",
        "/batches",
        {
            "schema_uid": schema_uid,
            "members": members,
            "root": root,
            "count": count,
            "uid": uid,
            "alg": alg,
        },
        options,
    )


def get_batch(uid: Hex) -> Request[Batch]:
    """Read one batch at the last settled block."""
    return get(Batch, "/batches/{uid}", uid=uid)


def change_batch_state(
    uid: Hex,
    *,
    state: str,
    reason: str,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Suspend, reinstate or revoke; only the issuer may.

    - ``state``: the new state;
    - ``reason``: neutral reason code.
    """
    return act(
        "batch.state",
        "/batches/{uid}/state",
        {"state": state, "reason": reason},
        options,
        uid=uid,
    )


def get_batch_history(uid: Hex, **paging: Unpack[Paging]) -> Request[Page[Event]]:
    """Everything that happened to one batch and its members."""
    return list_page(Event, "/batches/{uid}/history", {**paging}, uid=uid)


def get_leaf(uid: Hex, index: int) -> Request[Leaf]:
    """Read one member's state."""
    return get(Leaf, "/batches/{uid}/leaves/{index}", uid=uid, index=index)


def change_leaf_state(
    uid: Hex,
    index: int,
    *,
    state: str,
    reason: str,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Suspend, reinstate or revoke; only the issuer may.

    - ``state``: the new state;
    - ``reason``: neutral reason code.
    """
    return act(
        "batch.leaf_state",
        "/batches/{uid}/leaves/{index}/state",
        {"state": state, "reason": reason},
        options,
        uid=uid,
        index=index,
    )

"""Posts of an agency, their officers and keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Unpack

from atesta_client.answers import Accepted, LawEvent, Page, Post
from atesta_client.requests.encoding import Hex, JsonObject
from atesta_client.requests.parts import NewKey
from atesta_client.requests.request import Acting, Filters, Paging, Request, act, get, list_page


def list_posts(**filters: Unpack[Filters]) -> Request[Page[Post]]:
    """List posts, newest first."""
    return list_page(Post, "/posts", {**filters})


def get_post(uid: Hex) -> Request[Post]:
    """Read one post at the last settled block, with its officers and keys."""
    return get(Post, "/posts/{uid}", uid=uid)


def get_post_history(uid: Hex, **paging: Unpack[Paging]) -> Request[Page[LawEvent]]:
    """Everything that happened to one post."""
    return list_page(LawEvent, "/posts/{uid}/history", {**paging}, uid=uid)


def establish_post(
    *, duties: JsonObject, uid: Hex | None = None, **options: Unpack[Acting]
) -> Request[Accepted]:
    """Enter a post of this agency, such as that of its data officer.

    - ``duties``: what the post is for; a public text;
    - ``uid``: 32 random bytes chosen by the caller; made here when absent.
    """
    return act("post.establish", "/posts", {"duties": duties, "uid": uid}, options)


def appoint_officer(
    uid: Hex,
    *,
    officer: JsonObject,
    resolution: JsonObject,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    seat: int = 0,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Appoint an officer to a seat of a post that is free from then on.

    - ``officer``: the officer;
    - ``resolution``: the resolution;
    - ``valid_from``: from when; now when absent;
    - ``valid_until``: until when; ``None`` for no end;
    - ``seat``: 0 the holder, 1 to 4 deputies in their order.
    """
    return act(
        "officer.appoint",
        "/posts/{uid}/terms",
        {
            "officer": officer,
            "resolution": resolution,
            "valid_from": valid_from,
            "valid_until": valid_until,
            "seat": seat,
        },
        options,
        uid=uid,
    )


def end_term(
    uid: Hex,
    *,
    resolution: JsonObject,
    seat: int = 0,
    effective: datetime | None = None,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """End the term of a seat; with the holder's term the post's keys end.

    - ``resolution``: the resolution;
    - ``seat``: 0 the holder, 1 to 4 deputies;
    - ``effective``: from when; now when absent.
    """
    return act(
        "term.end",
        "/posts/{uid}/terms/end",
        {"resolution": resolution, "seat": seat, "effective": effective},
        options,
        uid=uid,
    )


def hand_over_post(
    uid: Hex,
    *,
    officer: JsonObject,
    resolution: JsonObject,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    keys: Sequence[NewKey] = (),
    ends_deputies: bool = False,
    **options: Unpack[Acting],
) -> Request[Accepted]:
    """Hand a post over to the next officer, with its keys, in one step.

    - ``officer``: the officer;
    - ``resolution``: the resolution;
    - ``valid_from``: from when; now when absent;
    - ``valid_until``: until when; ``None`` for no end;
    - ``keys``: the post's new keys; the old ones end;
    - ``ends_deputies``: whether the deputies go as well.
    """
    return act(
        "post.hand_over",
        "/posts/{uid}/hand-over",
        {
            "officer": officer,
            "resolution": resolution,
            "valid_from": valid_from,
            "valid_until": valid_until,
            "keys": keys,
            "ends_deputies": ends_deputies,
        },
        options,
        uid=uid,
    )


def give_post_key(uid: Hex, *, key: NewKey, **options: Unpack[Acting]) -> Request[Accepted]:
    """Enter a new key of this agency that the post holds.

    - ``key``: the key.
    """
    return act("post_key.give", "/posts/{uid}/keys", {"key": key}, options, uid=uid)


def assign_post_key(uid: Hex, *, address: Hex, **options: Unpack[Acting]) -> Request[Accepted]:
    """Name a key of this agency.

    - ``address``: its address.
    """
    return act(
        "post_key.assign", "/posts/{uid}/keys/assign", {"address": address}, options, uid=uid
    )


def end_post_key(uid: Hex, *, address: Hex, **options: Unpack[Acting]) -> Request[Accepted]:
    """Name a key of this agency.

    - ``address``: its address.
    """
    return act("post_key.end", "/posts/{uid}/keys/end", {"address": address}, options, uid=uid)


def abolish_post(
    uid: Hex, *, resolution: JsonObject, **options: Unpack[Acting]
) -> Request[Accepted]:
    """Abolish a post for good, with its terms and keys.

    - ``resolution``: the resolution.
    """
    return act("post.abolish", "/posts/{uid}/abolish", {"resolution": resolution}, options, uid=uid)

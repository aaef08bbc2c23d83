"""A mistyped name is answered with the known one, never with what was sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.near_names import ask_whether, find_near

KNOWN = ("exchange.request", "exchange.release", "dataset.register", "not_shared")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("exchange.requst", "exchange.request"),
        ("Exchange.Request", "exchange.request"),
        ("notshared", "not_shared"),
        ("not-shared", "not_shared"),
        ("exchange.request", None),
        ("wombat", None),
        ("", None),
        ("exchange.request" * 10, None),
        (7, None),
        (None, None),
    ],
)
def test_near_name_is_the_one_that_was_meant(name: object, near: str | None) -> None:
    assert find_near(name, KNOWN) == near
    assert ask_whether(name, KNOWN) == ("" if near is None else f"; did you mean {near}?")


@given(st.text(max_size=120), st.lists(st.text(min_size=1, max_size=20), max_size=8))
def test_near_name_is_always_a_known_one(name: str, known: list[str]) -> None:
    assert find_near(name, known) in {None, *known}

"""Pages follow each other without a gap or a repeat, whichever way a list runs."""

from hypothesis import given
from hypothesis import strategies as st

from api.index.queries import Page
from api.rest.cursors import cut_page, decode_cursor


@given(
    positions=st.sets(st.integers(0, 2**63 - 1), max_size=30),
    limit=st.integers(1, 8),
    newest_first=st.booleans(),
)
def test_pages_together_are_the_whole_list(
    positions: set[int], limit: int, *, newest_first: bool
) -> None:
    def load(page: Page) -> list[int]:
        after = page.after
        rest = [
            one
            for one in sorted(positions, reverse=newest_first)
            if after is None or (one < after if newest_first else one > after)
        ]
        return rest[: page.limit]

    seen: list[int] = []
    page = Page(limit=limit)
    while True:
        items, following = cut_page(load(page.and_one), page, lambda one: one)
        assert len(items) <= limit
        seen += items
        if following is None:
            break
        assert len(items) == limit
        page = Page(limit=limit, after=decode_cursor(following))
    assert seen == sorted(positions, reverse=newest_first)

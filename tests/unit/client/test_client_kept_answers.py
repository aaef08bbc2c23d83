"""Answers that a client keeps: asked for again, and sent again only if they have changed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from atesta_client import requests
from atesta_client.answers import Accepted
from atesta_client.errors import RestProblem
from atesta_client.kept_answers import KeptAnswers
from atesta_client.requests import Request
from atesta_client.rest import AsyncClient, Client
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.client.served_world import serve_agencies


def publish() -> Request[Accepted]:
    return requests.publish_purpose(code="housing", title="Deciding a subsidy", language="en")


class Watched(KeptAnswers):
    """Notes which answers came whole, that is, not as "unchanged"."""

    def __init__(self) -> None:
        super().__init__()
        self.whole: list[str] = []

    def put(self, request: Request[Any], etag: str | None, data: bytes) -> None:
        assert etag is not None, "every read of the interface has one"
        self.whole.append(request.path)
        super().put(request, etag, data)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("kept")
    with serve_agencies(folder, ["bureau"]) as addresses:
        yield addresses["bureau"]


def test_client_reads_again_only_what_has_changed(address: str) -> None:
    kept = Watched()
    with Client(address, kept=kept) as client:
        purpose = client.complete(publish()).uid
        wanted = requests.get_purpose(purpose)
        first = client.send(wanted)
        whole = len(kept.whole)
        assert client.send(wanted) == first == client.send(wanted)
        assert len(kept.whole) == whole
        change = requests.change_purpose_state(purpose, state="suspended", reason="error")
        client.complete(change)
        changed = client.send(wanted)
        assert (first.state, changed.state) == ("active", "suspended")
        assert len(kept.whole) > whole
        # A list is known by all of its query, and a client that keeps nothing sees the same.
        page = client.send(requests.list_purposes(limit=1))
        assert client.send(requests.list_purposes(limit=1)) == page
        assert client.send(requests.list_purposes(limit=1, state="active")).items == ()
    with Client(address) as plain:
        assert plain.send(wanted) == changed


async def test_asynchronous_client_keeps_answers_and_no_refusals(address: str) -> None:
    kept = Watched()
    async with AsyncClient(address, kept=kept) as client:
        bases = requests.list_bases()
        assert await client.send(bases) == await client.send(bases)
        assert kept.whole == [bases.path]
        with pytest.raises(RestProblem):
            await client.send(requests.get_purpose("0x" + "99" * 32))
        assert len(kept) == 1


@given(
    asked=st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=40)), max_size=60),
    most_answers=st.integers(1, 5),
    most_bytes=st.integers(1, 100),
)
def test_kept_answers_stay_within_their_room(
    asked: list[tuple[int, bytes]], most_answers: int, most_bytes: int
) -> None:
    kept = KeptAnswers(most_answers=most_answers, most_bytes=most_bytes)
    latest: dict[int, bytes] = {}
    for number, data in asked:
        request = requests.get_purpose(f"0x{number:064x}")
        kept.put(request, f'"{number}"', data)
        latest[number] = data
        assert len(kept) <= most_answers
        assert kept.size <= most_bytes
        found = [
            (n, answer.data)
            for n in latest
            if (answer := kept.find(requests.get_purpose(f"0x{n:064x}"))) is not None
        ]
        assert all(latest[n] == answer for n, answer in found)
        assert kept.size == sum(len(answer) for _, answer in found)


def test_kept_answers_are_of_reads_only() -> None:
    kept = KeptAnswers()
    write = publish()
    kept.put(write, '"1"', b"{}")
    assert kept.find(write) is None
    read = requests.get_purpose("0x" + "11" * 32)
    kept.put(read, '"1"', b"{}")
    kept.put(read, None, b"{}")
    assert kept.find(read) is None

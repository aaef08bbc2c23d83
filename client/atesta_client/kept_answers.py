"""Answers that a client keeps, so that what has not changed is not sent again.

Every read has an ``ETag``. A client that keeps answers sends it back as ``If-None-Match``; the node
then says in a few bytes that nothing has changed (304), and the kept answer is read anew::

    with Client("http://127.0.0.1:8601", token=token, kept=KeptAnswers()) as client:
        consent = client.send(requests.get_consent(uid))
        later = client.send(requests.get_consent(uid))  # asked again, and sent only if it changed

The node is asked every time, so an answer is never older than the node's last settled block.
Keep one for each client: what a token may read is nobody else's.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from atesta_client.requests import Request

MOST_ANSWERS: Final = 1_000
MOST_BYTES: Final = 32 * 1024 * 1024

_Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """One answer as it came."""

    etag: str
    """What the node called this state of it."""
    data: bytes
    """The JSON."""


class KeptAnswers:
    """The latest answers of one client, the ones used last."""

    def __init__(self, *, most_answers: int = MOST_ANSWERS, most_bytes: int = MOST_BYTES) -> None:
        """Prepare room for so many answers, of so many bytes together."""
        self._most_answers = most_answers
        self._most_bytes = most_bytes
        self._answers: OrderedDict[_Key, KeptAnswer] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def size(self) -> int:
        """Bytes of all of them together."""
        return self._bytes

    def find(self, request: Request[Any]) -> KeptAnswer | None:
        """Return the answer that the same request had last; ``None`` if it is not kept."""
        if request.method != "GET":
            return None
        key = _name(request.path, request.query)
        if key in self._answers:
            self._answers.move_to_end(key)
        return self._answers.get(key)

    def put(self, request: Request[Any], etag: str | None, data: bytes) -> None:
        """Keep an answer in place of the one before; what was not used for longest makes room."""
        if request.method != "GET":
            return
        key = _name(request.path, request.query)
        earlier = self._answers.pop(key, None)
        self._bytes -= 0 if earlier is None else len(earlier.data)
        if etag is None or len(data) > self._most_bytes:
            return
        self._answers[key] = KeptAnswer(etag=etag, data=data)
        self._bytes += len(data)
        while len(self._answers) > self._most_answers or self._bytes > self._most_bytes:
            _, dropped = self._answers.popitem(last=False)
            self._bytes -= len(dropped.data)


def _name(path: str, query: Mapping[str, str]) -> _Key:
    return path, tuple(sorted(query.items()))

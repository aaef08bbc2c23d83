"""What comes back from a node, read: an answer, or the refusal that it is."""

import json
from typing import Any, Final, NoReturn, TypeVar

from atesta_client.errors import RestAnswerMalformed, RestProblem
from atesta_client.requests import Request

T = TypeVar("T")

MAX_ANSWER_SIZE: Final = 64 * 1024 * 1024
"""Largest answer read, in bytes."""


def read_response(request: Request[T], status: int, data: bytes, pause: str | None) -> T:
    """Return the typed answer to a request; ``pause`` is the header ``Retry-After``.

    Raises :class:`RestProblem` for a refusal and :class:`RestAnswerMalformed` for what is not
    understood.
    """
    if len(data) > MAX_ANSWER_SIZE:
        raise RestAnswerMalformed(f"the node's answer is longer than {MAX_ANSWER_SIZE} bytes")
    if status >= 400:
        refuse(status, data, pause)
    return request.read(decode(data))


def refuse(status: int, data: bytes, pause: str | None) -> NoReturn:
    """Raise the :class:`RestProblem` that an answer is."""
    # The other form of the field, a date, would need both clocks to agree; nodes do not send it.
    is_number = pause is not None and pause.isascii() and pause.isdigit() and len(pause) < 10
    retry_after_s = float(pause) if pause is not None and is_number else None
    try:
        problem = json.loads(data)
    except ValueError as error:
        raise RestProblem(status, {}, retry_after_s=retry_after_s) from error
    told = problem if isinstance(problem, dict) else {}
    raise RestProblem(status, told, retry_after_s=retry_after_s)


def decode(data: bytes) -> Any:
    """Return the JSON of an answer; raises :class:`RestAnswerMalformed`."""
    try:
        return json.loads(data)
    except ValueError as error:
        raise RestAnswerMalformed("the node's answer is not JSON") from error

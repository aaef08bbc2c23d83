"""How long a client tries, and when trying again can do no harm."""

from dataclasses import dataclass
from typing import Any, Final

from atesta_client.errors import RestProblem, RestUnreachable
from atesta_client.requests import Request

TOO_MANY_REQUESTS: Final = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long and how often a client tries."""

    attempt_s: float = 15.0
    """Longest wait for the answer to one attempt, in seconds."""
    total_s: float = 60.0
    """After this no further attempt begins, in seconds."""
    first_pause_s: float = 0.2
    """Pause before the second attempt, in seconds; it doubles each time, plus chance."""
    longest_pause_s: float = 5.0
    """Longest pause between attempts, in seconds."""


def may_try_again(request: Request[Any], error: RestProblem | RestUnreachable) -> bool:
    """Tell whether a request that ended like this may be sent once more."""
    if isinstance(error, RestProblem) and error.status == TOO_MANY_REQUESTS:
        return True
    if not request.is_repeatable:
        return False
    return isinstance(error, RestUnreachable) or error.is_passing

"""Keeping Python's garbage collector from standing in the way of what runs.

The collector walks all that lives whenever enough has come to it: with a node's caches, compiled
statements and contracts that is a tenth of a second in which nothing is answered and no vote is
sent, time and again. Nearly all of it lives for ever. So what survives one full collection is taken
out of the next ones (`gc.freeze`), which then walk only what came since: a few milliseconds.

What was frozen is still freed as soon as nothing refers to it; only cycles that die after they were
frozen stay. Once in a while everything is therefore walked again.
"""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

FULL_EVERY_S: Final = 3600.0
"""How long a dead cycle stays at most."""

_OLDEST: Final = 2


@contextmanager
def spare_survivors(
    *, full_every_s: float = FULL_EVERY_S, now: Callable[[], float] = time.monotonic
) -> Iterator[None]:
    """Take what survives a full collection out of the next ones for as long as the context lasts.

    Call it once everything is started. Leaving the context gives all objects back.
    """
    last_full_s = now()

    def told(phase: str, info: Mapping[str, Any]) -> None:
        nonlocal last_full_s
        if info["generation"] != _OLDEST:
            return
        if phase == "stop":
            gc.freeze()
        elif now() - last_full_s >= full_every_s:
            last_full_s = now()
            gc.unfreeze()

    gc.collect()
    gc.freeze()
    gc.callbacks.append(told)
    try:
        yield
    finally:
        gc.callbacks.remove(told)
        gc.unfreeze()

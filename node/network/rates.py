"""How many consensus messages are taken from a peer, and passed on for an author.

A vote is small, but everybody checks its signature and passes it on, so one validator that signs
without end would keep all others busy. Two limits stop that:

* What a **peer** brings that is new costs it a token. Beyond its rate, messages are not even
  decoded, and are charged; so a flood ends with the connection.
* What is passed on for an **author** is limited to far less, once for what comes from itself and
  once for what others bring. So nobody can be made to exceed a rate by passing on another's flood:
  a relay stays within what the limit on peers allows for all authors together.

An honest validator sends three to four messages a block and repeats one every two seconds; even
with four blocks a second it stays below both.
"""

from collections import OrderedDict
from typing import Final

from eth_typing import Address

from node.network.score import TokenBucket

_AUTHOR_PER_S: Final = 25.0
_AUTHOR_BURST: Final = 75.0
_WAYS: Final = 2
_PEER_LEAST_PER_S: Final = 250.0
_PEER_BURST_S: Final = 3.0
_MAX_AUTHORS: Final = 1024


class PeerBudget:
    """New consensus messages that one peer may bring."""

    __slots__ = ("_bucket",)

    def __init__(self, now_s: float) -> None:
        self._bucket = TokenBucket(
            rate=_PEER_LEAST_PER_S, burst=_PEER_LEAST_PER_S * _PEER_BURST_S, now_s=now_s
        )

    def take(self, nodes: int, now_s: float) -> bool:
        """Spend one message; `nodes` are connected to us. False: it is one too many."""
        # As much as all of them, and one that only this peer hears, may have passed on by it.
        allowed_per_s = _WAYS * _AUTHOR_PER_S * (nodes + 2)
        return self._bucket.take(min(1.0, _PEER_LEAST_PER_S / allowed_per_s), now_s)


class RelayBudget:
    """Messages of each author that are passed on. Bounded by forgetting who was quiet longest."""

    __slots__ = ("_buckets",)

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[Address, bool], TokenBucket] = OrderedDict()

    def take(self, author: Address, *, is_direct: bool, now_s: float) -> bool:
        """Spend one message, brought by its author or by another. False: do not pass it on."""
        key = (author, is_direct)
        bucket = self._buckets.pop(key, None)
        if bucket is None:
            bucket = TokenBucket(rate=_AUTHOR_PER_S, burst=_AUTHOR_BURST, now_s=now_s)
        self._buckets[key] = bucket
        if len(self._buckets) > _MAX_AUTHORS:
            self._buckets.popitem(last=False)
        return bucket.take(1, now_s)

"""A node that is asked only after it was found to be the right one.

What answers behind an address may change while it is away: another network, another ledger, another
block 0. So it is checked before the first question and again after every absence, never in between:
a check at each question would cost as much as the question.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from api.errors import UpstreamFault
from api.web3_provider import RawCall, RawRpc


class CheckedRpc(ABC):
    """`RawRpc` that answers only while what is behind it passes a check."""

    def __init__(self, inner: RawRpc) -> None:
        self.inner = inner
        """Without the check."""
        self._is_checked = False
        self._lock = asyncio.Lock()

    async def call(self, method: str, *arguments: Any) -> Any:
        """Return the result; raises `RpcRefusal`, `UpstreamFault`, or what the check raises."""
        await self.check()
        try:
            return await self.inner.call(method, *arguments)
        except UpstreamFault:
            self._is_checked = False
            raise

    async def batch(self, calls: Sequence[RawCall]) -> list[Any]:
        """Return the results in order; raises as `call` does."""
        await self.check()
        try:
            return await self.inner.batch(calls)
        except UpstreamFault:
            self._is_checked = False
            raise

    async def check(self) -> None:
        """Check what is behind unless that was done since it was last away; one check at a time."""
        if self._is_checked:
            return
        async with self._lock:
            if not self._is_checked:
                self._is_checked = await self._check()

    @abstractmethod
    async def _check(self) -> bool:
        """Ask `inner` who it is; raise if it is another.

        Returns whether that holds until the next absence; False: answers, but is checked again.
        """

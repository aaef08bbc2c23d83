"""Watching a due time in D6: what ``GET /v1/alerts`` says while the story goes on elsewhere."""

import asyncio
from typing import Final

from atesta_client import requests
from atesta_client.answers import AlertView
from atesta_client.rest import AsyncClient

from scripts.demos.stage import StoryFailed

_POLL_S: Final = 0.5


class AlertWatch:
    """Notes the first alert of each level that a node tells of one record."""

    def __init__(self, client: AsyncClient, uid: str) -> None:
        """Watch the alerts of `client`'s node about the record `uid`."""
        self._client = client
        self._uid = uid
        self.seen: dict[int, AlertView] = {}
        """The first alert of each level, by percent."""

    async def look(self) -> list[AlertView]:
        """Return the alerts that hold now, and note them."""
        open_now = self._client.list_all(requests.list_alerts())
        mine = [alert async for alert in open_now if alert.uid == self._uid]
        for alert in mine:
            self.seen.setdefault(alert.level, alert)
        return mine

    async def wait_for(self, level: int, timeout_s: float) -> AlertView:
        """Wait until an alert of a level was seen; raises `StoryFailed`."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while level not in self.seen:
            if asyncio.get_running_loop().time() > deadline:
                raise StoryFailed(f"no alert at {level} % within {timeout_s:.0f} s")
            await asyncio.sleep(_POLL_S / 2)
        return self.seen[level]

    async def run(self) -> None:
        """Look again and again, until it is cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_POLL_S)

"""A real browser, driven as a reader drives it: open, fill in, click, press keys, look.

Chromium's DevTools protocol over its own web socket; nothing of it reaches the pages, which have no
script of their own.
"""

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

BINARY = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_S = 120
"""How long a page may take on a machine that does other things too."""

_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
    "about:blank",
)


class Browser:
    """Use `open_browser`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._sent = 0

    async def open(self, url: str) -> None:
        """Open a page and wait until it is there."""
        await self._load("Page.navigate", url=url)

    async def click(self, selector: str) -> None:
        """Click what leads to another page, and wait until that is there."""
        found = await self.evaluate(f"document.querySelector({json.dumps(selector)}) !== null")
        assert found, f"nothing to click at {selector}"
        await self._load(
            "Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)}).click()"
        )

    async def fill(self, selector: str, value: str) -> None:
        """Put a value into a field, or choose an option."""
        await self.evaluate(
            f"document.querySelector({json.dumps(selector)}).value = {json.dumps(value)}"
        )

    async def press(self, key: str) -> None:
        """Press and release a key."""
        for kind in ("rawKeyDown", "keyUp"):
            await self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode={"Tab": 9, "Enter": 13}[key],
            )

    async def prefer(self, *, scheme: str) -> None:
        """Read by day (`light`) or by night (`dark`)."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        await self.send("Emulation.setEmulatedMedia", features=[feature])

    async def resize(self, width: int, height: int) -> None:
        """Make the window so many pixels wide and high."""
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def evaluate(self, expression: str) -> Any:
        """Return what an expression of JavaScript says of the page."""
        answer = await self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def list_named(self) -> list[tuple[str, str]]:
        """Return role and name of everything that a screen reader comes upon."""
        tree = await self.send("Accessibility.getFullAXTree")
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in tree["nodes"]
            if not node["ignored"] and "role" in node
        ]

    async def send(self, method: str, **params: Any) -> Any:
        """Return the answer to a command."""
        sent = await self._write(method, params)
        while True:
            message = await self._read()
            if message.get("id") == sent:
                assert "error" not in message, message
                return message["result"]

    async def _load(self, method: str, **params: Any) -> None:
        sent = await self._write(method, params)
        is_answered = is_loaded = False
        while not (is_answered and is_loaded):
            message = await self._read()
            is_answered |= message.get("id") == sent
            is_loaded |= message.get("method") == "Page.loadEventFired"

    async def _write(self, method: str, params: dict[str, Any]) -> int:
        self._sent += 1
        await self._socket.send_json({"id": self._sent, "method": method, "params": params})
        return self._sent

    async def _read(self) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            return await self._socket.receive_json()


@asynccontextmanager
async def open_browser(folder: Path, *, language: str = "en") -> AsyncIterator[Browser]:
    """Start the browser with an empty profile in `folder`, and end it afterwards."""
    assert BINARY is not None
    profile = folder / "profile"
    process = await asyncio.create_subprocess_exec(
        BINARY,
        f"--user-data-dir={profile}",
        f"--accept-lang={language}",
        *_OPTIONS,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await _wait_for_port(profile / "DevToolsActivePort")
        async with aiohttp.ClientSession() as http:
            async with http.get(f"http://127.0.0.1:{port}/json/list") as answer:
                (page,) = [one for one in await answer.json() if one["type"] == "page"]
            address = page["webSocketDebuggerUrl"]
            async with http.ws_connect(address, max_msg_size=0, heartbeat=None) as socket:
                browser = Browser(socket)
                await browser.send("Page.enable")
                await browser.resize(1200, 1600)
                yield browser
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _wait_for_port(path: Path) -> int:
    async with asyncio.timeout(PATIENCE_S):
        while not path.is_file() or not path.read_text().strip():
            await asyncio.sleep(0.05)
    return int(path.read_text().split()[0])

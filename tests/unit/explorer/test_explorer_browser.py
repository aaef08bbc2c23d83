"""The pages in a real browser: what it lays out, in light, dark, narrow and on paper."""

import asyncio
import shutil
import struct
from pathlib import Path

import pytest

from tests.unit.explorer.conftest import FIRST, Site

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        BROWSER is None, reason="needs chromium: apt-get install chromium (Debian's package)"
    ),
]


async def run_browser(folder: Path, url: str, *options: str) -> str:
    """Open a page without a window and return what the browser prints."""
    assert BROWSER is not None
    process = await asyncio.create_subprocess_exec(
        BROWSER,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--lang=en",
        f"--user-data-dir={folder / 'profile'}",
        *options,
        url,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), timeout=120)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, errors.decode()[-2_000:]
    return output.decode()


def read_size(picture: Path) -> tuple[int, int]:
    """Return width and height from a PNG's header."""
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    return width, height


async def test_browser_lays_out_a_record(site: Site, tmp_path: Path) -> None:
    page = await run_browser(
        tmp_path, f"{site.url}/explorer/attestations/0x{FIRST.hex()}", "--dump-dom"
    )
    assert "Final: 3 of 4 validators sealed this block; 3 are needed." in page
    assert "mo-health-laboratory" in page


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dark", ("--window-size=1200,1600", "--blink-settings=preferredColorScheme=0")),
        ("narrow", ("--window-size=500,1600",)),
    ],
)
async def test_browser_paints_the_overview(
    site: Site, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    picture = tmp_path / f"{name}.png"
    await run_browser(tmp_path, f"{site.url}/explorer", *options, f"--screenshot={picture}")
    width, height = read_size(picture)
    assert (width, height) == ((500, 1_600) if name == "narrow" else (1_200, 1_600))
    # A page whose stylesheet the policy had blocked would be nearly blank.
    assert picture.stat().st_size > 40_000


async def test_browser_prints_a_record(site: Site, tmp_path: Path) -> None:
    paper = tmp_path / "record.pdf"
    url = f"{site.url}/explorer/attestations/0x{FIRST.hex()}"
    await run_browser(tmp_path, url, f"--print-to-pdf={paper}", "--no-pdf-header-footer")
    assert paper.read_bytes().startswith(b"%PDF-")
    assert paper.read_bytes().count(b"/Type /Page\n") <= 3

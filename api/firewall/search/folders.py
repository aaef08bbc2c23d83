"""Searching everything that a node keeps and has sent for values that should be nowhere.

A search of raw files alone proves little: LevelDB compresses its blocks, SQLite splits long values
over pages, and neither stores a value in the encoding in which one would type it. So each folder is
searched twice. *Raw*: every file, byte for byte. *Decoded*: every store that is found in it, as
`stores` reads it, each value opened into the fields that it consists of (`fields`), for every
needle in every form (`needles`).

The search works on a copy, so the folder itself is never touched, and controls can be planted into
the copy (`controls`). It reports where a needle was found and in which encoding; it never repeats a
value. Copy a folder while its node stands still: a copy of one that is being written may be torn.

    report = search_folder(folder, NeedleSet(needles))
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from api.firewall.search import stores
from api.firewall.search.clean import CleanValues
from api.firewall.search.controls import Controls
from api.firewall.search.guesses import GuessTable
from api.firewall.search.needles import NeedleSet
from api.firewall.search.report import Hit, Progress, SearchReport
from api.firewall.search.searcher import Searcher

__all__ = ["Hit", "SearchReport", "search_folder"]


def search_folder(
    folder: Path,
    needles: NeedleSet,
    *,
    guesses: GuessTable | None = None,
    controls: Controls | None = None,
    progress: Progress | None = None,
    clean: CleanValues | None = None,
    skip: Callable[[Path], bool] = lambda _path: False,
) -> SearchReport:
    """Search a node's folder or a single file, raw and decoded. It is left as it is.

    The needles hold those of the controls. `clean` is shared by searches for the same. `skip`
    leaves out files by their path in the folder.
    """
    report = SearchReport()
    with tempfile.TemporaryDirectory(prefix="atesta-search-") as name:
        copy = Path(name) / "copy"
        if folder.is_file():
            copy.mkdir()
            shutil.copy2(folder, copy / folder.name)
        else:
            shutil.copytree(folder, copy, symlinks=True, ignore=_ignore(folder, skip))
        if controls is not None:
            controls.plant_raw(copy)
        searcher = Searcher(needles, report, guesses, clean)
        databases = {path.parent for path in copy.rglob("CURRENT") if _is_leveldb(path.parent)}
        files = [path for path in sorted(copy.rglob("*")) if path.is_file()]
        for path in (file for file in files if not file.is_symlink()):
            stores.search_raw(path, str(path.relative_to(copy)), searcher)
            if progress is not None:
                progress(path.stat().st_size)
        # Only now: opening a database to plant into it moves what stood in its logs.
        if controls is not None:
            controls.plant_stores(copy)
        for path in sorted(databases):
            where = str(path.relative_to(copy))
            stores.search_leveldb_files(path, where, searcher)
            stores.search_leveldb(path, where, searcher)
            if progress is not None:
                progress(_measure(path))
        for path in files:
            # SQLite's own helper files come and go as it opens and closes.
            if path.parent in databases or path.is_symlink() or not path.exists():
                continue
            _search_decoded_file(path, str(path.relative_to(copy)), searcher)
            if progress is not None and path.exists():
                progress(path.stat().st_size)
        searcher.finish()
    return report


def measure_folder(folder: Path) -> int:
    """Return how many bytes the progress of a search counts to, about."""
    paths = [folder] if folder.is_file() else folder.rglob("*")
    sizes = (path.stat().st_size for path in paths if path.is_file() and not path.is_symlink())
    return 2 * sum(sizes)


def _search_decoded_file(path: Path, name: str, searcher: Searcher) -> None:
    with path.open("rb") as file:
        head = file.read(len(stores.SQLITE_MAGIC))
    if head == stores.SQLITE_MAGIC:
        stores.search_sqlite(path, name, searcher)
    elif head.startswith(stores.TAP_DIRECTIONS):
        stores.search_traffic(path, name, searcher)
    elif not path.name.endswith(("-wal", "-shm")):
        stores.search_lines(path, name, searcher)


def _is_leveldb(folder: Path) -> bool:
    return any(folder.glob("MANIFEST-*"))


def _measure(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def _ignore(root: Path, skip: Callable[[Path], bool]) -> Callable[[str, list[str]], list[str]]:
    def choose(folder: str, names: list[str]) -> list[str]:
        paths = {name: Path(folder) / name for name in names}
        return [
            name for name, path in paths.items() if path.is_socket() or skip(path.relative_to(root))
        ]

    return choose

"""A person whose names and numbers go into whatever a surface takes, and are looked for after."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from api.firewall.search.needles import Needle, NeedleSet
from api.firewall.search.report import SearchReport
from api.firewall.search.searcher import Searcher
from tests.unit.log_files import write_logs_to

PERSON: Final = "WongSiuMingQVX"
NUMBER: Final = "440106197410154219"
PASSPORT: Final = "MA7316942"

_NEEDLES: Final = NeedleSet(
    Needle(label=label, value=value)
    for label, value in (("name", PERSON), ("number", NUMBER), ("passport", PASSPORT))
)


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    with write_logs_to(tmp_path / "node.jsonl", level="debug", node="canary") as file:
        yield file


def find_person(*texts: bytes) -> set[str]:
    """Return what of the person is in the texts: `name`, `number`, `passport`."""
    report = SearchReport()
    searcher = Searcher(_NEEDLES, report)
    for text in texts:
        searcher.search(text, store="told", place="told")
    searcher.finish()
    return {hit.label for hit in report.hits}

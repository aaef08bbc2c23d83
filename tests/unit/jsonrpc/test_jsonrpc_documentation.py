"""docs/json-rpc.md documents every method, with its arguments, its role and what it does."""

import re
from pathlib import Path

from api.jsonrpc.dispatcher import Dispatcher
from tests.unit.jsonrpc.fake_ledger import FakeLedger

PAGE = Path(__file__).parents[3] / "docs" / "json-rpc.md"
ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| (\w+) \| (.*) \|$", re.MULTILINE)


def test_page_lists_every_method_as_the_code_describes_it() -> None:
    documented = {name: row for name, *row in ROW.findall(PAGE.read_text())}
    marks = [method.mark for method in Dispatcher(FakeLedger()).methods.values()]
    expected = {
        mark.name: [
            f"`{mark.arguments}`" if mark.arguments else "none",
            mark.role.value,
            mark.summary,
        ]
        for mark in marks
    }
    assert documented == expected

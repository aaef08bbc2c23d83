"""An agency's vault and outbox of made-up rows: filled once, and every list of them answers."""

from pathlib import Path

from scripts.scaling.generating import generate
from scripts.scaling.keeping import Place
from scripts.scaling.measuring import measure
from scripts.scaling.operations import LISTS_OF_OTHERS
from scripts.scaling.own_lists import OWN_LISTS
from scripts.scaling.own_rows import LINES_EACH, OwnSizes, fill_own
from scripts.scaling.sizes import Plan, Sizes

PLAN = Plan(seed=20261123, sizes=Sizes().divide(10_000))
SMALL = OwnSizes().divide(10_000)


async def test_own_rows_are_filled_up_to_their_sizes_and_listed(tmp_path: Path) -> None:
    with Place(folder=tmp_path).open() as stores:
        half = OwnSizes(reads=90, credentials=70, operations=50, imports=3, merges=7)
        assert (await fill_own(PLAN, half, stores, is_quiet=True))["reads"] == 90
        filled = await fill_own(PLAN, SMALL, stores, is_quiet=True)
        assert filled == {
            "reads": SMALL.reads,
            "records": SMALL.credentials,
            "imports": SMALL.imports,
            "import_lines": SMALL.imports * LINES_EACH,
            "merges": SMALL.merges,
            "operations": SMALL.operations,
        }
        assert await fill_own(PLAN, half, stores, is_quiet=True) == filled
        await generate(PLAN, stores.index, is_quiet=True)
        timings = await measure(
            PLAN, stores.index, turns=1, is_quiet=True, own=(stores, SMALL), only=sorted(OWN_LISTS)
        )
    names = {timing.name for timing in timings}
    assert {name.split()[0] for name in names} == OWN_LISTS
    assert "list_reads purpose operation from until" in names
    assert LISTS_OF_OTHERS > OWN_LISTS

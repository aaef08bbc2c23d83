"""Writes, or compares, everything in the repository that is made from the contract sources.

`scripts/make_genesis` runs this. It needs the compiler; a node does not.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from contracts import codec, loader
from contracts.compiler import compile_all
from contracts.development import build_development_spec
from contracts.genesis import build_genesis
from contracts.genesis_spec import GenesisSpec
from contracts.refusals import REFUSALS_PATH, load_refusals, render_refusals
from contracts.reverts import find_refusals

ROOT: Final = Path(__file__).parent.parent
GENESIS_PATH: Final = ROOT / "genesis.json"
HEADER_VOTE_GENESIS_PATH: Final = ROOT / "tests" / "vectors" / "genesis-headervote.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 if all is written or equal, 1 if `--check` finds a difference."""
    parser = argparse.ArgumentParser(
        prog="scripts/make_genesis",
        description="Compile the contracts and make genesis.json from them.",
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if a file is not as it would be"
    )
    is_check = parser.parse_args(arguments).check
    changed = _put_all(render_artifacts() | render_words(), is_check=is_check)
    if not (is_check and changed):
        # The genesis is made from the artifacts on disk, which are the ones just compiled.
        loader.load_artifact.cache_clear()
        codec.clear_cache()
        changed += _put_all(render_geneses(), is_check=is_check)
    for path in changed:
        print(f"{'differs' if is_check else 'written'}: {path.relative_to(ROOT)}")  # noqa: T201
    if not changed:
        print("contracts, artifacts and genesis files agree")  # noqa: T201
    return 1 if is_check and changed else 0


def render_artifacts() -> dict[Path, str]:
    """Compile all contracts; the text of each artifact by its path."""
    return {loader.ARTIFACTS_FOLDER / f"{name}.json": text for name, text in compile_all().items()}


def render_words() -> dict[Path, str]:
    """Return the table of refusals with the functions that the sources give, by its path."""
    functions = find_refusals()
    for text in sorted(functions.keys() - load_refusals().keys()):
        print(f"without words: add to {REFUSALS_PATH.name} what is meant by {text!r}")  # noqa: T201
    return {REFUSALS_PATH: render_refusals(functions)}


def render_geneses() -> dict[Path, str]:
    """Make the committed genesis files from the committed artifacts; each text by its path."""
    return {
        GENESIS_PATH: render_genesis(build_development_spec()),
        HEADER_VOTE_GENESIS_PATH: render_genesis(build_development_spec(is_header_vote=True)),
    }


def render_genesis(spec: GenesisSpec) -> str:
    """Return the text of a genesis file."""
    return json.dumps(build_genesis(spec), indent=2) + "\n"


def _put_all(files: dict[Path, str], *, is_check: bool) -> list[Path]:
    changed = [
        path
        for path, text in files.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if not is_check:
        for path in changed:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], encoding="utf-8")
    return changed


if __name__ == "__main__":
    sys.exit(main())

"""What holds for the repository as a whole: names, links, locks, shared vectors."""

import re
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
OURS = {"atesta", "atesta-client"}


def list_tracked() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return [path for line in listing.splitlines() if (path := ROOT / line).is_file()]


@pytest.mark.parametrize("name", ["node", "api", "consensus", "contracts", "atesta_client"])
def test_import_name_belongs_to_no_other_distribution(name: str) -> None:
    owners = set(metadata.packages_distributions().get(name, []))
    assert owners <= OURS, f"{name} is also installed by {owners - OURS}"


def test_markdown_links_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)} -> {target}"
        for page in list_tracked()
        if page.suffix == ".md"
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_readme_fits_two_screens() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 100


def test_tracked_files_carry_no_path_of_one_machine() -> None:
    pattern = re.compile(r"(?<![A-Za-z0-9_.])/(?:work|farm|root)/")
    found = []
    for path in list_tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if pattern.search(text) and path != Path(__file__):
            found.append(str(path.relative_to(ROOT)))
    assert found == []


def test_locks_hold_hashes_and_no_addresses() -> None:
    for lock in (ROOT / "locks").glob("*.txt"):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text, lock
        pins = re.findall(r"^[a-z0-9].*==", text, flags=re.MULTILINE)
        assert pins, lock
        assert len(
            re.findall(r"^[a-z0-9][^\n]*==[^\n]* \\\n    --hash=", text, re.MULTILINE)
        ) == len(pins), f"{lock}: every pin has a hash"


def test_modules_stay_within_their_size() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in list_tracked()
        if path.suffix in {".py", ".vy"}
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
        and "vectors" not in path.parts
    }
    assert long == {}


def test_test_modules_have_names_of_their_own() -> None:
    # They lie in folders without packages, so pytest imports two of one name as one module.
    names = [path.name for path in list_tracked() if re.fullmatch(r"test_\w+\.py", path.name)]
    assert sorted(set(names)) == sorted(names)


def test_vectors_equal_the_shared_ones() -> None:
    shared = SHARED / "vectors" / "qbft.json"
    if not shared.exists():
        pytest.skip("this clone stands alone: ../shared is not beside it")
    assert (ROOT / "tests/vectors/qbft.json").read_bytes() == shared.read_bytes()

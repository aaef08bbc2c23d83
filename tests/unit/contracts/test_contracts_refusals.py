"""Every text with which a contract refuses is told in words, and the table is of the sources."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from contracts import refusals
from contracts.errors import ArtifactMissing
from contracts.loader import load_artifact
from contracts.refusals import (
    REFUSALS_PATH,
    find_refusal,
    load_refusals,
    render_refusals,
)
from contracts.reverts import SOURCES_FOLDER, find_refusals

TESTS_FOLDER = Path(__file__).parents[2] / "contracts"
NEVER_SAID = {"consent: not live", "mandate: not live"}
"""Said only if the contract that is asked answered "no"; it refuses with its own reason instead."""
WORDS = re.compile(r"[A-Z].*[^ ]\.")


def test_every_text_of_the_sources_has_words() -> None:
    in_sources = {
        text
        for path in SOURCES_FOLDER.glob("*.vy")
        for text in re.findall(r'"([a-z]+: [^"]*)"', path.read_text(encoding="utf-8"))
    }
    assert len(in_sources) > 300
    assert in_sources == {*load_refusals()} == {*find_refusals()}


def test_every_text_is_provoked_by_a_test() -> None:
    """Each rule of the contracts is broken once at least, by a call that answers with its text."""
    tests = "".join(path.read_text(encoding="utf-8") for path in TESTS_FOLDER.glob("*.py"))
    missing = {text for text in load_refusals() if f'"{text}"' not in tests}
    assert missing <= NEVER_SAID


def test_functions_are_those_of_the_sources() -> None:
    written = REFUSALS_PATH.read_text(encoding="utf-8")
    assert written == render_refusals(find_refusals()), "run scripts/make_genesis"


def test_functions_are_found_through_modules_and_other_contracts() -> None:
    found = find_refusals()
    assert found["period: leaf not under the root"] == ("exchanges.name_leaf",)
    for function in ("consents.record", "exchanges.release", "mandates.check"):
        assert function in found["mandate: out of scope"]
    assert "mandates.record" not in found["mandate: out of scope"]
    assert found["exchange: own request"] == ("exchanges.decide",)
    assert "exchanges.request" in found["dataset: not shared"]
    # Refused only while a proxy or an implementation is made.
    alone = [text for text, functions in found.items() if not functions]
    assert alone == ["proxy: no code there", "registry: no code there"]


@pytest.mark.parametrize("text", sorted(load_refusals()))
def test_words_are_sentences_about_an_argument(text: str) -> None:
    refusal = load_refusals()[text]
    for words in (refusal.meaning, refusal.next_step):
        assert WORDS.fullmatch(words), words
        assert len(words) <= 200
    if refusal.field is not None:
        assert any(refusal.field in list_arguments(name) for name in refusal.functions)


def test_texts_are_looked_up_and_unknown_ones_are_none() -> None:
    refusal = find_refusal("exchange: own request")
    assert refusal is not None
    assert refusal.meaning == "Nobody decides what their own agency asked for."
    assert find_refusal("nobody: says this") is None
    assert find_refusal(None) is None


def test_table_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "REFUSALS_PATH", tmp_path / "none.json")
    load_refusals.cache_clear()
    with pytest.raises(ArtifactMissing, match="refusals"):
        load_refusals()
    monkeypatch.undo()
    assert load_refusals()


def list_arguments(name: str) -> set[str]:
    contract, function = name.split(".")
    return {
        argument
        for entry in load_artifact(contract).abi
        if entry["type"] == "function" and entry["name"] == function
        for argument in _walk(entry["inputs"])
    }


def _walk(items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for item in items:
        yield item["name"]
        yield from _walk(item.get("components", ()))

"""Every event, call and member of the ledger's law has words in every language."""

import string
import typing
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import pytest
from pydantic import BaseModel

from api.cases.rules import RULES
from api.explorer.law.kinds import KINDS
from api.explorer.law.showing import read_shape
from api.explorer.law.telling import find_event_name, tell
from api.explorer.registry import EMPTY_REGISTRY
from api.explorer.rendering import name_call, name_field
from api.explorer.texts import DEFAULT, LANGUAGES
from api.explorer.texts.chinese import CHINESE
from api.explorer.texts.english import ENGLISH
from api.explorer.texts.members import write_members
from api.explorer.texts.portuguese import PORTUGUESE
from api.explorer.texts.words import write_words
from api.index.law_events import CHANGES, CREATIONS
from api.reading.table import COLLECTIONS
from contracts.addresses import DECISIONS_NAME, PROXIES, PROXY_NAME
from contracts.codes import ExchangeState
from contracts.decisions import DecisionKind
from contracts.loader import load_artifact

CONTRACTS = (*PROXIES.values(), DECISIONS_NAME, PROXY_NAME)
CASES = {
    "BasisEntered": ("voted", "supervisor"),
    "ConsentGiven": ("resident", "agency"),
    "ExchangeChanged": tuple(state.name.lower() for state in ExchangeState),
    "LeafNamed": ("missing", "named"),
    "Voted": ("for", "against"),
}
"""Events that have a sentence for each of several cases."""


def list_entries(kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for contract in CONTRACTS:
        for entry in load_artifact(contract).abi:
            if entry["type"] == kind:
                yield contract, entry


def list_names(entries: Any) -> Iterator[str]:
    for entry in entries:
        if "components" in entry:
            yield from list_names(entry["components"])
        else:
            yield entry["name"]


def make_value(abi_type: str, components: Any) -> Any:
    """Return an argument that is there, as logs have it."""
    if abi_type.endswith("]"):
        return (make_value(abi_type[: abi_type.rindex("[")], components),)
    if abi_type == "tuple":
        return {entry["name"]: make(entry) for entry in components}
    if abi_type == "bool":
        return True
    if abi_type.startswith("uint"):
        return 1
    return b"\x61" * (20 if abi_type == "address" else 32)


def make(entry: Mapping[str, Any]) -> Any:
    return make_value(entry["type"], entry.get("components", ()))


EVENTS = {entry["name"]: entry for _, entry in list_entries("event")}


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_every_event_has_a_sentence_in_every_language(event: str) -> None:
    known = {*list_names(EVENTS[event]["inputs"]), "actor"}
    for language in LANGUAGES.values():
        keys = [f"event.{event}.{case}" for case in CASES.get(event, ())] or [f"event.{event}"]
        for key in keys:
            text = language.texts[key]
            places = {name for _, name, _, _ in string.Formatter().parse(text) if name}
            assert places <= known, (key, places - known)
            assert text.endswith((".", "。")), key


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_every_event_is_told_from_its_arguments(event: str) -> None:
    args = {entry["name"]: make(entry) for entry in EVENTS[event]["inputs"]}
    for language in LANGUAGES.values():
        told = tell(language, EMPTY_REGISTRY, event, args)
        assert told != event
        assert "{" not in told
        assert language.texts["unknown"] not in told.split(), told


def test_no_sentence_is_left_over() -> None:
    told = {key.split(".")[1] for key in DEFAULT.texts if key.startswith("event.")}
    assert told == set(EVENTS)


def test_event_of_a_newer_contract_is_told_by_its_name() -> None:
    assert tell(DEFAULT, EMPTY_REGISTRY, "Unheard", {"uid": bytes(32)}) == "Unheard"


def test_numbers_of_a_newer_contract_are_told_as_they_are() -> None:
    args = {"agency": b"mo".ljust(32, b"\0"), "state": 77}
    assert tell(DEFAULT, EMPTY_REGISTRY, "BasisStateChanged", args).endswith("to: 77.")


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("consent.withdrawn", "ConsentWithdrawn"),
        ("exchange.state", "ExchangeChanged"),
        ("notice.published", "TextPublished"),
        ("dataset.marked_late", "MarkedLate"),
        ("body.succeeded", "BoardSucceeded"),
        ("accreditation.given", "IssuerAccredited"),
        ("never.heard", "never.heard"),
    ],
)
def test_history_of_the_index_is_told_by_the_contracts_events(kind: str, event: str) -> None:
    assert find_event_name(kind) == event


def test_every_event_of_the_law_is_found_by_its_kind() -> None:
    made = {event: (entry.kind, entry.verb) for event, entry in CREATIONS.items()}
    changed = {event: (entry.kind, entry.verb) for event, entry in CHANGES.items()}
    for event, (kind, verb) in (made | changed).items():
        kinds = [kind] if isinstance(kind, str) else ["notice", "consent"]
        assert {find_event_name(f"{one}.{verb}") for one in kinds} == {event}


def test_every_call_and_argument_is_named_in_every_language() -> None:
    missing = set()
    for language in LANGUAGES.values():
        for contract, entry in list_entries("function"):
            is_act = entry["stateMutability"] in {"nonpayable", "payable"}
            if is_act and name_call(language, contract, entry["name"]) == entry["name"]:
                missing.add((language.tag, contract, entry["name"]))
        for _, entry in list_entries("event"):
            for name in list_names(entry["inputs"]):
                if name_field(language, name) == name and language is not DEFAULT:
                    missing.add((language.tag, entry["name"], name))
    assert not missing


@pytest.mark.parametrize("place", [0, 1, 2])
def test_no_catalogue_says_otherwise_what_a_member_is_called(place: int) -> None:
    own = (ENGLISH, PORTUGUESE, CHINESE)[place]
    for written in (write_members(place), write_words(place)):
        assert not {key for key, text in written.items() if own.get(key, text) != text}


def list_models() -> set[type[BaseModel]]:
    found: set[type[BaseModel]] = set()

    def add(model: type[BaseModel]) -> None:
        found.add(model)
        for member in read_shape(model).values():
            if member.model is not None:
                add(member.model)

    for collection in COLLECTIONS:
        add(collection.model)
    return found


def test_every_member_of_a_record_is_named_in_every_language() -> None:
    for model in list_models():
        for member in read_shape(model).values():
            for language in LANGUAGES.values():
                assert f"fact.{member.label}" in language.texts, (model, member.name)
                assert member.absent in language.texts


def test_every_word_and_state_of_a_record_is_named_in_every_language() -> None:
    words: set[str] = set()
    for model in list_models():
        hints = typing.get_type_hints(model)
        for hint in hints.values():
            for one in (hint, *typing.get_args(hint)):
                if isinstance(one, type) and issubclass(one, StrEnum):
                    group = "reason" if one.__name__ == "Reason" else "word"
                    words |= {f"{group}.{word.value}" for word in one}
    for collection in COLLECTIONS:
        words |= {f"state.{state}" for state in collection.states}
    words |= {f"decision.{kind.name.lower()}" for kind in DecisionKind}
    words |= {f"missing.{rule.code}" for rule in RULES}
    words |= {f"missing.{rule.code}.next" for rule in RULES}
    for language in LANGUAGES.values():
        assert words <= set(language.texts), words - set(language.texts)


def test_every_collection_of_rest_has_pages() -> None:
    assert {kind.name for kind in KINDS} == {collection.kind for collection in COLLECTIONS}
    for kind in KINDS:
        assert set(kind.columns) <= set(kind.own_members), kind.name
        for entry in kind.collection.filters:
            assert f"{'filter' if entry.is_party else 'fact'}.{entry.name}" in DEFAULT.texts
        for language in LANGUAGES.values():
            assert f"list.{kind.name}.lead" in language.texts

"""Leaves that the sides of a period name, each with its proof under the root that it stated."""

import hashlib
import random

import pytest
from atesta_client.trees import Tree, build_tree
from eth_typing import Address
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.loader import load_artifact
from tests.contracts.contract_harness import (
    ADDRESSES,
    LABORATORY,
    NOTHING,
    Ledger,
    bureau,
    commission,
    laboratory,
    uid_of,
)
from tests.contracts.exchange_harness import EXCHANGE, act, build_ledger, refuse, request_standing

PERIOD = 202611
MISMATCHED = 3


def build_leaves(count: int) -> list[bytes]:
    return [hashlib.sha256(b"\0" + number.to_bytes(4, "big")).digest() for number in range(count)]


def begin(provider: Tree, requester: Tree) -> Ledger:
    """A ledger on which both sides have stated these leaves for one period."""
    ledger = build_ledger()
    request_standing(ledger)
    act(ledger, bureau, "begin_period", PERIOD)
    for sender, tree in ((bureau, provider), (laboratory, requester)):
        act(ledger, sender, "state_period", PERIOD, tree.size, tree.root)
    return ledger


def name(ledger: Ledger, sender: Address, tree: Tree, index: int) -> dict[str, object]:
    leaf, path = tree.levels[0][index], list(tree.compute_path(index))
    return dict(act(ledger, sender, "name_leaf", PERIOD, index, leaf, path).args)


def test_altered_leaf_is_named_by_both_sides() -> None:
    leaves = build_leaves(11)
    sent = build_tree(leaves)
    kept = build_tree([*leaves[:6], hashlib.sha256(b"altered").digest(), *leaves[7:]])
    ledger = begin(sent, kept)
    event = name(ledger, laboratory, kept, 6)
    assert (event["agency"], event["leaf"], event["is_missing"]) == (
        LABORATORY,
        kept.levels[0][6],
        False,
    )
    name(ledger, bureau, sent, 6)
    assert ledger.read("exchanges", "named_leaf", EXCHANGE, PERIOD, 6) == {
        "is_provider_named": True,
        "provider_leaf": sent.levels[0][6],
        "is_requester_named": True,
        "requester_leaf": kept.levels[0][6],
    }
    assert ledger.read("exchanges", "period_of", EXCHANGE, PERIOD)["named_leaves"] == 2


def test_missing_leaf_is_named_as_zero() -> None:
    leaves = build_leaves(9)
    sent, kept = build_tree(leaves), build_tree(leaves[:8])
    ledger = begin(sent, kept)
    for leaf, path in ((leaves[8], []), (NOTHING, [leaves[0]])):
        assert refuse(ledger, laboratory, "name_leaf", PERIOD, 8, leaf, path) == (
            "period: leaf is missing there"
        )
    event = act(ledger, laboratory, "name_leaf", PERIOD, 8, NOTHING, [])
    assert event.args["is_missing"]
    name(ledger, bureau, sent, 8)
    named = ledger.read("exchanges", "named_leaf", EXCHANGE, PERIOD, 8)
    assert (named["is_requester_named"], named["requester_leaf"]) == (True, NOTHING)
    assert (named["is_provider_named"], named["provider_leaf"]) == (True, leaves[8])


def test_leaf_of_nothing_received_is_missing() -> None:
    sent = build_tree(build_leaves(1))
    ledger = build_ledger()
    request_standing(ledger)
    act(ledger, bureau, "begin_period", PERIOD)
    act(ledger, bureau, "state_period", PERIOD, 1, sent.root)
    act(ledger, laboratory, "state_period", PERIOD, 0, NOTHING)
    act(ledger, laboratory, "name_leaf", PERIOD, 0, NOTHING, [])
    name(ledger, bureau, sent, 0)


def test_leaf_is_proved_under_the_callers_own_root() -> None:
    leaves = build_leaves(7)
    sent, kept = build_tree(leaves), build_tree([*leaves[:6], uid_of(9)])
    ledger = begin(sent, kept)
    own, other = kept.compute_path(6), sent.compute_path(6)
    refused = "period: leaf not under the root"
    for leaf, path in (
        (uid_of(8), own),  # another leaf
        (sent.levels[0][6], other),  # the other side's
        (uid_of(9), own[:-1]),  # too short
        (uid_of(9), (*own, uid_of(1))),  # too long
        (uid_of(9), tuple(reversed(own))),
        (kept.levels[1][3], own[1:]),  # a node that is no leaf
        (NOTHING, own),
    ):
        assert refuse(ledger, laboratory, "name_leaf", PERIOD, 6, leaf, list(path)) == refused
    # A leaf does not stand at another place.
    assert refuse(ledger, laboratory, "name_leaf", PERIOD, 5, uid_of(9), list(own)) == refused
    assert refuse(ledger, commission, "name_leaf", PERIOD, 6, uid_of(9), list(own)) == (
        "exchange: not yours"
    )
    assert refuse(ledger, laboratory, "name_leaf", PERIOD, 7, NOTHING, []) == (
        "period: no such leaf"
    )


def test_root_with_a_count_that_is_not_its_own_proves_nothing() -> None:
    """A side that states too many leaves cannot name one: its paths are too short for the count."""
    leaves = build_leaves(4)
    sent = build_tree(leaves)
    ledger = build_ledger()
    request_standing(ledger)
    act(ledger, bureau, "begin_period", PERIOD)
    act(ledger, bureau, "state_period", PERIOD, 8, sent.root)
    act(ledger, laboratory, "state_period", PERIOD, 4, sent.root)
    path = list(sent.compute_path(1))
    assert refuse(ledger, bureau, "name_leaf", PERIOD, 1, leaves[1], path) == (
        "period: leaf not under the root"
    )
    name(ledger, laboratory, sent, 1)


def test_leaf_that_is_the_same_is_not_named_by_both() -> None:
    leaves = build_leaves(4)
    sent, kept = build_tree(leaves), build_tree([*leaves[:3], uid_of(9)])
    ledger = begin(sent, kept)
    name(ledger, bureau, sent, 1)
    path = list(kept.compute_path(1))
    assert refuse(ledger, laboratory, "name_leaf", PERIOD, 1, leaves[1], path) == (
        "period: leaf is the same"
    )
    again = list(sent.compute_path(1))
    assert refuse(ledger, bureau, "name_leaf", PERIOD, 1, leaves[1], again) == (
        "period: leaf already named"
    )


def test_correction_takes_its_named_leaves_with_it() -> None:
    leaves = build_leaves(5)
    sent, kept = build_tree(leaves), build_tree([*leaves[:4], uid_of(9)])
    ledger = begin(sent, kept)
    name(ledger, laboratory, kept, 4)
    corrected = build_tree([*leaves[:4], uid_of(10)])
    event = act(ledger, laboratory, "state_period", PERIOD, 5, corrected.root)
    assert event.args["state"] == MISMATCHED
    named = ledger.read("exchanges", "named_leaf", EXCHANGE, PERIOD, 4)
    assert (named["is_requester_named"], named["requester_leaf"]) == (False, NOTHING)
    name(ledger, laboratory, corrected, 4)


def test_statement_is_no_longer_than_a_proof_reaches() -> None:
    leaves = build_leaves(2)
    sent, kept = build_tree(leaves), build_tree(leaves[:1])
    ledger = begin(sent, kept)
    assert refuse(ledger, bureau, "state_period", PERIOD, 2**32 + 1, sent.root) == (
        "period: count out of bounds"
    )
    act(ledger, bureau, "state_period", PERIOD, 2**32, sent.root)


def test_named_leaves_are_bounded() -> None:
    """A thousand and more are brought about by writing their number."""
    leaves = build_leaves(2)
    sent, kept = build_tree(leaves), build_tree([leaves[0], uid_of(9)])
    ledger = begin(sent, kept)
    base = int(load_artifact("exchanges").storage_layout["periods"]["_periods"]["slot"])
    of_exchange = keccak(base.to_bytes(32, "big") + EXCHANGE)
    period = int.from_bytes(keccak(of_exchange + PERIOD.to_bytes(32, "big")), "big")
    named = [*ledger.read("exchanges", "period_of", EXCHANGE, PERIOD)].index("named_leaves")
    ledger.state.set_slot(ADDRESSES["exchanges"], period + named, 1024)
    assert ledger.read("exchanges", "period_of", EXCHANGE, PERIOD)["named_leaves"] == 1024
    leaf, path = kept.levels[0][1], list(kept.compute_path(1))
    assert refuse(ledger, laboratory, "name_leaf", PERIOD, 1, leaf, path) == (
        "period: too many leaves named"
    )
    ledger.state.set_slot(ADDRESSES["exchanges"], period + named, 1023)
    name(ledger, laboratory, kept, 1)


@settings(max_examples=12, deadline=None)
@given(count=st.integers(1, 70), data=st.data())
def test_every_leaf_of_every_tree_is_proved(count: int, data: st.DataObject) -> None:
    """The contract and the client's library agree about paths, and about damaged ones."""
    leaves = build_leaves(count)
    tree = build_tree(leaves)
    ledger = begin(tree, build_tree([*leaves, uid_of(9)]))
    places = data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=4, unique=True))
    for index in places:
        path = list(tree.compute_path(index))
        if path:
            place = data.draw(st.integers(0, len(path) - 1))
            damaged = [*path[:place], uid_of(1), *path[place + 1 :]]
            assert refuse(ledger, bureau, "name_leaf", PERIOD, index, leaves[index], damaged) == (
                "period: leaf not under the root"
            )
        name(ledger, bureau, tree, index)


@pytest.mark.parametrize("seed", [1])
def test_leaf_of_fifty_thousand_is_named(seed: int) -> None:
    """One altered and one missing among 50,000, as the demonstration of the issue has it."""
    randomness = random.Random(seed)
    leaves = build_leaves(50_000)
    place = randomness.randrange(49_999)
    sent = build_tree(leaves)
    kept = build_tree([*leaves[:place], uid_of(9), *leaves[place + 1 : -1]])
    ledger = begin(sent, kept)
    for sender, tree in ((bureau, sent), (laboratory, kept)):
        name(ledger, sender, tree, place)
    act(ledger, laboratory, "name_leaf", PERIOD, 49_999, NOTHING, [])
    path = list(sent.compute_path(49_999))
    outcome = ledger.send(
        bureau,
        "exchanges",
        "name_leaf",
        [EXCHANGE, PERIOD, 49_999, leaves[-1], path, ledger.now],
    )
    assert outcome.succeeded
    assert outcome.gas_used < 300_000

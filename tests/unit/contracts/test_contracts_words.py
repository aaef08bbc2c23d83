"""Values of fixed size: read as eth_abi reads them, and refused where it refuses them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_canonical_address
from hypothesis import given
from hypothesis import strategies as st

from contracts.loader import list_artifacts, load_artifact
from contracts.words import build_reader

Entry = dict[str, Any]

SMALL = st.integers(0, 300).map(lambda number: number.to_bytes(32, "big"))
LEFT = st.binary(max_size=32).map(lambda value: value.ljust(32, b"\0"))
RIGHT = st.binary(max_size=20).map(lambda value: value.rjust(32, b"\0"))
WORDS = st.one_of(SMALL, LEFT, RIGHT, st.binary(min_size=32, max_size=32))

SHAPES: list[list[Entry]] = [
    list(part)
    for name in list_artifacts()
    for entry in load_artifact(name).abi
    for part in (entry.get("inputs", []), entry.get("outputs", []))
    if part and build_reader(part) is not None
]
TRUTHS: list[Entry] = [{"name": "a", "type": "bool"}, {"name": "b", "type": "bytes4"}]


def read_generally(entries: Sequence[Mapping[str, Any]], data: bytes) -> tuple[Any, ...]:
    """Decode with eth_abi, then name the fields of structs and write addresses as bytes."""

    def rewrite(entry: Mapping[str, Any], value: Any) -> Any:
        if entry["type"] == "tuple":
            pairs = zip(entry["components"], value, strict=True)
            return {item["name"]: rewrite(item, part) for item, part in pairs}
        return to_canonical_address(value) if entry["type"] == "address" else value

    values = decode([collapse_if_tuple(dict(entry)) for entry in entries], data)
    return tuple(rewrite(entry, value) for entry, value in zip(entries, values, strict=True))


@given(shape=st.sampled_from([TRUTHS, *SHAPES]), data=st.data())
def test_fixed_values_are_read_as_eth_abi_reads_them(
    shape: list[Entry], data: st.DataObject
) -> None:
    reader = build_reader(shape)
    assert reader is not None
    words = data.draw(st.lists(WORDS, min_size=0, max_size=40))
    encoded = b"".join(words) + data.draw(st.binary(max_size=31))
    try:
        expected = read_generally(shape, encoded)
    except DecodingError:
        with pytest.raises(DecodingError):
            reader(encoded)
    else:
        assert reader(encoded) == expected


@pytest.mark.parametrize("kind", ["bytes", "string", "uint256[]", "bytes32[2]", "int8", "function"])
def test_values_without_fixed_reading_are_left_to_eth_abi(kind: str) -> None:
    assert build_reader([{"name": "a", "type": "uint8"}, {"name": "b", "type": kind}]) is None
    inner = {"name": "a", "type": "tuple", "components": [{"name": "b", "type": kind}]}
    assert build_reader([inner]) is None


def test_most_of_what_the_contracts_say_has_a_fixed_size() -> None:
    events = [
        entry["inputs"]
        for name in list_artifacts()
        for entry in load_artifact(name).abi
        if entry["type"] == "event"
    ]
    assert sum(build_reader(entry) is not None for entry in events) > 0.9 * len(events)

"""The genesis file: read in Besu's format, or refused by the name of the key."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.chain.backends import assert_fast_backends
from node.chain.blockchain import Blockchain
from node.chain.errors import GenesisInvalid, SlowBackend
from node.chain.genesis import load_genesis, parse_genesis
from node.chain.receipts import (
    Log,
    Receipt,
    compute_bloom,
    decode_stored_receipts,
    encode_receipt,
    encode_stored_receipts,
    is_in_bloom,
)
from node.storage.errors import StoreDamaged
from node.storage.memory import MemoryStore
from tests.unit.chain.chain_world import VALIDATORS, make_document

PROJECT = Path(__file__).resolve().parents[3]


def test_committed_genesis_opens_with_its_validators() -> None:
    genesis = load_genesis(PROJECT / "genesis.json")
    chain = Blockchain.open(MemoryStore(), genesis)
    assert genesis.qbft.is_contract_mode
    assert len(chain.get_validators(chain.head)) == 4
    assert chain.get_validators(chain.head) == tuple(sorted(chain.get_validators(chain.head)))
    chain.close()


def test_genesis_is_read_whatever_the_spelling_of_its_numbers() -> None:
    document = make_document()
    genesis = parse_genesis(document)
    document["config"]["londonBlock"] = "0x0"
    document["gasLimit"] = "30000000"
    document["alloc"] = {key[2:].upper(): value for key, value in document["alloc"].items()}
    assert parse_genesis(document) == genesis


def test_genesis_of_header_votes_names_its_validators() -> None:
    genesis = parse_genesis(make_document(is_header_vote=True))
    chain = Blockchain.open(MemoryStore(), genesis)
    assert chain.get_validators(chain.head) == tuple(key.address for key in VALIDATORS[:4])
    chain.close()


def change(path: str, value: Any) -> dict[str, Any]:
    document = make_document()
    place = document
    *parents, last = path.split(".")
    for name in parents:
        place = place[name]
    if value is None:
        place.pop(last, None)
    else:
        place[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("config", None, "config"),
        ("config.chainId", None, "config.chainId"),
        ("config.chainId", "many", "config.chainId"),
        ("config.chainId", True, "config.chainId"),
        ("config.zeroBaseFee", None, "config.zeroBaseFee"),
        ("config.zeroBaseFee", False, "config.zeroBaseFee"),
        ("config.cancunTime", None, "config.cancunTime"),
        ("config.cancunTime", 5, "config.cancunTime"),
        ("config.pragueTime", 0, "config.pragueTime"),
        ("config.qbft", None, "config.qbft"),
        ("config.qbft.blockperiodseconds", 0, "config.qbft.blockperiodseconds"),
        ("mixHash", "0x" + "00" * 32, "mixHash"),
        ("difficulty", "0x2", "difficulty"),
        ("nonce", "0x1", "nonce"),
        ("baseFeePerGas", None, "baseFeePerGas"),
        ("baseFeePerGas", "0x7", "baseFeePerGas"),
        ("gasLimit", "0x1", "gasLimit"),
        ("gasLimit", "-5", "gasLimit"),
        ("extraData", "hello", "extraData"),
        ("alloc.0x1234", {}, "alloc.0x1234"),
        ("alloc." + "11" * 20, {"code": "zz"}, "alloc." + "11" * 20 + ".code"),
        ("alloc." + "11" * 20, {"balance": "0x1" + "0" * 64}, "alloc." + "11" * 20 + ".balance"),
    ],
)
def test_bad_genesis_is_refused_by_the_name_of_its_key(path: str, value: Any, field: str) -> None:
    with pytest.raises(GenesisInvalid) as caught:
        parse_genesis(change(path, value))
    assert caught.value.field == field


def test_genesis_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(GenesisInvalid, match="cannot be read"):
        load_genesis(tmp_path / "none.json")
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(GenesisInvalid, match="not JSON"):
        load_genesis(broken)
    broken.write_text(json.dumps([1]))
    with pytest.raises(GenesisInvalid, match="genesis"):
        load_genesis(broken)


def test_compiled_backends_are_in_force() -> None:
    assert_fast_backends()


@pytest.mark.parametrize(
    ("module", "name"), [("eth.precompiles.blake2", "blake2b_compress"), ("rlp.codec", "rusty_rlp")]
)
def test_slow_backend_is_refused(module: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from eth._utils.blake2.compression import blake2b_compress

    monkeypatch.setattr(f"{module}.{name}", blake2b_compress)
    with pytest.raises(SlowBackend):
        assert_fast_backends()


logs = st.builds(
    Log,
    address=st.binary(min_size=20, max_size=20),
    topics=st.lists(st.binary(min_size=32, max_size=32), max_size=4).map(tuple),
    data=st.binary(max_size=80),
)


@given(
    items=st.lists(
        st.tuples(
            st.sampled_from([0, 1, 2]), st.booleans(), st.lists(logs, max_size=3), st.booleans()
        ),
        max_size=4,
    )
)
def test_receipts_survive_their_stored_form(
    items: list[tuple[int, bool, list[Log], bool]],
) -> None:
    receipts = tuple(
        Receipt(
            type=kind,
            status=int(is_success),
            cumulative_gas_used=21_000 * (index + 1),
            gas_used=21_000,
            logs=tuple(found),
            logs_bloom=compute_bloom(found),
            contract_address=VALIDATORS[0].address if is_create else None,
        )
        for index, (kind, is_success, found, is_create) in enumerate(items)
    )
    assert decode_stored_receipts(encode_stored_receipts(receipts)) == receipts
    for receipt in receipts:
        assert encode_receipt(receipt)[0] == receipt.type or not receipt.type
        for log in receipt.logs:
            assert is_in_bloom(receipt.logs_bloom, log.address)
            assert all(is_in_bloom(receipt.logs_bloom, topic) for topic in log.topics)


def test_damaged_receipts_are_named_as_damage() -> None:
    with pytest.raises(StoreDamaged):
        decode_stored_receipts(b"\xc1\xc0")

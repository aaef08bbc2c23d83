"""Genesis files for any group, and the specifications from which none can be made."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_typing import Address, Hash32
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.addresses import (
    IMPLEMENTATION_SLOT,
    IMPLEMENTATIONS,
    PROXIES,
    REGISTRY,
    SET_NUMBER_SLOT,
)
from contracts.codec import decode_output, encode_call
from contracts.codes import Role
from contracts.development import build_development_spec, list_development_agencies
from contracts.errors import FoundingFailed, GenesisSpecError
from contracts.genesis import build_genesis, encode_extra_data, found_ledger
from contracts.genesis_spec import AccountSpec, AgencySpec, GenesisSpec, QbftSpec, validate_spec
from contracts.scratch import ScratchState
from contracts.testkeys import get_address

GENESIS = Path(__file__).parents[3] / "genesis.json"
MEMBER = Role.ADMIN | Role.GOVERN


def build_agency(number: int, *, validators: int = 1, jurisdictions: int = 2) -> AgencySpec:
    def word(kind: int) -> bytes:
        return bytes([kind]) + number.to_bytes(31, "big")

    return AgencySpec(
        agency_id=Hash32(word(1)),
        jurisdiction=Hash32(bytes([2] * 31 + [number % jurisdictions])),
        profile_hash=Hash32(word(3)),
        roles=MEMBER | Role.ISSUE,
        accounts=(AccountSpec(address=Address(word(4)[:1] + word(4)[-19:]), roles=MEMBER),),
        validators=tuple(
            Address(bytes([0xFF - place]) + word(5)[-19:]) for place in range(validators)
        ),
        tls_pins=(Hash32(word(6)),),
    )


def build_spec(agencies: int, **changes: Any) -> GenesisSpec:
    spec = GenesisSpec(chain_id=7, agencies=tuple(build_agency(n) for n in range(agencies)))
    return replace(spec, **changes)


def load(document: dict[str, Any]) -> ScratchState:
    """Read a genesis document back, as a node would."""
    state = ScratchState(
        chain_id=document["config"]["chainId"],
        timestamp=int(document["timestamp"], 16) + 1,
        block_number=1,
    )
    for address, account in document["alloc"].items():
        state.put(
            Address(bytes.fromhex(address[2:])),
            code=bytes.fromhex(account["code"][2:]),
            nonce=int(account["nonce"], 16),
            storage={int(k, 16): int(v, 16) for k, v in account.get("storage", {}).items()},
        )
    return state


def ask(state: ScratchState, function: str, *args: Any) -> Any:
    outcome = state.read(REGISTRY, encode_call("agency_registry", function, args))
    assert outcome.succeeded, outcome.reason
    return decode_output("agency_registry", function, outcome.output)


def test_committed_genesis_has_the_keys_that_besu_reads() -> None:
    document = json.loads(GENESIS.read_text(encoding="utf-8"))
    config = document["config"]
    assert config["zeroBaseFee"] is True
    assert config["londonBlock"] == config["shanghaiTime"] == config["cancunTime"] == 0
    assert config["qbft"] == {
        "blockperiodseconds": 1,
        "epochlength": 30000,
        "requesttimeoutseconds": 4,
        "emptyblockperiodseconds": 5,
        "validatorcontractaddress": "0x0000000000000000000000000000000000a7e501",
    }
    assert document["nonce"] == "0x0"
    assert document["difficulty"] == "0x1"
    assert document["gasLimit"] == "0x1c9c380"
    assert document["baseFeePerGas"] == "0x0"
    # RLP [32 zero bytes, [], no vote, round 0, []]
    assert document["extraData"] == "0xe5a0" + 64 * "0" + "c0c080c0"
    assert len(document["alloc"]) == 2 * len(PROXIES) + 1


def test_header_vote_genesis_names_the_validators_in_its_header() -> None:
    spec = build_development_spec(is_header_vote=True)
    document = build_genesis(spec)
    assert "validatorcontractaddress" not in document["config"]["qbft"]
    validators = sorted(get_address(number, "validator") for number in (1, 2, 3, 4))
    assert document["extraData"] == "0x" + encode_extra_data(validators).hex()
    assert encode_extra_data([Address(b"\1" * 20)]).hex() == (
        "f83a" + "a0" + 64 * "0" + "d594" + 20 * "01" + "c080c0"
    )


@pytest.mark.parametrize("count", range(1, 11))
def test_development_ledger_is_made_for_one_to_ten_agencies(count: int) -> None:
    state = load(build_genesis(build_development_spec(count)))
    assert ask(state, "agency_count") == count
    assert set(ask(state, "getValidators")) == {
        get_address(number, "validator") for number in range(1, count + 1)
    }
    # However few, somebody issues, owns schemas, audits and may deploy.
    roles = Role(0)
    for agency in list_development_agencies(count):
        roles |= agency.roles
    assert roles == Role(511)


@pytest.mark.parametrize("count", [0, 11])
def test_development_ledger_of_another_size_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 10"):
        list_development_agencies(count)


@settings(max_examples=5)
@given(agencies=st.integers(1, 12), header_vote=st.booleans())
def test_genesis_is_reproducible_and_reads_back(agencies: int, header_vote: bool) -> None:
    spec = build_spec(agencies, is_header_vote=header_vote)
    document = build_genesis(spec)
    assert build_genesis(spec) == document
    state = load(json.loads(json.dumps(document)))
    assert ask(state, "is_founded")
    assert ask(state, "agency_count") == agencies
    validators = sorted(v for agency in spec.agencies for v in agency.validators)
    assert list(ask(state, "getValidators")) == validators
    assert state.get_slot(REGISTRY, SET_NUMBER_SLOT) == 1
    for index, agency in enumerate(spec.agencies):
        assert ask(state, "agency_at", index) == agency.agency_id
        assert ask(state, "agency", agency.agency_id)["profile_hash"] == agency.profile_hash
        account = agency.accounts[0]
        assert ask(state, "key", account.address)["roles"] == account.roles
        assert ask(state, "pin", agency.tls_pins[0])["agency"] == agency.agency_id
    for proxy in PROXIES:
        assert state.get_slot(proxy, IMPLEMENTATION_SLOT) == int.from_bytes(
            IMPLEMENTATIONS[proxy], "big"
        )


def test_genesis_is_made_for_sixty_four_agencies_and_validators() -> None:
    state = load(build_genesis(build_spec(64, minimum_validators=64)))
    assert len(ask(state, "getValidators")) == 64
    assert ask(state, "minimum_validators") == 64


def test_genesis_takes_the_rules_of_the_group() -> None:
    qbft = QbftSpec(
        block_period_s=2,
        block_period_ms=250,
        empty_block_period_s=0,
        epoch_length=100,
        request_timeout_s=9,
    )
    document = build_genesis(
        build_spec(2, qbft=qbft, gas_limit=8_000_000, timestamp=5, chain_id=99)
    )
    assert document["config"]["qbft"] == {
        "blockperiodseconds": 2,
        "epochlength": 100,
        "requesttimeoutseconds": 9,
        "xblockperiodmilliseconds": 250,
        "validatorcontractaddress": "0x" + REGISTRY.hex(),
    }
    assert document["config"]["chainId"] == 99
    assert document["gasLimit"] == hex(8_000_000)
    assert document["timestamp"] == "0x5"


def change_agency(spec: GenesisSpec, index: int, **changes: Any) -> GenesisSpec:
    agencies = list(spec.agencies)
    agencies[index] = replace(agencies[index], **changes)
    return replace(spec, agencies=tuple(agencies))


SPEC = build_spec(3)
FIRST = SPEC.agencies[0]
ADMIN = FIRST.accounts[0]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (replace(SPEC, chain_id=0), "chain_id"),
        (replace(SPEC, chain_id=2**53), "chain_id"),
        (build_spec(3, chain_id="7"), "chain_id"),
        (replace(SPEC, chain_id=True), "chain_id"),
        (replace(SPEC, agencies=()), "agencies"),
        (build_spec(65), "agencies"),
        (replace(SPEC, gas_limit=4_999_999), "gas_limit"),
        (replace(SPEC, timestamp=-1), "timestamp"),
        (build_spec(3, is_header_vote="no"), "is_header_vote"),
        (replace(SPEC, minimum_validators=4), "minimum_validators"),
        (replace(SPEC, minimum_validators=0), "minimum_validators"),
        (replace(SPEC, qbft=QbftSpec(block_period_s=0)), "qbft.block_period_s"),
        (replace(SPEC, qbft=QbftSpec(block_period_ms=0)), "qbft.block_period_ms"),
        (replace(SPEC, qbft=QbftSpec(request_timeout_s=0)), "qbft.request_timeout_s"),
        (replace(SPEC, qbft=QbftSpec(epoch_length=0)), "qbft.epoch_length"),
        (replace(SPEC, qbft=QbftSpec(empty_block_period_s=-1)), "qbft.empty_block_period_s"),
        (
            replace(SPEC, qbft=QbftSpec(block_period_s=9, empty_block_period_s=8)),
            "qbft.empty_block_period_s",
        ),
        (change_agency(SPEC, 1, agency_id=b"short"), "agencies[1].agency_id"),
        (change_agency(SPEC, 1, agency_id=bytes(32)), "agencies[1].agency_id"),
        (change_agency(SPEC, 1, agency_id=FIRST.agency_id), "agencies[1].agency_id"),
        (change_agency(SPEC, 0, jurisdiction=bytes(32)), "agencies[0].jurisdiction"),
        (change_agency(SPEC, 0, profile_hash=b""), "agencies[0].profile_hash"),
        (change_agency(SPEC, 0, roles=Role(0)), "agencies[0].roles"),
        (change_agency(SPEC, 0, roles=512), "agencies[0].roles"),
        (change_agency(SPEC, 0, accounts=()), "agencies[0].accounts"),
        (
            change_agency(SPEC, 0, accounts=(replace(ADMIN, roles=Role.ADMIN),)),
            "agencies[0].accounts",
        ),
        (
            change_agency(SPEC, 0, accounts=(replace(ADMIN, roles=Role.GOVERN),)),
            "agencies[0].accounts",
        ),
        (
            change_agency(SPEC, 0, accounts=(replace(ADMIN, roles=MEMBER | Role.AUDIT),)),
            "agencies[0].accounts[0].roles",
        ),
        (
            change_agency(SPEC, 0, accounts=(replace(ADMIN, address=Address(bytes(20))),)),
            "agencies[0].accounts[0].address",
        ),
        (
            change_agency(SPEC, 1, accounts=(ADMIN,)),
            "agencies[1].accounts[0].address",
        ),
        (
            change_agency(SPEC, 1, validators=(ADMIN.address,)),
            "agencies[1].validators[0]",
        ),
        (change_agency(SPEC, 1, validators=(b"\1" * 19,)), "agencies[1].validators[0]"),
        (change_agency(SPEC, 1, tls_pins=(b"\1" * 31,)), "agencies[1].tls_pins[0]"),
        (change_agency(SPEC, 1, tls_pins=FIRST.tls_pins), "agencies[1].tls_pins[0]"),
        (change_agency(SPEC, 1, tls_pins=(b"\1" * 32,) * 17), "agencies[1].tls_pins"),
        (
            GenesisSpec(chain_id=1, agencies=(build_agency(1, validators=0),)),
            "agencies",
        ),
        (
            GenesisSpec(chain_id=1, agencies=(build_agency(1, validators=65),)),
            "agencies",
        ),
        (
            GenesisSpec(
                chain_id=1,
                agencies=tuple(build_agency(n, jurisdictions=33) for n in range(33)),
            ),
            "agencies",
        ),
    ],
)
def test_specification_that_will_not_do_names_its_field(spec: GenesisSpec, field: str) -> None:
    with pytest.raises(GenesisSpecError) as caught:
        build_genesis(spec)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


def test_agency_without_a_node_of_its_own_is_welcome() -> None:
    spec = change_agency(SPEC, 1, validators=(), tls_pins=())
    validate_spec(spec)
    state = load(build_genesis(spec))
    assert len(ask(state, "getValidators")) == 2
    assert ask(state, "pin_count") == 2


def test_refusal_by_the_contracts_themselves_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contracts.genesis.validate_spec", lambda _: None)
    with pytest.raises(FoundingFailed, match="agency: already admitted"):
        found_ledger(change_agency(SPEC, 1, agency_id=FIRST.agency_id))
    scratch = ScratchState(chain_id=1, timestamp=1)
    with pytest.raises(FoundingFailed, match="constructor"):
        scratch.create(Address(b"\1" * 20), bytes.fromhex("5f5ffd"))

"""The registry as the node reads it, on the real contract at genesis."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from consensus.header import BlockHeader
from consensus.types import Address
from contracts.codes import Role
from contracts.development import build_development_spec, list_development_agencies
from contracts.genesis import build_genesis
from contracts.labels import encode_label
from contracts.testkeys import get_address, get_tls_pin
from node.chain.blockchain import Blockchain
from node.chain.deadline import Deadline
from node.chain.genesis import load_genesis
from node.chain.registry import RegistryView
from node.chain.results import CallRequest, CallResult
from node.storage.memory import MemoryStore

AGENCIES = 4


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Blockchain:
    path: Path = tmp_path_factory.mktemp("registry") / "genesis.json"
    path.write_text(json.dumps(build_genesis(build_development_spec(AGENCIES))))
    return Blockchain.open(MemoryStore(), load_genesis(path))


@pytest.fixture(scope="module")
def registry(chain: Blockchain) -> RegistryView:
    return RegistryView(chain)


def test_registry_knows_who_may_send(registry: RegistryView) -> None:
    assert registry.may_send(get_address(1, "account"))
    assert registry.may_send(get_address(1, "clerk"))
    assert registry.may_send(get_address(2, "deployer"))
    assert not registry.may_send(get_address(1, "validator"))
    assert not registry.may_send(get_address(9, "account"))
    assert not registry.may_send(Address(bytes(20)))


def test_registry_knows_who_may_deploy(registry: RegistryView) -> None:
    assert registry.may_deploy(get_address(2, "deployer"))
    assert not registry.may_deploy(get_address(1, "account"))
    assert not registry.may_deploy(get_address(9, "deployer"))


def test_registry_tables_name_every_agency_validator_key_and_pin(registry: RegistryView) -> None:
    tables = registry.get_tables()
    labels = [agency.label for agency in list_development_agencies(AGENCIES)]
    assert [agency.label for agency in tables.agencies.values()] == labels
    assert all(agency.is_active for agency in tables.agencies.values())
    bureau = encode_label(labels[1])
    assert Role.DEPLOY in tables.agencies[bureau].roles
    assert tables.get_validators_of(bureau) == {get_address(2, "validator")}
    assert get_address(2, "deployer") in tables.keys[bureau]
    assert {pin.fingerprint for pin in tables.pins} == {
        get_tls_pin(number) for number in range(1, AGENCIES + 1)
    }
    assert registry.get_tables() is tables


def test_registry_answers_though_the_process_stood_still(
    chain: Blockchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between question and answer an hour passes, as when a machine sleeps; gas still bounds it."""
    ask = chain.call

    def sleep_and_ask(
        request: CallRequest, header: BlockHeader, *, deadline: Deadline
    ) -> CallResult:
        assert request.gas is not None
        assert request.gas < header.gas_limit
        late = replace(deadline, clock=lambda: deadline.clock() + 3_600)
        return ask(request, header, deadline=late)

    monkeypatch.setattr(chain, "call", sleep_and_ask)
    registry = RegistryView(chain)
    assert registry.may_send(get_address(1, "account"))
    assert len(registry.get_tables().agencies) == AGENCIES


def test_network_without_a_registry_permits_nobody(tmp_path: Path) -> None:
    document = build_genesis(build_development_spec(1, is_header_vote=True))
    document["alloc"] = {}
    path = tmp_path / "genesis.json"
    path.write_text(json.dumps(document))
    registry = RegistryView(Blockchain.open(MemoryStore(), load_genesis(path)))
    assert not registry.may_send(get_address(1, "account"))
    assert registry.get_tables().agencies == {}

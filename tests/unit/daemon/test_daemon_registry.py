"""The registry as the node reads it, on the real contract at genesis."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from consensus.header import BlockHeader
from consensus.types import Address, Hash32
from contracts.addresses import REGISTRY
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
from node.chain.state_view import StateView
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


def count_calls(chain: Blockchain, monkeypatch: pytest.MonkeyPatch) -> list[CallRequest]:
    """Return a list that grows with every call of a contract."""
    calls: list[CallRequest] = []
    ask = chain.call

    def note_and_ask(
        request: CallRequest, header: BlockHeader, *, deadline: Deadline
    ) -> CallResult:
        calls.append(request)
        return ask(request, header, deadline=deadline)

    monkeypatch.setattr(chain, "call", note_and_ask)
    return calls


def test_flood_of_strangers_costs_no_call_of_the_contract(
    chain: Blockchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = RegistryView(chain)
    registry.get_tables()
    calls = count_calls(chain, monkeypatch)
    strangers = [Address(number.to_bytes(20, "big")) for number in range(1, 500)]
    assert not any(registry.may_send(account) for account in strangers)
    assert not any(registry.may_deploy(account) for account in strangers)
    assert calls == []
    assert all(registry.may_send(get_address(1, "account")) for _ in range(5))
    assert len(calls) == 1


def test_tables_of_an_earlier_registry_refuse_nobody(
    chain: Blockchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key entered since the tables were read is asked of the contract itself."""
    registry = RegistryView(chain)
    registry.get_tables()
    calls = count_calls(chain, monkeypatch)
    account = chain.state_at(chain.head).get_account(REGISTRY)
    assert account is not None
    changed = account._replace(storage_root=Hash32(b"\x01" * 32))
    monkeypatch.setattr(StateView, "get_account", lambda _view, _address: changed)
    assert not registry.may_send(Address(b"\x05" * 20))
    assert len(calls) == 1


def test_network_without_a_registry_permits_nobody(tmp_path: Path) -> None:
    document = build_genesis(build_development_spec(1, is_header_vote=True))
    document["alloc"] = {}
    path = tmp_path / "genesis.json"
    path.write_text(json.dumps(document))
    registry = RegistryView(Blockchain.open(MemoryStore(), load_genesis(path)))
    assert not registry.may_send(get_address(1, "account"))
    assert registry.get_tables().agencies == {}

"""The story of three ledgers: who is on which, and the whole of it with real node processes."""

from pathlib import Path

import pytest

from contracts.testkeys import get_address
from node.chain.genesis import load_genesis
from node.cli.devnet import DevnetNode, DevnetOptions, make_devnet
from node.settings import load_settings
from scripts.demos.databases import ENGINES
from scripts.demos.ledger_stage import (
    EDUCATION,
    GUANGDONG,
    HOUSING,
    MACAO,
    OWN_POINTERS,
    PLANS,
    SHARED,
    serve_both,
)
from tests.unit.demo.demo_runs import run_demo


def test_ledgers_share_no_key_no_chain_id_and_no_form() -> None:
    keys = [
        get_address(plan.first_key + place, "validator")
        for plan in PLANS
        for place in range(len(plan.parties))
    ]
    assert len(set(keys)) == len(keys) == 5
    assert len({plan.chain_id for plan in PLANS}) == 3
    assert len(set(OWN_POINTERS.values())) == 3


def test_agencies_of_one_side_are_not_on_the_other_sides_ledger() -> None:
    by_name = {plan.name: plan for plan in PLANS}
    assert by_name[MACAO].jurisdictions == ("MO",)
    assert by_name[GUANGDONG].jurisdictions == ("CN-GD",)
    assert by_name["shared"].jurisdictions == ("CN-GD", "MO")
    assert EDUCATION not in by_name[MACAO].parties
    assert HOUSING not in by_name["shared"].parties


def test_ledgers_of_a_devnet_differ_in_genesis_though_the_members_are_the_same(
    tmp_path: Path,
) -> None:
    genesis = []
    for chain_id, first_key in ((20_261, 1), (20_262, 2)):
        options = DevnetOptions(agencies=1, chain_id=chain_id, first_key=first_key)
        devnet = make_devnet(tmp_path / str(chain_id), options)
        assert [node.number for node in devnet.nodes] == [first_key]
        genesis.append(devnet.genesis_file.read_text(encoding="utf-8"))
        assert f'"chainId": {chain_id}' in genesis[-1]
    first = get_address(1, "validator").hex()
    assert first in genesis[0].lower()
    assert first not in genesis[1].lower()


def make_nodes(folder: Path) -> list[DevnetNode]:
    """Make a node of Macao's own ledger and one of the shared ledger."""
    return [
        make_devnet(
            folder / name, DevnetOptions(agencies=1, chain_id=chain_id, first_key=first_key)
        ).nodes[0]
        for name, chain_id, first_key in ((MACAO, 20_261, 1), (SHARED, 20_262, 2))
    ]


def test_one_api_serves_both_ledgers_with_the_only_vault(tmp_path: Path) -> None:
    own, shared = make_nodes(tmp_path)
    serve_both(own, shared)
    api = load_settings(own.settings_file).api
    (further,) = api.ledgers
    assert further.database_url is None
    assert (api.ledger_name, further.name, further.rpc_url) == (MACAO, SHARED, shared.url)
    genesis = load_genesis(shared.folder / "genesis.json").genesis_hash
    assert further.genesis_hash == "0x" + genesis.hex()
    assert further.account_key_files[0].is_relative_to(shared.folder)
    assert api.vault_key_file is not None
    other = load_settings(shared.settings_file).api
    assert (other.vault_key_file, other.account_key_files, other.ledgers) == (None, (), ())


def test_further_ledger_is_kept_in_the_database_that_it_is_given(tmp_path: Path) -> None:
    own, shared = make_nodes(tmp_path)
    url = "postgresql+psycopg://atesta@/shared?host=/run/a"
    serve_both(own, shared, database_url=url)
    (further,) = load_settings(own.settings_file).api.ledgers
    assert further.database_url == url


@pytest.mark.processes
@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
def test_demo_of_ledgers_ends_ok_finds_nothing_across_and_leaves_nothing(
    tmp_path: Path, engine: str
) -> None:
    ran = run_demo("ledgers", tmp_path, "--database", engine, ends="demo: ok")
    told = " ".join(ran.split())
    assert "0 found at Guangdong" in told
    assert "carrying needs no issuer" in told
    assert "has one API and one vault over macao and shared" in told
    assert "without her, the API refuses" in told
    assert "erased on macao and on shared" in told
    assert "cannot say: no node here holds the ledger" in told
    assert list(tmp_path.iterdir()) == []

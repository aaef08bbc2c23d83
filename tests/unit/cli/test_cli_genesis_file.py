"""Founding documents: joined from several files, every mistake with its key."""

from pathlib import Path

import pytest
from eth_typing import Address, Hash32

from contracts.codes import Role
from contracts.genesis_spec import GovernanceSpec
from contracts.labels import encode_label
from node.cli.genesis_file import FoundingInvalid, format_agency, read_founding

ACCOUNT = Address(b"\x11" * 20)
VALIDATOR = Address(b"\x22" * 20)
PIN = Hash32(b"\x33" * 32)

BLOCK = format_agency(
    label="mo-health-bureau",
    jurisdiction="MO",
    roles=Role.ADMIN | Role.GOVERN | Role.ISSUE,
    account=ACCOUNT,
    validator=VALIDATOR,
    pin=PIN,
)


@pytest.fixture
def agency_file(tmp_path: Path) -> Path:
    path = tmp_path / "agency.toml"
    path.write_text(BLOCK)
    return path


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "group.toml"
    path.write_text(text)
    return path


def test_founding_joins_group_and_agencies(tmp_path: Path, agency_file: Path) -> None:
    group = write(tmp_path, "chain_id = 4021\n[qbft]\nblock_period_s = 2\n")
    spec = read_founding([group, agency_file])
    assert spec.chain_id == 4021
    assert spec.qbft.block_period_s == 2
    (agency,) = spec.agencies
    assert agency.agency_id == encode_label("mo-health-bureau")
    assert agency.validators == (VALIDATOR,)
    assert agency.tls_pins == (PIN,)
    assert agency.accounts[0].address == ACCOUNT
    assert agency.accounts[0].roles == agency.roles == Role.ADMIN | Role.GOVERN | Role.ISSUE


def test_founding_reads_the_rules_of_deciding(tmp_path: Path, agency_file: Path) -> None:
    rules = "urgent_delay_s = 60\ngrave_delay_s = 600\nordinary_delay_s = 60\ntotal_percent = 66\n"
    group = write(tmp_path, f"chain_id = 4021\n[governance]\n{rules}")
    assert read_founding([group, agency_file]).governance == GovernanceSpec(
        urgent_delay_s=60, ordinary_delay_s=60, grave_delay_s=600, total_percent=66
    )
    group = write(tmp_path, "chain_id = 4021\n")
    assert read_founding([group, agency_file]).governance == GovernanceSpec()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("chain_id = 1", "chain = 1"), "chain_id"),
        (("chain_id = 1", "chain_id = 1\ncolour = 2"), "colour"),
        (("chain_id = 1", "chain_id = 1\nqbft = 3"), "qbft"),
        (("chain_id = 1", "chain_id = 1\nqbft = { period = 3 }"), "qbft.period"),
        (("chain_id = 1", "chain_id = 1\ngovernance = { delay = 3 }"), "governance.delay"),
        (('label = "mo', 'label = "-mo'), "agencies[0].label"),
        (('jurisdiction = "MO"', ""), "agencies[0].jurisdiction"),
        (('roles = ["ADMIN"', 'roles = ["KING"'), "agencies[0].roles"),
        (("0x2222", "0x22"), "agencies[0].validators[0]"),
        (("0x3333", "0xzz33"), "agencies[0].tls_pins[0]"),
        (("0x1111", "1111"), "agencies[0].accounts[0].address"),
    ],
)
def test_founding_names_the_key(tmp_path: Path, change: tuple[str, str], field: str) -> None:
    text = ("chain_id = 1\n" + BLOCK).replace(change[0], change[1], 1)
    if field.endswith("address"):
        text = text.replace("111111", "1111", 1)
    with pytest.raises(FoundingInvalid) as caught:
        read_founding([write(tmp_path, text)])
    assert caught.value.field == field


def test_founding_refuses_a_rule_given_twice(tmp_path: Path, agency_file: Path) -> None:
    first, second = tmp_path / "a.toml", tmp_path / "b.toml"
    first.write_text("chain_id = 1\n")
    second.write_text("chain_id = 2\n")
    with pytest.raises(FoundingInvalid, match="chain_id: is given twice"):
        read_founding([first, second, agency_file])

"""The deployment file that an operator gives, and the settings that go with it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_typing import Address, Hash32

from api.networks.fees import GWEI
from contracts.deployment import (
    Deployment,
    begin_deployment,
    encode_deployment,
    make_plan,
)
from contracts.development import build_development_spec
from node.daemon.foreign_files import find_behind, make_foreign, read_deployment, read_token
from node.errors import UserFault
from node.keys import write_secret_file
from node.settings import Settings, SettingsError, parse_settings


def make_deployment(*, is_complete: bool = True) -> Deployment:
    plan = make_plan(
        build_development_spec(1),
        genesis_hash=Hash32(b"\x01" * 32),
        founder=Address(b"\x02" * 20),
        first_nonce=0,
    )
    begun = begin_deployment(plan, first_block=12)
    if not is_complete:
        return begun
    return replace(begun, steps=tuple(replace(step, block=13) for step in begun.steps))


def parse(folder: Path, **foreign: Any) -> Settings:
    return parse_settings({"foreign": foreign}, folder=folder)


def test_operator_says_what_to_believe_and_to_pay(tmp_path: Path) -> None:
    file = tmp_path / "contracts.json"
    deployment = make_deployment()
    file.write_text(encode_deployment(deployment), encoding="utf-8")
    network = make_foreign(parse(tmp_path), file).describe()
    assert network.book == deployment.book
    assert (network.finality.tag, network.finality.is_final) == ("finalized", False)
    assert (network.first_block, network.poll_s) == (12, 0.5)
    assert network.fees is not None
    assert (network.fees.max_fee, network.fees.priority_fee) == (100 * GWEI, None)
    settings = parse(tmp_path, finality="safe", max_fee_gwei=7, priority_fee_gwei=2, poll_ms=50)
    network = make_foreign(settings, file).describe()
    assert (network.finality.tag, network.poll_s) == ("safe", 0.05)
    assert network.fees is not None
    assert (network.fees.max_fee, network.fees.priority_fee) == (7 * GWEI, 2 * GWEI)


@pytest.mark.parametrize(
    ("foreign", "key"),
    [
        ({"finality": "pending"}, "foreign.finality"),
        ({"max_fee_gwei": -1}, "foreign.max_fee_gwei"),
        ({"poll_ms": 1}, "foreign.poll_ms"),
        ({"fee": 1}, "foreign.fee"),
    ],
)
def test_setting_that_will_not_do_is_named(
    foreign: dict[str, Any], key: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(tmp_path, **foreign)
    assert refused.value.field == key


def test_command_goes_before_the_settings_and_the_token_to_its_own_node(tmp_path: Path) -> None:
    write_secret_file(tmp_path / "token", b"the-settings-token\n")
    write_secret_file(tmp_path / "other", b"the-commands-token\n")
    text = encode_deployment(make_deployment())
    (tmp_path / "contracts.json").write_text(text, encoding="utf-8")
    settings = parse(
        tmp_path,
        rpc_url="http://settings:1",
        rpc_token_file="token",
        contracts_file="contracts.json",
    )
    behind = find_behind(settings)
    assert (behind.rpc_url, behind.rpc_token) == ("http://settings:1", "the-settings-token")
    assert behind.headers == {"Authorization": "Bearer the-settings-token"}
    assert behind.foreign is not None
    assert behind.foreign.deployment == make_deployment()
    assert "token" not in repr(behind).replace("rpc_token", "")
    # Another node must not get the token that was meant for the first.
    behind = find_behind(settings, rpc_url="http://command:1")
    assert (behind.rpc_url, behind.rpc_token, behind.headers) == ("http://command:1", None, {})
    other = tmp_path / "other"
    behind = find_behind(settings, rpc_url="http://command:1", rpc_token_file=other)
    assert behind.rpc_token == "the-commands-token"
    own = find_behind(parse(tmp_path))
    assert (own.rpc_url, own.rpc_token, own.foreign) == (None, None, None)


def test_file_that_will_not_do_says_why(tmp_path: Path) -> None:
    file = tmp_path / "contracts.json"
    with pytest.raises(UserFault, match="cannot be read"):
        read_deployment(file)
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(UserFault, match="is no deployment file"):
        read_deployment(file)
    file.write_text(encode_deployment(make_deployment(is_complete=False)), encoding="utf-8")
    assert not read_deployment(file).is_complete
    with pytest.raises(UserFault, match="not complete"):
        make_foreign(parse(tmp_path), file)


def test_token_for_the_network_is_one_line(tmp_path: Path) -> None:
    write_secret_file(tmp_path / "token", b"abc.DEF\n")
    assert read_token(tmp_path / "token") == "abc.DEF"
    write_secret_file(tmp_path / "two", b"abc def\n")
    with pytest.raises(UserFault, match="holds no bearer token"):
        read_token(tmp_path / "two")

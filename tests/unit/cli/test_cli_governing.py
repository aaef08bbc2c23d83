"""Decisions as they are typed: names, values, and the parameter that is wrong."""

from pathlib import Path

import pytest

from contracts.codes import Role
from contracts.decisions import DecisionKind, decode_payload
from contracts.labels import encode_label
from node.cli.genesis_file import format_agency, read_agencies
from node.cli.governing import format_parameter, make_admission, parse_kind, parse_payload, refuse
from node.errors import UserFault

VALIDATOR = bytes.fromhex("ab" * 20)


def test_decision_is_read_by_name() -> None:
    assert parse_kind("add-validator") is DecisionKind.ADD_VALIDATOR
    with pytest.raises(UserFault, match="known are admit-agency"):
        parse_kind("add-friend")


def test_payload_is_encoded_from_names_in_any_order() -> None:
    words = [f"validator=0x{VALIDATOR.hex()}", "agency=gd-health"]
    payload = parse_payload(DecisionKind.ADD_VALIDATOR, words)
    assert decode_payload(DecisionKind.ADD_VALIDATOR, payload) == {
        "agency": encode_label("gd-health"),
        "validator": VALIDATOR,
    }


def test_payload_roles_are_names() -> None:
    payload = parse_payload(DecisionKind.SET_ROLES, ["agency=gd-health", "roles=admin,issue"])
    roles = decode_payload(DecisionKind.SET_ROLES, payload)["roles"]
    assert roles == Role.ADMIN | Role.ISSUE
    assert format_parameter("roles", roles) == "ADMIN ISSUE"


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["agency=gd-health"], "validator"),
        (["agency=gd-health", "validator=0x12"], "validator"),
        (["agency=gd-health", f"validator=0x{VALIDATOR.hex()}", "colour=red"], "colour"),
        (["agency=gd health", f"validator=0x{VALIDATOR.hex()}"], "agency"),
        (["gd-health"], "gd-health"),
    ],
)
def test_payload_error_names_the_parameter(words: list[str], field: str) -> None:
    with pytest.raises(UserFault) as caught:
        parse_payload(DecisionKind.ADD_VALIDATOR, words)
    assert caught.value.field == field


def test_admission_is_made_from_an_agency_file(tmp_path: Path) -> None:
    from eth_typing import Address, Hash32

    roles = Role.ADMIN | Role.GOVERN
    path = tmp_path / "agency.toml"
    path.write_text(
        format_agency(
            label="zh-transport",
            jurisdiction="CN-GD",
            roles=roles,
            account=Address(b"\1" * 20),
            validator=Address(VALIDATOR),
            pin=Hash32(b"\2" * 32),
        ),
        encoding="utf-8",
    )
    (spec,) = read_agencies(path)
    assert decode_payload(DecisionKind.ADMIT_AGENCY, make_admission(spec)) == {
        "agency": encode_label("zh-transport"),
        "jurisdiction": encode_label("CN-GD"),
        "profile_hash": bytes(32),
        "roles": int(roles),
        "first_key": b"\1" * 20,
        "first_pin": b"\2" * 32,
    }


def test_refusal_of_the_registry_is_told_in_words_with_its_rule() -> None:
    told = str(refuse("execution reverted: proposal: not open"))
    assert told.startswith("the registry refuses: The proposal was decided, taken back")
    assert told.endswith("(rule: proposal: not open). Propose it anew if it is still wanted.")
    assert str(refuse("out of gas")) == "the registry refuses: out of gas"

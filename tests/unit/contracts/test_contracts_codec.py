"""Calls, answers, logs and refusals, there and back."""

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from contracts.addresses import PROXY_NAME
from contracts.codec import (
    decode_call,
    decode_log,
    decode_output,
    decode_revert,
    encode_call,
    get_event_topic,
    get_selector,
)
from contracts.decisions import DecisionKind, decode_payload, encode_payload
from contracts.errors import CodecError
from contracts.labels import LabelError, decode_label, encode_label, format_identifier
from contracts.loader import list_artifacts, load_artifact

WORD = st.binary(min_size=32, max_size=32)
UINT = st.integers(min_value=0, max_value=2**256 - 1)


def test_selectors_are_those_that_other_clients_compute() -> None:
    assert get_selector("agency_registry", "getValidators").hex() == "b7ab4db5"
    assert get_selector("agency_registry", "may_send") == keccak(text="may_send(address)")[:4]
    signature = "attest(bytes32,bytes32,bytes32,uint8,uint256,uint256,bytes32)"
    assert get_selector("attestations", "attest") == keccak(text=signature)[:4]


def test_no_function_of_a_contract_hides_behind_the_proxys_own() -> None:
    """A selector of the proxy that an implementation used as well could never be reached."""
    own = keccak(text="upgrade_to(address)")[:4]
    for name in list_artifacts():
        selectors = [
            get_selector(name, entry["name"])
            for entry in load_artifact(name).abi
            if entry["type"] == "function"
        ]
        assert own not in selectors
        assert len(selectors) == len(set(selectors))


@given(
    uid=WORD,
    schema=WORD,
    commitment=WORD,
    alg=st.integers(0, 255),
    until=UINT,
    event=UINT,
    old=WORD,
)
def test_call_is_decoded_as_it_was_encoded(  # noqa: PLR0917
    uid: bytes, schema: bytes, commitment: bytes, alg: int, until: int, event: int, old: bytes
) -> None:
    args = [uid, schema, commitment, alg, until, event, old]
    call = decode_call("attestations", encode_call("attestations", "attest", args))
    assert call.function == "attest"
    assert list(call.args.values()) == args
    assert list(call.args) == [
        "uid",
        "schema_uid",
        "commitment",
        "alg",
        "valid_until",
        "event_time",
        "previous",
    ]


@given(address=st.binary(min_size=20, max_size=20))
def test_addresses_are_bytes_on_both_sides(address: bytes) -> None:
    call = decode_call("agency_registry", encode_call("agency_registry", "key", [address]))
    assert call.args == {"account": address}
    validators = encode(["address[]"], [[address, address]])
    assert decode_output("agency_registry", "getValidators", validators) == (address, address)


def test_output_of_a_struct_is_a_dict_and_of_several_values_a_tuple() -> None:
    key = encode(["bytes32", "uint256", "uint256", "uint256"], [b"\1" * 32, 2, 3, 4])
    assert decode_output("agency_registry", "key", key) == {
        "agency": b"\1" * 32,
        "roles": 2,
        "valid_from": 3,
        "valid_until": 4,
    }
    pair = encode(["bytes32", "uint256"], [b"\1" * 32, 2])
    assert decode_output("agency_registry", "authorise", pair) == (b"\1" * 32, 2)
    assert decode_output("agency_registry", "vote", b"") is None


@given(uid=WORD, issuer=WORD, state=st.integers(0, 255), key=st.binary(min_size=20, max_size=20))
def test_log_is_decoded_in_the_order_of_its_declaration(
    uid: bytes, issuer: bytes, state: int, key: bytes
) -> None:
    topics = [get_event_topic("attestations", "StateChanged"), uid, issuer]
    types = ["uint8", "uint8", "uint8", "uint256", "address", "uint256"]
    log = decode_log("attestations", topics, encode(types, [1, state, 2, 3, key, 4]))
    assert log.event == "StateChanged"
    assert list(log.args.items()) == [
        ("uid", uid),
        ("issuer", issuer),
        ("kind", 1),
        ("state", state),
        ("reason", 2),
        ("event_time", 3),
        ("key", key),
        ("sequence", 4),
    ]


def test_log_of_the_proxy_belongs_to_each_contract() -> None:
    topic = get_event_topic(PROXY_NAME, "Upgraded")
    for name in list_artifacts():
        log = decode_log(name, [topic, bytes(12) + b"\7" * 20], b"")
        assert log.args == {"implementation": b"\7" * 20}


@given(data=st.binary(max_size=200))
def test_nothing_that_is_sent_to_us_breaks_the_codec(data: bytes) -> None:
    for decode in (
        lambda: decode_call("attestations", data),
        lambda: decode_output("attestations", "attestation", data),
        lambda: decode_log("attestations", [data[:32]], data),
        lambda: decode_log(
            "attestations", [get_event_topic("attestations", "Attested"), data[:32]], data
        ),
        lambda: decode_payload(data[0] if data else 0, data),
    ):
        with pytest.raises(CodecError):
            decode()
    decode_revert(data)
    decode_revert(bytes.fromhex("08c379a0") + data)


def test_revert_reason_is_read() -> None:
    output = bytes.fromhex("08c379a0") + encode(["string"], ["key: not live"])
    assert decode_revert(output) == "key: not live"
    assert decode_revert(b"") is None
    assert decode_revert(bytes.fromhex("4e487b71") + bytes(32)) is None
    assert decode_revert(bytes.fromhex("08c379a0") + b"\xff" * 64) is None


@pytest.mark.parametrize(
    ("function", "args", "message"),
    [
        ("attestt", [], "no function 'attestt'"),
        ("attestation", [], "takes 1 arguments, not 0"),
        ("attestation", [b"\0" * 33], "attestations.attestation"),
        ("leaf_state", [b"\0" * 32, -1], "attestations.leaf_state"),
        ("leaf_state", [b"\0" * 32, "x"], "attestations.leaf_state"),
    ],
)
def test_call_that_does_not_fit_is_refused(function: str, args: list[object], message: str) -> None:
    with pytest.raises(CodecError, match=message):
        encode_call("attestations", function, args)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(CodecError, match="no function"):
        decode_output("schemas", "nothing", b"")
    with pytest.raises(CodecError, match="no function"):
        get_selector("schemas", "nothing")
    with pytest.raises(CodecError, match="no event"):
        get_event_topic("schemas", "Nothing")
    with pytest.raises(CodecError, match="no event"):
        decode_log("schemas", [], b"")


def test_payload_is_decoded_by_name() -> None:
    payload = encode_payload(DecisionKind.ADD_VALIDATOR, [b"\1" * 32, b"\2" * 20])
    assert decode_payload(10, payload) == {"agency": b"\1" * 32, "validator": b"\2" * 20}
    with pytest.raises(CodecError, match="takes 2 parameters, not 1"):
        encode_payload(DecisionKind.ADD_VALIDATOR, [b"\1" * 32])
    with pytest.raises(CodecError, match="ADD_VALIDATOR"):
        encode_payload(DecisionKind.ADD_VALIDATOR, [b"\1" * 32, b"\2" * 21])
    with pytest.raises(CodecError, match="kind 99"):
        decode_payload(99, payload)


@given(label=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", fullmatch=True))
def test_label_is_read_as_it_was_written(label: str) -> None:
    identifier = encode_label(label)
    assert len(identifier) == 32
    assert decode_label(identifier) == label == format_identifier(identifier)


@pytest.mark.parametrize("label", ["", "a" * 33, "-a", "a b", "澳門", "a\n"])
def test_label_that_is_none_is_refused(label: str) -> None:
    with pytest.raises(LabelError):
        encode_label(label)


def test_identifier_without_a_label_is_shown_as_digits() -> None:
    identifier = keccak(b"a hash")
    assert decode_label(identifier) is None
    assert format_identifier(identifier) == "0x" + identifier.hex()
    assert decode_label(bytes(32)) is None
    assert decode_label(b"a\0b".ljust(32, b"\0")) is None

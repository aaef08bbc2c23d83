"""A fifth agency joins by vote; validators come and go without a restart, in both modes."""

import json
from collections.abc import Iterator

import pytest
from eth_typing import Address
from typer.testing import CliRunner

from contracts.codes import Role
from contracts.decisions import DecisionKind
from contracts.development import list_development_agencies
from contracts.genesis_spec import QbftSpec
from contracts.labels import encode_label
from contracts.testkeys import get_address, get_tls_pin
from node.cli.devnet import DevnetOptions
from node.cli.devnet.plan import add_node
from tests.integration.ledger_net import LedgerNet, read_log, wait_until

pytestmark = pytest.mark.processes

FOUNDERS = (1, 2, 3, 4)
MAJORITY = (1, 2, 3)  # more than half of four, and of each jurisdiction's
LARGER_MAJORITY = (1, 2, 3, 5)  # of five, two of them in the fifth's jurisdiction


def test_fifth_agency_joins_by_vote_and_its_validator_comes_and_goes(net: LedgerNet) -> None:
    from node.cli.app import app

    net.devnet, fifth = add_node(net.devnet)
    # Its only invite is a real one, written by a running node, with a recent block in it.
    for old in (fifth.folder / "invites").iterdir():
        old.unlink()
    invite = fifth.folder / "invites" / "from-the-bureau.json"
    result = CliRunner().invoke(
        app, ["invite", "--config", str(net.node(2).settings_file), "--out", str(invite)]
    )
    assert result.exit_code == 0, result.output
    assert json.loads(invite.read_text())["checkpoint"]["number"] > 0
    settings = fifth.settings_file.read_text()
    line = next(line for line in settings.splitlines() if line.startswith("bootstrap_peers"))
    fifth.settings_file.write_text(
        settings.replace(line, 'bootstrap_peers = ["invites/from-the-bureau.json"]')
    )
    net.launch(5)
    net.wait_height(0, [5])
    pin = get_tls_pin(5).hex()

    def is_told() -> bool:
        told = [line["reason"] for line in read_log(fifth, "call failed")]
        return any("does not know this node's pin" in reason for reason in told)

    def is_refused() -> bool:
        refused = [line["reason"] for line in read_log(net.node(2), "connection refused")]
        return any(pin in reason and "not admitted" in reason for reason in refused)

    wait_until(is_told, "the stranger is told that its pin is not known")
    wait_until(is_refused, "the other side says whom it refused and why")
    assert net.height(5) == 0, "it was not admitted and must not have synced"

    agency = encode_label(list_development_agencies(5)[4].label)
    roles = Role.ADMIN | Role.GOVERN | Role.ISSUE
    admit = [
        agency,
        encode_label("CN-GD"),
        bytes(32),
        int(roles),
        get_address(5, "account"),
        get_tls_pin(5),
    ]
    net.decide(DecisionKind.ADMIT_AGENCY, admit, MAJORITY)
    target = net.height(1)
    net.wait_height(target, [5])
    assert net.assert_one_chain() >= target

    net.decide(DecisionKind.ADD_VALIDATOR, [agency, get_address(5, "validator")], LARGER_MAJORITY)
    added = "0x" + get_address(5, "validator").hex()
    wait_until(lambda: added in net.validators(), "the fifth is a validator")

    def has_proposed() -> bool:
        head = net.wait_blocks(1)
        blocks = (
            net.rpc(1).call("eth_getBlockByNumber", hex(number), False)
            for number in range(max(1, head - 5), head + 1)
        )
        return any(block["miner"] == added for block in blocks)

    wait_until(has_proposed, "the fifth proposes a block")
    assert len(net.validators(5)) == 5

    net.decide(DecisionKind.REMOVE_VALIDATOR, [get_address(5, "validator")], LARGER_MAJORITY)
    wait_until(lambda: added not in net.validators(), "the fifth is no validator any more")
    target = net.wait_blocks(2)
    net.wait_height(target, [5])
    assert not net.rpc(5).call("eth_syncing")
    net.assert_one_chain()
    assert not read_log(net.node(1), "stopping")

    net.kill(5)  # from now on without a consensus key: an observer follows
    settings = fifth.settings_file.read_text()
    start, end = settings.index("[validator]"), settings.index("[network]")
    fifth.settings_file.write_text(settings[:start] + settings[end:])
    net.start(5, height=net.wait_blocks(1))
    assert net.rpc(5).call("atesta_status")["consensus"]["signing"] is False

    # Suspended and without a validator it has no connection any more, and four decide again.
    net.decide(DecisionKind.SUSPEND_AGENCY, [agency], LARGER_MAJORITY)
    wait_until(lambda: int(net.rpc(1).call("net_peerCount"), 16) == 3, "the fifth is let go")
    net.kill(5)


@pytest.fixture
def header_vote_net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerNet]:
    options = DevnetOptions(
        is_header_vote=True,
        qbft=QbftSpec(block_period_s=1, empty_block_period_s=0, request_timeout_s=2),
    )
    net = LedgerNet.make(tmp_path_factory.mktemp("votes") / "net", options)
    try:
        net.launch(*FOUNDERS)
        net.wait_height(1, FOUNDERS)
        yield net
    finally:
        net.stop()


def test_header_votes_remove_and_add_a_validator(header_vote_net: LedgerNet) -> None:
    net = header_vote_net
    fourth = net.address(4, "validator")
    assert len(net.validators()) == 4
    for voter in (1, 2, 3):
        assert net.rpc(voter).call("qbft_proposeValidatorVote", fourth, False) is True
    wait_until(lambda: fourth not in net.validators(), "the fourth was voted out")
    net.wait_blocks(2)
    for voter in (1, 2, 3):
        assert net.rpc(voter).call("qbft_discardValidatorVote", fourth) is True
        assert net.rpc(voter).call("qbft_proposeValidatorVote", fourth, True) is True
    wait_until(lambda: fourth in net.validators(), "the fourth was voted in again")
    target = net.wait_blocks(3)
    net.wait_height(target, FOUNDERS)
    net.assert_one_chain()


def test_contract_mode_refuses_header_votes(net: LedgerNet) -> None:
    from node.cli.devnet import RpcError

    with pytest.raises(RpcError):
        net.rpc(1).call("qbft_proposeValidatorVote", "0x" + Address(b"\x01" * 20).hex(), True)

"""A real node killed at its durable writes: nothing acknowledged is lost, nothing is said twice.

By default one write of each kind, in the middle where a file can be torn. With `--long` every write
within ten blocks: the test goes on until the node outlives the scenario.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from atesta_client.errors import RestUnreachable

from contracts.genesis_spec import QbftSpec
from node.cli.devnet import DevnetOptions
from node.cli.devnet.processes import NodeFailed
from node.cli.devnet.rpc import NodeUnreachable
from tests.integration.crash_victim import Clerks, Victim
from tests.integration.ledger_net import LedgerNet
from tests.integration.test_network_rest import make_schema

pytestmark = pytest.mark.processes

VICTIM = 1
WITNESS = 2
BLOCKS = 10
SCENARIO_S = 240.0
MAX_UNCOMPARED = 4
WRITES = (
    "block:3",
    "sign_state:7:torn",
    "sign_state:8",
    "sign_state_copy:6",
    "mempool:3:torn",
    "outbox:4",
    "index:4",
    "vault:4:after",
)
"""One write of each kind, early in the life of a node that is written to."""


@dataclass
class Trial:
    """The victim's lives, one after the other, each the recovery from the death before.

    What a life could not compare because it was too short, a later one does: what is lost stays
    lost. After `MAX_UNCOMPARED` short lives, one without a plan makes up for them.
    """

    victim: Victim
    clerks: Clerks
    uncompared: int = 0

    def end_a_life(self, plan: str) -> str | None:
        """Let the node live to its planned death; return its last words, None if it outlived it."""
        self.victim.live(plan)
        if self.uncompared and self._compare_while_alive():
            self.uncompared = 0
        words = self.victim.wait_death(BLOCKS, SCENARIO_S)
        if words is None:
            self.victim.net.kill(VICTIM)
        self.victim.assert_word_kept()
        self.uncompared += 1
        if self.uncompared >= MAX_UNCOMPARED:
            self.live_and_compare()
            self.victim.net.kill(VICTIM)
        return words

    def live_and_compare(self) -> None:
        """Start the node without a plan and compare it with the witness."""
        self.victim.live()
        self._compare()
        self.uncompared = 0

    def _compare_while_alive(self) -> bool:
        try:
            self._compare()
        except (NodeUnreachable, NodeFailed, RestUnreachable, AssertionError):
            if self.victim.is_alive():
                raise
            return False
        return True

    def _compare(self) -> None:
        self.victim.wait_caught_up()
        self.clerks.assert_all_final(WITNESS)
        self.victim.assert_same_as_witness()


@contextmanager
def trial_of(net: LedgerNet, *, pause_s: float) -> Iterator[Trial]:
    """Kill the victim and let the clerks write to whatever life it has next."""
    schema_uid = make_schema(net)
    net.nonces.clear()
    net.kill(VICTIM)
    clerks = Clerks(net=net, victim=VICTIM, schema_uid=schema_uid, pause_s=pause_s)
    with clerks.working():
        yield Trial(victim=Victim(net=net, number=VICTIM, witness=WITNESS), clerks=clerks)
    clerks.assert_all_final(WITNESS)


def test_node_killed_at_a_write_of_each_kind_keeps_all_it_promised(net: LedgerNet) -> None:
    with trial_of(net, pause_s=0.3) as trial:
        for plan in WRITES:
            words = trial.end_a_life(plan)
            assert words is not None, f"there was no write {plan}"
            assert plan.split(":", maxsplit=1)[0] in words
        trial.live_and_compare()


@pytest.mark.long
@pytest.mark.timeout(10_800)
def test_node_killed_at_every_durable_write_of_ten_blocks_keeps_all_it_promised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = QbftSpec(block_period_ms=400, empty_block_period_s=1, request_timeout_s=2)
    net = LedgerNet.make(tmp_path / "net", DevnetOptions(qbft=rules, is_tapped=True))
    kinds: Counter[str] = Counter()
    try:
        net.launch(1, 2, 3, 4)
        net.wait_height(1, (1, 2, 3, 4))
        net.prepare_schema(1, 2, 3)
        with trial_of(net, pause_s=1.0) as trial:
            while (words := trial.end_a_life(f"{kinds.total() + 1}")) is not None:
                kinds[words.split(", ")[1].split()[0]] += 1
                _report(capsys, f"{words}, height {net.height(WITNESS)}")
            trial.live_and_compare()
        _report(capsys, f"killed at {kinds.total()} writes: {dict(kinds)}")
        assert kinds.total() > BLOCKS
        net.assert_one_chain()
    except BaseException:
        _report(capsys, net.explain())
        raise
    finally:
        net.stop()


def _report(capsys: pytest.CaptureFixture[str], line: str) -> None:
    with capsys.disabled():
        print(line, flush=True)  # noqa: T201 - read while it runs, which takes long

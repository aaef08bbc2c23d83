"""A real node killed at its durable writes: nothing acknowledged is lost, nothing is said twice.

By default one write of each kind, in the middle where a file can be torn. With `--long` every write
within ten blocks: the test goes on until the node outlives the scenario.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.genesis_spec import QbftSpec
from node.cli.devnet import DevnetOptions
from tests.integration.crash_victim import Clerks, Victim
from tests.integration.ledger_net import LedgerNet
from tests.integration.test_network_rest import make_schema

pytestmark = pytest.mark.processes

VICTIM = 1
WITNESS = 2
BLOCKS = 10
SCENARIO_S = 90.0
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


@pytest.fixture(scope="session")
def crash_schema(shared_net: LedgerNet) -> str:
    return make_schema(shared_net)


@pytest.fixture
def victim(net: LedgerNet) -> Iterator[Victim]:
    victim = Victim(net=net, number=VICTIM, witness=WITNESS)
    yield victim
    if not victim.is_alive():
        net.start(VICTIM)


def end_and_resume(victim: Victim, clerks: Clerks, plan: str) -> str | None:
    """Let the node live to its planned death and again; return its last words, None if it lived."""
    victim.live(plan)
    words = victim.wait_death(BLOCKS, SCENARIO_S)
    if words is None:
        return None
    victim.assert_word_kept()
    victim.live()
    victim.wait_caught_up()
    clerks.assert_all_final(WITNESS)
    victim.assert_same_as_witness()
    return words


@pytest.mark.parametrize("plan", WRITES)
def test_node_killed_at_a_durable_write_keeps_all_it_promised(
    victim: Victim, crash_schema: str, plan: str
) -> None:
    victim.net.nonces.clear()
    victim.net.kill(VICTIM)
    clerks = Clerks(net=victim.net, victim=VICTIM, schema_uid=crash_schema)
    with clerks.working():
        words = end_and_resume(victim, clerks, plan)
    assert words is not None, f"there was no write {plan}"
    assert plan.split(":", maxsplit=1)[0] in words


@pytest.mark.long
def test_node_killed_at_every_durable_write_of_ten_blocks_keeps_all_it_promised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = QbftSpec(block_period_ms=400, empty_block_period_s=1, request_timeout_s=2)
    net = LedgerNet.make(tmp_path / "net", DevnetOptions(qbft=rules, is_tapped=True))
    kinds: Counter[str] = Counter()
    number = int(os.environ.get("ATESTA_FIRST_CRASH", "1"))
    try:
        net.launch(1, 2, 3, 4)
        net.wait_height(1, (1, 2, 3, 4))
        net.prepare_schema(1, 2, 3)
        victim = Victim(net=net, number=VICTIM, witness=WITNESS)
        clerks = Clerks(net=net, victim=VICTIM, schema_uid=make_schema(net))
        net.kill(VICTIM)
        with clerks.working():
            while (words := end_and_resume(victim, clerks, f"{number}")) is not None:
                kinds[words.split(", ")[1].split()[0]] += 1
                with capsys.disabled():
                    print(f"{number}: {words}, height {net.height(WITNESS)}", flush=True)  # noqa: T201 - the report
                net.kill(VICTIM)
                number += 1
        clerks.assert_all_final(WITNESS)
        with capsys.disabled():
            print(f"killed at {kinds.total()} writes: {dict(kinds)}")  # noqa: T201 - the report
        assert kinds.total() > BLOCKS
        net.assert_one_chain()
    except BaseException:
        print(net.explain())  # noqa: T201 - read by whoever reads the failure
        raise
    finally:
        net.stop()

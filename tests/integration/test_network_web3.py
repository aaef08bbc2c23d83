"""web3.py from another process: deploy, be refused, send, read logs, prove a value."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.testkeys import get_private_key
from tests.integration.ledger_net import LedgerNet

pytestmark = pytest.mark.processes

SCRIPT = Path(__file__).with_name("web3_client.py")


def test_web3_from_another_process_uses_the_ledger(net: LedgerNet) -> None:
    task = {
        "url": net.node(3).url,
        "deployer": get_private_key(2, "account").hex(),
        "clerk": get_private_key(1, "clerk").hex(),
        "stranger": "11" * 32,
    }
    result = subprocess.run(
        [sys.executable, str(SCRIPT)],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["deployed"] == 1
    assert "deploy role" in answer["refused_deployment"]
    assert "not an account of an active agency" in answer["refused_stranger"]
    assert answer["stored"] == 42
    assert answer["logged"] == [42]
    assert answer["proved"] == 42
    net.nonces.clear()  # the other process used these accounts

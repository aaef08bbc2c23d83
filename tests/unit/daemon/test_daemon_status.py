"""What the log says of the validator set: each time its size changes, what it survives."""

from types import SimpleNamespace
from typing import Any, cast

from structlog.testing import capture_logs

from consensus.resilience import describe_resilience
from consensus.types import Address
from node.daemon.logs import ALLOWED_FIELDS
from node.daemon.status import NodeObserver, NodeStatus


def test_log_says_what_each_size_of_the_set_survives() -> None:
    nothing = cast("Any", SimpleNamespace())
    status = NodeStatus(host=nothing, network=nothing, observer=NodeObserver())
    validators = tuple(Address(bytes([number]) * 20) for number in range(1, 5))
    with capture_logs() as logs:
        for members in (validators[:3], validators[:3], validators[1:], validators, ()):
            status.set_head(nothing, members)
    said = [(event["log_level"], event["resilience"]) for event in logs]
    assert said == [("warning", describe_resilience(3)), ("info", describe_resilience(4))]
    assert "resilience" in ALLOWED_FIELDS, "the log keeps it"

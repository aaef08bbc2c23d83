"""A ledger in memory with its dispatcher, and a call that must be refused."""

from typing import Any

import pytest

from api.errors import ApiError
from api.jsonrpc.dispatcher import Dispatcher
from tests.unit.jsonrpc.fake_ledger import FakeLedger


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
def rpc(ledger: FakeLedger) -> Dispatcher:
    return Dispatcher(ledger)


async def refuse(rpc: Dispatcher, method: str, *arguments: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await rpc.call(method, list(arguments))
    return caught.value

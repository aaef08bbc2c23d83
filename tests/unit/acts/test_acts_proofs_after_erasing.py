"""A period's deliveries are proved, and its two sides agree, after the exchange was erased."""

from api.erasing.eraser import WATCH_S, Eraser
from tests.unit.acts.exchange_world import ask, do, look, make_law
from tests.unit.acts.law_world import LATER, read
from tests.unit.acts.test_acts_periods import PERIOD, begin, make_deliveries
from tests.unit.rest.ledger_world import Caller


async def erase(caller: Caller, uid: str) -> None:
    await caller.post(f"/records/{uid}/erase", {"reason": "security"})
    await caller.agency.settle()
    caller.agency.ledger.mine(period_s=WATCH_S)
    await Eraser(caller.agency.services).turn()
    told = await caller.get(f"/records/{uid}/erasure")
    assert told["state"] == "erased"


async def test_leaf_of_a_period_is_proved_after_its_exchange_was_erased(
    bureau: Caller, laboratory: Caller, supervisor: Caller
) -> None:
    law = await make_law(bureau, supervisor, laboratory, kind="statute")
    bulk = {"mode": "bulk", "subject": None, "valid_until": LATER}
    exchange = (await ask(laboratory, law, **bulk))["uid"]
    path = await begin(bureau, exchange)
    sent = make_deliveries(40)
    received = [*sent[:17], "0x" + "17" * 32, *sent[18:]]
    await do(bureau, f"{path}/statement", {"deliveries": sent})
    accepted = await do(laboratory, f"{path}/statement", {"deliveries": received})
    await erase(laboratory, exchange)
    for side in (bureau, laboratory):
        await do(side, f"{path}/leaves", {"index": 17})
    named = await read(bureau, "exchanges", "named_leaf", exchange, PERIOD, 17)
    assert named["provider_leaf"] != named["requester_leaf"] != bytes(32)
    await do(laboratory, f"{path}/statement", {"deliveries": sent})
    assert (await look(bureau, accepted["record"].removeprefix("/v1")))["state"] == "agreed"

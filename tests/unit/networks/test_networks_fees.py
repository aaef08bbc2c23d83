"""What is offered for a transaction, and how answers are reworded in front of another network."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import UpstreamFault
from api.finality import QBFT, report
from api.networks.fees import GWEI, NO_FEES, FeePolicy, Fees, check_funds, quote_fees
from api.outbox.account import build_account, read_offer, sign_call
from api.rest.answers import Activity, Provenance
from api.rest.checking_models import Finding
from api.rest.finality_words import read_state, restate, view_finality
from api.rest.models import Operation
from api.rest.values import OperationState
from api.verification.findings import get_finding
from api.web3_provider import RpcRefusal

ACCOUNT = build_account(b"\x07" * 32)


class Market:
    """A node that asks a base fee."""

    def __init__(self, base: int | None, *, tip: int | None = GWEI, balance: int = 0) -> None:
        self._answers: dict[str, Any] = {
            "eth_getBlockByNumber": {} if base is None else {"baseFeePerGas": hex(base)},
            "eth_getBalance": hex(balance),
        }
        if tip is not None:
            self._answers["eth_maxPriorityFeePerGas"] = hex(tip)

    async def call(self, method: str, *_: Any) -> Any:
        if method not in self._answers:
            raise RpcRefusal({"code": -32601, "message": "unknown method"})
        return self._answers[method]

    async def batch(self, calls: Any) -> list[Any]:
        return [await self.call(method, *arguments) for method, arguments in calls]


async def test_offer_is_good_for_some_blocks_and_never_above_the_limit() -> None:
    quote = await quote_fees(Market(10 * GWEI), FeePolicy(max_fee=100 * GWEI))
    assert (quote.max_fee, quote.priority_fee) == (21 * GWEI, GWEI)
    quote = await quote_fees(Market(60 * GWEI), FeePolicy(max_fee=100 * GWEI))
    assert quote.max_fee == 100 * GWEI
    own = FeePolicy(max_fee=100 * GWEI, priority_fee=3 * GWEI)
    assert (await quote_fees(Market(GWEI), own)).priority_fee == 3 * GWEI
    assert (await quote_fees(Market(GWEI, tip=None), FeePolicy())).priority_fee == GWEI
    assert await quote_fees(Market(5), None) == NO_FEES
    free = await quote_fees(Market(0), FeePolicy(max_fee=0))
    assert (free.max_fee, free.priority_fee) == (0, 0)


@pytest.mark.parametrize(
    ("base", "code"), [(100 * GWEI, "fee_too_high"), (None, "network_too_old")]
)
async def test_network_that_asks_too_much_or_nothing_is_refused(
    base: int | None, code: str
) -> None:
    with pytest.raises(UpstreamFault) as refused:
        await quote_fees(Market(base), FeePolicy(max_fee=100 * GWEI))
    assert refused.value.code == code


async def test_account_must_be_able_to_pay_all_that_is_offered() -> None:
    fees = Fees(max_fee=10, priority_fee=1)
    await check_funds(Market(1, balance=1_000), ACCOUNT.address, gas=100, fees=fees)
    await check_funds(Market(1), ACCOUNT.address, gas=100, fees=NO_FEES)
    with pytest.raises(UpstreamFault) as refused:
        await check_funds(Market(1, balance=999), ACCOUNT.address, gas=100, fees=fees)
    assert refused.value.code == "account_unfunded"


@given(before=st.integers(0, 10**15), tip=st.integers(0, 10**12), quoted=st.integers(0, 10**15))
def test_replacement_offers_a_tenth_more_at_least(before: int, tip: int, quoted: int) -> None:
    offer = Fees(max_fee=before, priority_fee=tip)
    dearer = offer.raise_to(Fees(max_fee=quoted, priority_fee=0))
    assert dearer.max_fee * 10 >= before * 11
    assert dearer.priority_fee * 10 >= tip * 11
    assert dearer.max_fee >= quoted
    assert offer.covers(Fees(max_fee=0, priority_fee=0, base_fee=before))
    assert not offer.covers(Fees(max_fee=0, priority_fee=0, base_fee=before + 1))


@given(max_fee=st.integers(0, 10**15), tip=st.integers(0, 10**12))
def test_offer_is_read_from_the_signed_bytes(max_fee: int, tip: int) -> None:
    fees = Fees(max_fee=max_fee, priority_fee=min(tip, max_fee))
    signed = sign_call(
        ACCOUNT, chain_id=1, nonce=5, target=b"\x01" * 20, data=b"\x02", gas=21_000, fees=fees
    )
    assert read_offer(signed.raw) == fees


def make_operation() -> Operation:
    return cast(
        "Operation",
        cast("Any", Operation).model_construct(id="op-1", state=OperationState.FINAL, block=7),
    )


def test_nothing_is_called_final_in_front_of_another_network() -> None:
    operation = make_operation()
    assert restate(operation, QBFT) is operation
    told = restate(operation, report("finalized"))
    assert isinstance(told, Operation)
    assert (told.state, told.block) == (OperationState.REPORTED, 7)
    act = cast("Any", Activity).model_construct(id="a", final=True)
    whole = cast("Any", Provenance).model_construct(uid="0x", activities=[act])
    story = restate(whole, report("safe"))
    assert isinstance(story, Provenance)
    assert [act.final for act in story.activities] == [False]
    for code in ("node_behind", "record_not_attested"):
        finding = get_finding(code)
        told = Finding(code=code, text=f"{finding.text} {finding.next_step}", field=None)
        reworded = restate(told, report("latest"))
        assert "final" in told.text
        assert isinstance(reworded, Finding)
        assert "final" not in reworded.text
    assert read_state("reported") == "final"
    assert read_state("queued") == "queued"


@pytest.mark.parametrize("tag", ["finalized", "safe", "latest"])
def test_answer_names_who_vouches_for_it(tag: Any) -> None:
    told = view_finality(report(tag))
    assert (told.kind, told.block_tag) == ("as_reported", tag)
    assert told.statement.startswith("as reported by that network")
    assert tag in told.statement
    assert "final:" not in told.statement
    own = view_finality(QBFT)
    assert (own.kind, own.block_tag) == ("quorum_seals", "latest")

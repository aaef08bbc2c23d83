"""Plans, deployment files and rehearsals of a ledger on a network that ran before."""

import json
from dataclasses import replace
from typing import Any

import pytest
from eth_typing import Address, Hash32
from eth_utils.crypto import keccak

from contracts.address_book import GENESIS_BOOK, make_address_book
from contracts.addresses import PROXIES
from contracts.codec import decode_output, encode_call
from contracts.deployment import (
    Attempt,
    Deployment,
    StepRecord,
    begin_deployment,
    compute_created_address,
    decode_deployment,
    encode_deployment,
    make_plan,
)
from contracts.development import build_development_spec
from contracts.errors import AddressBookInvalid, DeploymentInvalid, FoundingFailed
from contracts.founding import Creation, FoundingCall
from contracts.rehearsal import Place, rehearse
from contracts.scratch import ScratchState

SPEC = build_development_spec()
FOUNDER = Address(b"\x11" * 20)
GENESIS = Hash32(b"\x22" * 32)
PLAN = make_plan(SPEC, genesis_hash=GENESIS, founder=FOUNDER, first_nonce=7)


def begin() -> Deployment:
    return begin_deployment(PLAN, first_block=99)


def test_plan_makes_each_contract_where_its_nonce_leads() -> None:
    made = [step for step in PLAN.steps if isinstance(step, Creation)]
    assert [step.address for step in made] == [
        compute_created_address(FOUNDER, 7 + place) for place in range(len(made))
    ]
    assert len(made) == 1 + 2 * len(PROXIES)
    assert not any(isinstance(step, Creation) for step in PLAN.steps[len(made) :])
    # From the yellow paper's rule, as go-ethereum's own test has it.
    assert (
        compute_created_address(
            Address(bytes.fromhex("970e8128ab834e8eac17ab8e3812f010678cf791")), 0
        )
    ).hex() == "333c3310824b7c685133f2bedb2ca4b8b4df633d"


def test_plan_differs_by_whatever_makes_it_another_ledger() -> None:
    others: list[dict[str, Any]] = [
        {"genesis_hash": Hash32(b"\x23" * 32)},
        {"founder": Address(b"\x12" * 20)},
        {"first_nonce": 8},
    ]
    facts: dict[str, Any] = {"genesis_hash": GENESIS, "founder": FOUNDER, "first_nonce": 7}
    plans = [PLAN, *(make_plan(SPEC, **(facts | other)) for other in others)]
    assert len({plan.salt for plan in plans}) == len(plans)
    assert len({plan.fingerprint for plan in plans}) == len(plans)
    assert make_plan(SPEC, **facts) == PLAN


def test_rehearsal_founds_the_register_that_was_specified() -> None:
    scratch = ScratchState(chain_id=SPEC.chain_id, timestamp=5)
    registry = PLAN.placement.book.get_address("agency_registry")
    for step in PLAN.steps:
        if isinstance(step, Creation):
            scratch.create(step.address, step.code)
        else:
            assert scratch.send(registry, step.data, sender=Address(b"\x13" * 20)).reason == (
                "registry: only for the founder"
            )
            assert scratch.send(registry, step.data, sender=FOUNDER).succeeded

    def ask(function: str, *args: Any) -> Any:
        answer = scratch.read(registry, encode_call("agency_registry", function, args))
        return decode_output("agency_registry", function, answer.output)

    assert ask("is_founded")
    assert ask("agency_count") == len(SPEC.agencies)
    assert ask("eip712Domain")[5] == PLAN.salt
    assert ask("is_authorised", SPEC.agencies[0].accounts[0].address, 1)
    last = PLAN.steps[-1]
    assert isinstance(last, FoundingCall)
    assert scratch.send(registry, last.data, sender=FOUNDER).reason == "registry: already founded"


def test_rehearsal_is_of_its_blocks_and_bounds_the_gas() -> None:
    places = [Place(number=10 + place, time_s=1_000 + place) for place in range(len(PLAN.steps))]
    one, other = rehearse(PLAN, places), rehearse(PLAN, places)
    assert one == other
    assert len(one.events) > len(SPEC.agencies) * 3
    assert 40_000_000 < one.gas < 60_000_000
    steps = [step for step in PLAN.steps if step.title != "agency mo-health-bureau"]
    with pytest.raises(FoundingFailed, match="key of mo-health-bureau: agency: unknown"):
        rehearse(replace(PLAN, steps=tuple(steps)))


def test_deployment_file_keeps_everything() -> None:
    attempt = Attempt(hash=Hash32(b"\x01" * 32), gas=5, max_fee=6, priority_fee=7)
    begun = begin()
    assert not begun.is_complete
    assert begun.last_block == 99
    done = tuple(
        StepRecord(title=step.title, attempts=(attempt,), block=100 + place, gas_used=10)
        for place, step in enumerate(begun.steps)
    )
    for deployment in (begun, replace(begun, steps=done)):
        assert decode_deployment(encode_deployment(deployment)) == deployment
    whole = replace(begun, steps=done)
    assert whole.is_complete
    assert whole.gas_used == 10 * len(done)
    assert whole.last_block == 99 + len(done)
    assert set(whole.code_hashes) == {
        step.address for step in PLAN.steps if isinstance(step, Creation)
    }
    assert keccak(b"") not in whole.code_hashes.values()


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("format",), "atesta-deployment-0", "format"),
        (("chain_id",), None, "'chain_id' is missing"),
        (("chain_id",), True, "number"),
        (("genesis_hash",), "0x12", "32 bytes has 1"),
        (("salt",), "0xzz", "cannot be read"),
        (("contracts", "schemas"), None, "address of schemas is missing"),
        (("contracts", "schemas", "address"), "0x" + 40 * "0", "not all zero"),
        (("contracts", "schemas", "code_hash"), None, "'code_hash' is missing"),
        (("steps",), {}, "list"),
        (("steps", 0, "gas_used"), -1, "number"),
    ],
)
def test_deployment_file_that_will_not_do_says_why(
    path: tuple[Any, ...], value: Any, reason: str
) -> None:
    document = json.loads(encode_deployment(begin()))
    *parents, last = path
    inner = document
    for part in parents:
        inner = inner[part]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    with pytest.raises(DeploymentInvalid, match=reason):
        decode_deployment(json.dumps(document))


def test_file_that_is_no_deployment_is_refused() -> None:
    for text in ("", "[]", "null", "{}"):
        with pytest.raises(DeploymentInvalid):
            decode_deployment(text)


def test_address_book_is_of_exactly_the_contracts() -> None:
    by_name = dict(GENESIS_BOOK.by_name)
    assert make_address_book(by_name) == GENESIS_BOOK
    assert GENESIS_BOOK.find_name(GENESIS_BOOK.get_address("posts")) == "posts"
    assert GENESIS_BOOK.find_name(FOUNDER) is None
    for wrong, reason in (
        (by_name | {"ledger": FOUNDER}, "no contract"),
        (by_name | {"posts": by_name["schemas"]}, "one address"),
        (by_name | {"posts": b"\x01"}, "20 bytes"),
    ):
        with pytest.raises(AddressBookInvalid, match=reason):
            make_address_book(wrong)

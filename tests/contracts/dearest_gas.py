"""The most that a call can be asked to do: the longest lists, the longest ways, the fullest ledger.

What a function costs at most is found here where it depends on more than one call's own words:
eight mandates each handed on three times, a basis of sixteen scopes that share nothing, data handed
on over four borders under twelve consents, a vote of 64 agencies that moves a whole validator set.
"""

from hashlib import sha256
from itertools import pairwise
from typing import Any

from eth_typing import Address, Hash32
from eth_utils.crypto import keccak

from contracts.codes import ProposalStatus, RecordKind, Sharing
from contracts.decisions import DecisionKind, encode_payload
from tests.contracts import crowd_harness as crowd
from tests.contracts.consent_harness import (
    build_consent,
    get_holder,
    give_args,
    record_args,
    withdraw_signed_args,
)
from tests.contracts.contract_harness import NOTHING, Ledger, stranger
from tests.contracts.exchange_harness import REQUEST, STANDING, build_links, request_args
from tests.contracts.gas_meter import Meter, draw
from tests.contracts.law_harness import (
    NOTICE,
    PURPOSE,
    basis_args,
    instrument_args,
    publish,
    register_dataset,
)
from tests.contracts.mandate_harness import MANDATE, build_entry, build_office, succeed_args

SUPERVISOR = crowd.SIZE - 1
CHAIN = range(40, 45)
"""Agencies of five jurisdictions, from each of which data go on to the next."""
LAST = CHAIN[-1]
RECIPIENTS = (45, 46, 47)
"""To whom the last of them hands the data on."""
BASIS = draw(2000)
EVERY_ACT = 2**256 - 1


def measure_dearest(meter: Meter) -> None:
    """Run what is dearest of each kind, late in the life of a full ledger."""
    for measure in (
        measure_mandates,
        measure_bases,
        measure_exchanges,
        measure_withdrawals,
        measure_policies,
        measure_leaves,
        measure_votes,
    ):
        meter.ledger = Ledger(crowd.build_crowd_spec())
        meter.ledger.pass_time(10**7)
        meter.ledger.state.block_number = 2**40
        meter.private_keys |= {
            crowd.get_account(number): crowd.get_key(number) for number in range(crowd.SIZE)
        }
        measure(meter)


def measure_mandates(meter: Meter) -> None:
    ledger, sender = meter.ledger, crowd.get_account(1)
    until = ledger.now + 10**8
    parents = [_hand_on(ledger, sender, 100 * place) for place in range(8)]
    full = {"body": draw(1), "scope": EVERY_ACT, "valid_from": ledger.now - 5}
    handed_on = [
        build_entry(
            draw(1000 + place),
            parent=parent,
            may_delegate=True,
            limit=499,
            valid_until=until - 1,
            **full,
        )
        for place, parent in enumerate(parents)
    ]
    meter.run(None, sender, "mandates", "record", handed_on, ledger.now)
    first = [build_office(draw(1100 + place), **full, valid_until=until) for place in range(8)]
    meter.run(None, sender, "mandates", "record", first, ledger.now)
    ended = [draw(1200 + place) for place in range(16)]
    for half in (ended[:8], ended[8:]):
        entries = [build_entry(uid, body=draw(1)) for uid in half]
        ledger.do(sender, "mandates", "record", [entries, ledger.now])
    effective = ledger.now + 100
    full["valid_from"] = effective
    board = [build_office(draw(1300 + place), **full, valid_until=until) for place in range(8)]
    changes = {"body": draw(1), "effective": effective, "ended": ended, "entries": board}
    succession = succeed_args(ledger, draw(1400), **changes)
    meter.run(None, sender, "mandates", "succeed", *succession)


def _hand_on(ledger: Ledger, sender: Any, number: int) -> Hash32:
    """A power that was handed on twice, so that it can be handed on once more."""
    parent = NOTHING
    for step in range(3):
        uid = draw(number + step)
        terms = {"body": draw(1), "scope": EVERY_ACT, "valid_until": ledger.now + 10**8}
        entry = build_entry(uid, parent=parent, may_delegate=True, **terms)
        ledger.do(sender, "mandates", "record", [[entry], ledger.now])
        parent = uid
    return parent


def measure_bases(meter: Meter) -> None:
    """Sixteen scopes: each another owner, another recipient, another dataset and purpose."""
    ledger, scopes = meter.ledger, []
    for place in range(16):
        owner, dataset, purpose = crowd.get_account(place), draw(100 + place), draw(200 + place)
        register_dataset(ledger, dataset, owner=owner)
        publish(ledger, purpose, RecordKind.PURPOSE, sender=owner)
        scopes.append((crowd.get_agency(place), crowd.get_agency(20 + place), dataset, purpose, 1))
    sides = {
        "from_jurisdiction": crowd.get_jurisdiction(0),
        "to_jurisdiction": crowd.get_jurisdiction(0),
    }
    interval = {"valid_from": 1, "valid_until": ledger.now + 10**8}
    entered = basis_args(ledger, BASIS, kind=2, scopes=scopes, **sides, **interval)
    meter.run(None, crowd.get_account(SUPERVISOR), "bases", "enter_basis", *entered)


def measure_exchanges(meter: Meter) -> None:
    """Sensitive data by consent, handed on over four borders, for somebody with a mandate."""
    ledger = meter.ledger
    links = _build_chain(ledger)
    forms: tuple[tuple[str, dict[str, Any]], ...] = (
        ("release", {"sharing": Sharing.UNCONDITIONAL}),
        ("release", {"sharing": Sharing.CONDITIONAL}),
        ("begin_period", {"sharing": Sharing.UNCONDITIONAL, "mode": STANDING}),
    )
    for number, (function, fields) in enumerate(forms):
        # Each to an agency that has had none of it yet, so that all twelve consents bind it anew.
        recipient = RECIPIENTS[number]
        asked = _prepare_step(ledger, LAST, recipient, number, **fields)
        if asked.get("mode") == STANDING:
            asked["valid_until"] = ledger.now + 10**7
        _stop_and_wait(ledger, crowd.get_agency(LAST), crowd.get_agency(recipient), asked)
        uid = draw(5100 + number)
        args = request_args(ledger, uid, links=links, **asked)
        meter.run(None, crowd.get_account(recipient), "exchanges", "request", *args)
        provider = crowd.get_account(LAST)
        if fields["sharing"] == Sharing.CONDITIONAL:
            decided = (uid, True, 0, draw(7), ledger.now)
            meter.run(None, provider, "exchanges", "decide", *decided)
        if function == "release":
            released = (uid, REQUEST, draw(6100 + number), ledger.now)
            meter.run(None, provider, "exchanges", "release", *released)
        else:
            meter.run(None, provider, "exchanges", "begin_period", uid, 202611, ledger.now)


def _build_chain(ledger: Ledger) -> tuple[Any, ...]:
    """Data that came over four borders, each time under three consents; what names them."""
    publish(ledger, NOTICE, RecordKind.NOTICE, sender=crowd.get_account(0))
    publish(ledger, PURPOSE, RecordKind.PURPOSE, sender=crowd.get_account(0))
    source = NOTHING
    for step, (provider, recipient) in enumerate(pairwise(CHAIN)):
        asked = _prepare_step(ledger, provider, recipient, step + 10)
        args = request_args(ledger, draw(5000 + step), links=build_links(onward_of=source), **asked)
        ledger.do(crowd.get_account(recipient), "exchanges", "request", args)
        source = draw(5000 + step)
        released = [source, REQUEST, draw(6000 + step), ledger.now]
        ledger.do(crowd.get_account(provider), "exchanges", "release", released)
    keeper = crowd.get_account(1)
    power = _hand_on(ledger, keeper, 300)
    entry = build_entry(
        MANDATE, body=draw(1), parent=power, limit=499, valid_until=ledger.now + 10**8
    )
    ledger.do(keeper, "mandates", "record", [[entry], ledger.now])
    return build_links(onward_of=source, mandate=MANDATE, mandate_scope=1, mandate_amount=10)


def _prepare_step(
    ledger: Ledger, provider: int, recipient: int, number: int, **changes: Any
) -> dict[str, Any]:
    """Law, dataset, instrument and consents of one step over a border; the request's fields."""
    owner, until = crowd.get_account(provider), ledger.now + 10**9
    parties = {"provider": crowd.get_agency(provider), "recipient": crowd.get_agency(recipient)}
    basis, dataset, instrument = (draw(1000 * place + number) for place in (20, 21, 22))
    sharing = int(changes.pop("sharing", Sharing.UNCONDITIONAL))
    register_dataset(
        ledger, dataset, owner=owner, sharing=sharing, sensitivity=2, conditions_hash=draw(8)
    )
    sides = {
        "from_jurisdiction": crowd.get_jurisdiction(provider),
        "to_jurisdiction": crowd.get_jurisdiction(recipient),
    }
    scopes = [(NOTHING, NOTHING, dataset, PURPOSE, 0b1111)]
    entered = basis_args(ledger, basis, kind=2, scopes=scopes, valid_until=until, **sides)
    ledger.do(crowd.get_account(SUPERVISOR), "bases", "enter_basis", entered)
    terms = {"dataset": dataset, "is_onward_allowed": True, "valid_until": until}
    filed = instrument_args(ledger, instrument, **parties, **terms)
    ledger.do(crowd.get_account(SUPERVISOR), "bases", "enter_instrument", filed)
    consents = [draw(30_000 + 10 * number + kind) for kind in range(3)]
    for kind, uid in enumerate(consents, start=1):
        given = record_args(
            ledger, uid, **parties, dataset=dataset, kind=kind, quota=5, valid_until=until
        )
        ledger.do(owner, "consents", "record", given)
    names = ("consent", "sensitive_consent", "cross_border_consent")
    asked = {"provider": parties["provider"], "dataset": dataset, "basis": basis}
    times: dict[str, Any] = {"instrument": instrument, "retention_until": until, "due": until}
    return asked | times | dict(zip(names, consents, strict=True)) | changes


def _stop_and_wait(
    ledger: Ledger, provider: Hash32, recipient: Hash32, asked: dict[str, Any]
) -> None:
    """Eight stops each of basis, dataset and pair, all over: a question walks past all of them."""
    pair = ledger.read("bases", "pair_of", provider, recipient)
    for kind, subject in ((1, asked["dataset"]), (2, pair), (3, asked["basis"])):
        for _ in range(8):
            uid = Hash32(keccak(subject + ledger.state.block_number.to_bytes(8, "big")))
            stop = [uid, kind, subject, ledger.now + 100, draw(9), ledger.now]
            ledger.do(crowd.get_account(SUPERVISOR), "bases", "stop", stop)
            ledger.pass_time()
    ledger.pass_time(100)


def measure_withdrawals(meter: Meter) -> None:
    """Consents whose data went on to sixteen agencies; one was given by a key, one recorded."""
    ledger = meter.ledger
    provider, recipient = CHAIN[0], CHAIN[1]
    publish(ledger, NOTICE, RecordKind.NOTICE, sender=crowd.get_account(0))
    publish(ledger, PURPOSE, RecordKind.PURPOSE, sender=crowd.get_account(0))
    asked = _prepare_step(ledger, provider, recipient, 1)
    power = _hand_on(ledger, crowd.get_account(1), 300)
    given = draw(31_000)
    terms = build_consent(
        provider=asked["provider"],
        recipient=crowd.get_agency(recipient),
        dataset=asked["dataset"],
        valid_until=ledger.now + 10**9,
    )
    bound = (get_holder(1), draw(10), ledger.now + 10_000, ledger.now)
    meter.run(None, crowd.get_account(2), "consents", "bind_key", *bound)
    meter.run(None, stranger, "consents", "give", *give_args(ledger, given, 1, terms=terms))
    recorded = record_args(ledger, draw(31_001), **terms, mandate=power, mandate_scope=1)
    meter.run(None, crowd.get_account(recipient), "consents", "record", *recorded)
    asked["consent"] = given
    args = request_args(ledger, draw(5000), **asked)
    ledger.do(crowd.get_account(recipient), "exchanges", "request", args)
    released = [draw(5000), REQUEST, draw(6000), ledger.now]
    ledger.do(crowd.get_account(provider), "exchanges", "release", released)
    declared_at = ledger.now + 1
    ledger.pass_time(2)
    _hand_on_to_sixteen(ledger, recipient)
    signed = withdraw_signed_args(ledger, given, 1, declared_at=declared_at)
    for uid in (asked["sensitive_consent"], asked["cross_border_consent"]):
        withdrawn = (uid, draw(11), declared_at, ledger.now)
        meter.run(None, crowd.get_account(provider), "consents", "withdraw", *withdrawn)
    meter.run(None, stranger, "consents", "withdraw_signed", *signed)
    answer = (given, 3, asked["basis"], ledger.now + 10**6, ledger.now)
    meter.run(None, crowd.get_account(16), "consents", "answer_withdrawal", *answer)


def _hand_on_to_sixteen(ledger: Ledger, provider: int) -> None:
    """The agencies 1 to 16 get what the provider received, on a statute."""
    dataset, basis = draw(40_000), draw(40_001)
    register_dataset(ledger, dataset, owner=crowd.get_account(provider))
    scopes = [(NOTHING, NOTHING, dataset, PURPOSE, 0b1111)]
    entered = basis_args(ledger, basis, scopes=scopes)
    ledger.do(crowd.get_account(SUPERVISOR), "bases", "enter_basis", entered)
    for number in range(1, 17):
        instrument, uid = draw(41_000 + number), draw(42_000 + number)
        parties = {"provider": crowd.get_agency(provider), "recipient": crowd.get_agency(number)}
        filed = instrument_args(ledger, instrument, **parties, dataset=dataset)
        ledger.do(crowd.get_account(SUPERVISOR), "bases", "enter_instrument", filed)
        asked = {"provider": parties["provider"], "dataset": dataset, "basis": basis}
        links = build_links(onward_of=draw(5000))
        args = request_args(ledger, uid, links=links, instrument=instrument, **asked)
        ledger.do(crowd.get_account(number), "exchanges", "request", args)
        released = [uid, REQUEST, draw(6000), ledger.now]
        ledger.do(crowd.get_account(provider), "exchanges", "release", released)


def measure_policies(meter: Meter) -> None:
    """A policy that names thirty-two issuers, in place of an older one."""
    ledger, schema = meter.ledger, draw(1)
    ledger.register_schema(schema, owner=crowd.get_account(0))
    issuers = [crowd.get_agency(number) for number in range(32)]
    sides = (crowd.get_jurisdiction(0), crowd.get_jurisdiction(SUPERVISOR))
    for uid in (draw(2), draw(3)):
        terms = (*sides, schema, 86_400, 2, 1, ledger.now + 10**8, draw(4))
        proposed = (uid, terms, issuers, ledger.now)
        meter.run(None, crowd.get_account(0), "policies", "propose_policy", *proposed)
        signed = (uid, draw(4), ledger.now)
        meter.run(None, crowd.get_account(SUPERVISOR), "policies", "sign_policy", *signed)


def measure_votes(meter: Meter) -> None:
    """Votes of 64 agencies; the last one moves all 64 validators, or takes thirty out."""
    ledger, registry = meter.ledger, "agency_registry"
    first = Address(bytes(19) + b"\x01")  # before all others, so that each of them moves
    kinds: tuple[tuple[DecisionKind, list[Any]], ...] = (
        (DecisionKind.ADD_VALIDATOR, [crowd.get_agency(1), first]),
        (DecisionKind.SUSPEND_AGENCY, [crowd.get_agency(crowd.RICH)]),
    )
    for number, (kind, values) in enumerate(kinds, start=1):
        proposal = (int(kind), encode_payload(kind, values), draw(1), ledger.now + 86_400)
        meter.run(None, crowd.get_account(0), registry, "propose", *proposal)
        # Each jurisdiction of one has to approve, and seventeen of the first one's.
        voters = [*range(crowd.SAME_SIDE, crowd.SIZE), *range(16)]
        for voter in voters:
            ledger.do(crowd.get_account(voter), registry, "vote", [number, True])
        meter.run(None, crowd.get_account(16), registry, "vote", number, True)
        assert ledger.registry("proposal", number)["status"] == ProposalStatus.EXECUTED
    for paused in range(2, 17):
        until, supervisor = ledger.now + 86_400, crowd.get_account(0)
        if paused != crowd.RICH:
            call = (crowd.get_agency(paused), until, draw(2))
            meter.run(None, supervisor, registry, "pause_agency", *call)


def measure_leaves(meter: Meter) -> None:
    """A leaf of four thousand million, with a proof of thirty-two hashes."""
    ledger = meter.ledger
    provider, recipient = CHAIN[0], CHAIN[1]
    publish(ledger, NOTICE, RecordKind.NOTICE, sender=crowd.get_account(0))
    publish(ledger, PURPOSE, RecordKind.PURPOSE, sender=crowd.get_account(0))
    asked = _prepare_step(ledger, provider, recipient, 1, mode=STANDING)
    asked["valid_until"] = ledger.now + 10**6
    ledger.do(
        crowd.get_account(recipient), "exchanges", "request", request_args(ledger, draw(1), **asked)
    )
    ledger.do(crowd.get_account(provider), "exchanges", "begin_period", [draw(1), 1, ledger.now])
    path = [draw(100 + level) for level in range(32)]
    root = draw(99)
    for sibling in path:
        root = Hash32(sha256(b"\x01" + root + sibling).digest())
    for number, stated in ((provider, root), (recipient, draw(98))):
        args = (draw(1), 1, 2**32, stated, ledger.now)
        meter.run(None, crowd.get_account(number), "exchanges", "state_period", *args)
    named = (draw(1), 1, 0, draw(99), path, ledger.now)
    meter.run(None, crowd.get_account(provider), "exchanges", "name_leaf", *named)

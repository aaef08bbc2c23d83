"""What the calls of the ledger's law cost, through the proxies."""

from typing import Any

from eth_typing import Address, Hash32
from eth_utils.crypto import keccak

from contracts.codec import encode_call
from contracts.codes import RecordKind, Sharing
from contracts.testkeys import get_private_key
from tests.contracts.consent_harness import (
    get_holder,
    give_args,
    record_args,
    withdraw_signed_args,
)
from tests.contracts.contract_harness import (
    BUREAU,
    FIRST_SCHEMA,
    LABORATORY,
    NOTHING,
    Ledger,
    auditor,
    bureau,
    commission,
    laboratory,
    stranger,
)
from tests.contracts.exchange_harness import (
    NO_LINKS,
    REQUEST,
    STANDING,
    build_ledger,
    build_request,
    prepare_most,
)
from tests.contracts.law_harness import (
    CONDITIONAL,
    basis_args,
    build_domain,
    build_terms,
    fill_catalogue,
    instrument_args,
    relay_args,
)
from tests.contracts.mandate_harness import build_office, succeed_args


class Meter:
    """Runs calls on one ledger and notes their gas."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.gas: dict[str, int] = {}

    def run(
        self, label: str | None, sender: Address, contract: str, function: str, *args: Any
    ) -> None:
        outcome = self.ledger.send(sender, contract, function, args)
        assert outcome.succeeded, f"{contract}.{function}: {outcome.reason}"
        if label is not None:
            self.gas[f"`{label}`"] = outcome.gas_used
        self.ledger.pass_time()


def draw(number: int) -> Hash32:
    """Thirty-two bytes that look like real ones."""
    return Hash32(keccak(number.to_bytes(4, "big")))


def measure_law() -> dict[str, int]:
    """Run the calls of the ledger's law once, with arguments as long as real ones."""
    meter = Meter()
    measure_catalogue(meter)
    measure_bases(meter)
    measure_consents(meter)
    measure_exchanges(meter)
    measure_mandates(meter)
    measure_policies(meter)
    return meter.gas


def measure_catalogue(meter: Meter) -> None:
    now = meter.ledger.now
    terms = tuple(
        build_terms(
            sharing=int(Sharing.CONDITIONAL),
            fields_hash=draw(1),
            conditions_hash=draw(2),
            legal_reference=draw(3),
        ).values()
    )
    dataset = (draw(10), terms, now, NOTHING)
    meter.run("register_dataset", bureau, "catalogue", "register_dataset", *dataset)
    signed = relay_args(
        build_domain(meter.ledger, "catalogue"),
        bureau,
        get_private_key(2, "account"),
        encode_call("catalogue", "register_dataset", [draw(11), terms, now, draw(10)]),
    )
    label = "relay` of `register_dataset"
    meter.run(label, stranger, "catalogue", "relay", *signed)
    notice = (draw(12), int(RecordKind.NOTICE), draw(13), b"zh-Hant".ljust(32, b"\0"), now, NOTHING)
    meter.run("publish", bureau, "catalogue", "publish", *notice)
    meter.run("set_text_state", bureau, "catalogue", "set_text_state", draw(12), 2, 1, now)


def measure_bases(meter: Meter) -> None:
    fill_catalogue(meter.ledger)
    ledger = meter.ledger
    meter.run("enter_basis", auditor, "bases", "enter_basis", *basis_args(ledger))
    meter.run("enter_instrument", auditor, "bases", "enter_instrument", *instrument_args(ledger))
    stop = (draw(30), 2, draw(31), ledger.now + 10**7, draw(32), ledger.now)
    meter.run("stop", auditor, "bases", "stop", *stop)
    meter.run("lift", auditor, "bases", "lift", draw(30), ledger.now)


def measure_consents(meter: Meter) -> None:
    ledger = meter.ledger
    bind = (get_holder(1), draw(40), ledger.now + 10**6, ledger.now)
    meter.run("bind_key", laboratory, "consents", "bind_key", *bind)
    meter.run("give", stranger, "consents", "give", *give_args(ledger, draw(41), 1))
    meter.run("record", bureau, "consents", "record", *record_args(ledger, draw(42)))
    signed = withdraw_signed_args(ledger, draw(41), 1, declared_at=ledger.now)
    meter.run("withdraw_signed", stranger, "consents", "withdraw_signed", *signed)
    answer = (draw(41), 2, NOTHING, 0, ledger.now)
    meter.run("answer_withdrawal", commission, "consents", "answer_withdrawal", *answer)


def measure_exchanges(meter: Meter) -> None:
    """All three consents, which is the most that an exchange can rest on."""
    meter.ledger = build_ledger()
    ledger = meter.ledger
    fields = prepare_most(ledger)
    asked = build_request(ledger, **fields)
    meter.run("request", commission, "exchanges", "request", draw(50), asked, NO_LINKS, ledger.now)
    released = (draw(50), REQUEST, draw(51), ledger.now)
    meter.run("release", bureau, "exchanges", "release", *released)
    received = (draw(50), draw(51), ledger.now)
    meter.run("acknowledge", commission, "exchanges", "acknowledge", *received)
    for label, sender in ((None, bureau), ("void_exchange", commission)):
        meter.run(label, sender, "exchanges", "void_exchange", draw(50), 1, ledger.now)
    standing = build_request(ledger, mode=STANDING, valid_until=ledger.now + 10**6, **fields)
    meter.run(None, commission, "exchanges", "request", draw(52), standing, NO_LINKS, ledger.now)
    meter.run("begin_period", bureau, "exchanges", "begin_period", draw(52), 202611, ledger.now)
    stated = (draw(52), 202611, 50_000, draw(53), ledger.now)
    meter.run(None, bureau, "exchanges", "state_period", *stated)
    meter.run("state_period", commission, "exchanges", "state_period", *stated)
    conditional = build_request(ledger, dataset=CONDITIONAL)
    meter.run(None, laboratory, "exchanges", "request", draw(54), conditional, NO_LINKS, ledger.now)
    decided = (draw(54), True, 0, draw(55), ledger.now)
    meter.run("decide", bureau, "exchanges", "decide", *decided)


def measure_mandates(meter: Meter) -> None:
    ledger = meter.ledger
    eight = [build_office(draw(60 + number), grantee=draw(80 + number)) for number in range(8)]
    meter.run("record` of eight `mandates", bureau, "mandates", "record", eight, ledger.now)
    successors = [
        build_office(draw(70 + number), grantee=draw(90 + number), valid_from=ledger.now + 100)
        for number in range(8)
    ]
    succession = succeed_args(ledger, draw(78), entries=successors, effective=ledger.now + 100)
    meter.run("succeed` with a board of `eight", bureau, "mandates", "succeed", *succession)
    meter.run("mandates.end", bureau, "mandates", "end", draw(60), 4, ledger.now)


def measure_policies(meter: Meter) -> None:
    ledger = meter.ledger
    ledger.register_schema()
    sides = [name.ljust(32, b"\0") for name in (b"MO", b"CN-GD")]
    terms = (*sides, FIRST_SCHEMA, 86_400, 2, ledger.now, ledger.now + 10**8, draw(98))
    proposed = (draw(99), terms, [LABORATORY, BUREAU], ledger.now)
    meter.run("propose_policy", bureau, "policies", "propose_policy", *proposed)
    meter.run("sign_policy", commission, "policies", "sign_policy", draw(99), draw(98), ledger.now)
    suspended = (draw(99), 5, ledger.now)
    meter.run("suspend_policy", bureau, "policies", "suspend_policy", *suspended)

"""What the calls of the ledger's law cost, through the proxies."""

from atesta_client.trees import build_tree

from contracts.codec import encode_call
from contracts.codes import LateReason, RecordKind, Sharing
from contracts.testkeys import get_private_key
from tests.contracts.consent_harness import (
    get_holder,
    give_args,
    record_args,
    withdraw_signed_args,
)
from tests.contracts.contract_harness import (
    BUREAU,
    COMMISSION,
    FIRST_SCHEMA,
    LABORATORY,
    NOTHING,
    auditor,
    bureau,
    commission,
    laboratory,
    stranger,
)
from tests.contracts.exchange_harness import (
    GENERAL,
    NO_LINKS,
    REQUEST,
    STANDING,
    build_ledger,
    build_links,
    build_request,
    prepare_most,
)
from tests.contracts.gas_meter import Meter, draw
from tests.contracts.law_harness import (
    CONDITIONAL,
    basis_args,
    build_domain,
    build_terms,
    fill_catalogue,
    instrument_args,
    relay_args,
)
from tests.contracts.mandate_harness import MANDATE, build_entry, build_office, record, succeed_args
from tests.contracts.onward_harness import (
    FIRST,
    SECOND,
    ask_args,
    build_onward_ledger,
    pass_first_by_consent,
    transport,
)


def measure_law(meter: Meter) -> None:
    """Run the calls of the ledger's law once, with arguments as long as real ones."""
    measure_catalogue(meter)
    measure_bases(meter)
    measure_consents(meter)
    measure_exchanges(meter)
    measure_onward(meter)
    measure_mandates(meter)
    measure_policies(meter)


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
    late = encode_call("catalogue", "set_text_state", [draw(12), 1, 1, now - 10**6])
    label = "act_late` of `set_text_state"
    meter.run(label, bureau, "catalogue", "act_late", late, draw(14), int(LateReason.OUTAGE))


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
    measure_leaves(meter)
    conditional = build_request(ledger, dataset=CONDITIONAL)
    meter.run(None, laboratory, "exchanges", "request", draw(54), conditional, NO_LINKS, ledger.now)
    decided = (draw(54), True, 0, draw(55), ledger.now)
    meter.run("decide", bureau, "exchanges", "decide", *decided)


def measure_leaves(meter: Meter) -> None:
    """One of 50,000 leaves of a period that the two sides state differently."""
    now = meter.ledger.now
    sent = build_tree([draw(number) for number in range(50_000)])
    meter.run(None, bureau, "exchanges", "begin_period", draw(52), 202612, now)
    for sender, root in ((bureau, sent.root), (commission, draw(56))):
        stated = (draw(52), 202612, sent.size, root, now)
        meter.run(None, sender, "exchanges", "state_period", *stated)
    path = list(sent.compute_path(4711))
    named = (draw(52), 202612, 4711, sent.levels[0][4711], path, now)
    meter.run("name_leaf` among `50,000", bureau, "exchanges", "name_leaf", *named)


def measure_onward(meter: Meter) -> None:
    """Data that came by consent across the border are handed on, for somebody with a mandate."""
    meter.ledger = build_onward_ledger()
    ledger = meter.ledger
    pass_first_by_consent(ledger)
    record(ledger, build_entry())
    asked = ask_args(ledger, SECOND, COMMISSION)
    asked[2] = build_links(onward_of=FIRST, mandate=MANDATE, mandate_scope=1, mandate_amount=10)
    label = "request` to hand on, with a `mandate"
    meter.run(label, transport, "exchanges", "request", *asked)
    released = (SECOND, REQUEST, draw(51), ledger.now)
    label = "release` of what is `handed on"
    meter.run(label, commission, "exchanges", "release", *released)
    withdrawn = (GENERAL, draw(57), ledger.now, ledger.now)
    label = "withdraw` what was `handed on"
    meter.run(label, bureau, "consents", "withdraw", *withdrawn)


def measure_mandates(meter: Meter) -> None:
    meter.ledger = build_ledger()
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

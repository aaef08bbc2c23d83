"""Exchanges and consents for somebody whose mandate the actor holds."""

from typing import Any

import pytest

from contracts.codes import ConsentKind, Reason
from tests.contracts.consent_harness import CONSENT, record_args
from tests.contracts.contract_harness import (
    NOTHING,
    Ledger,
    bureau,
    laboratory,
    uid_of,
)
from tests.contracts.exchange_harness import (
    EXCHANGE,
    OFFICER,
    REQUEST,
    RESPONSE,
    act,
    build_ledger,
    build_links,
    read_state,
    refuse,
    request,
    request_args,
    request_conditional,
    request_standing,
)
from tests.contracts.mandate_harness import (
    GUARDIANSHIP,
    MANDATE,
    build_entry,
    build_office,
    record,
    succeed_args,
)

USED = {"mandate": MANDATE, "mandate_scope": 0b01, "mandate_amount": 100}
SECOND = uid_of(6003)
OTHER = uid_of(3053)


@pytest.fixture
def ledger() -> Ledger:
    return build_ledger()


def end(ledger: Ledger, uid: bytes = MANDATE) -> None:
    ledger.do(bureau, "mandates", "end", [uid, int(Reason.HOLDER), ledger.now])


def refuse_request(ledger: Ledger, **changes: Any) -> str | None:
    args = request_args(ledger, OTHER, links=build_links(**(USED | changes)))
    return ledger.refuse(laboratory, "exchanges", "request", args)


def test_request_under_a_mandate_names_it(ledger: Ledger) -> None:
    record(ledger, build_entry())
    requested, _ = request(ledger, links=build_links(**USED))
    assert requested.args["links"] == USED | {"onward_of": NOTHING}
    assert ledger.read("exchanges", "links", EXCHANGE) == USED | {"onward_of": NOTHING}
    act(ledger, bureau, "release", REQUEST, RESPONSE)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mandate": uid_of(5)}, "mandate: unknown"),
        ({"mandate_scope": 0b100}, "mandate: out of scope"),
        ({"mandate_scope": 0}, "mandate: out of scope"),
        ({"mandate_amount": 501}, "mandate: over the limit"),
        ({"mandate": NOTHING}, "exchange: mandate missing"),
        ({"mandate": NOTHING, "mandate_scope": 0}, "exchange: mandate missing"),
    ],
)
def test_request_beyond_its_mandate_is_refused(
    ledger: Ledger, changes: dict[str, Any], reason: str
) -> None:
    record(ledger, build_entry())
    assert refuse_request(ledger, **changes) == reason


def test_ended_mandate_authorises_no_step(ledger: Ledger) -> None:
    record(ledger, build_entry())
    request_conditional(ledger, links=build_links(**USED))
    standing = uid_of(3050)
    request_standing(ledger, standing, links=build_links(**USED))
    once = uid_of(3051)
    request(ledger, once, links=build_links(**USED))
    end(ledger)
    assert refuse_request(ledger) == "mandate: ended"
    assert refuse(ledger, bureau, "decide", True, 0, OFFICER) == "mandate: ended"
    for function, args in (
        ("begin_period", [standing, 1, ledger.now]),
        ("release", [once, REQUEST, RESPONSE, ledger.now]),
    ):
        assert ledger.refuse(bureau, "exchanges", function, args) == "mandate: ended"
    # What needs no authority any more goes on.
    act(ledger, bureau, "decide", False, int(Reason.LAW), OFFICER)
    ledger.do(bureau, "exchanges", "end", [standing, int(Reason.LAW), ledger.now])


def test_expired_mandate_authorises_no_release(ledger: Ledger) -> None:
    record(ledger, build_entry(valid_until=ledger.now + 100))
    request(ledger, links=build_links(**USED))
    ledger.pass_time(100)
    assert refuse(ledger, bureau, "release", REQUEST, RESPONSE) == "mandate: expired"


def test_office_of_the_old_board_authorises_no_release_while_a_power_survives(
    ledger: Ledger,
) -> None:
    record(ledger, build_office(), build_entry(SECOND))
    other = uid_of(3052)
    request(ledger, links=build_links(**USED))
    request(ledger, other, links=build_links(**(USED | {"mandate": SECOND})))
    ledger.do(bureau, "mandates", "succeed", succeed_args(ledger, uid_of(6500)))
    act(ledger, bureau, "release", REQUEST, RESPONSE)
    ledger.pass_time(100)
    assert refuse(ledger, bureau, "release", REQUEST, RESPONSE) == "mandate: office ended"
    ledger.do(bureau, "exchanges", "release", [other, REQUEST, RESPONSE, ledger.now])
    assert read_state(ledger, other) == 4


# ------------------------------------------------------------------ consents


def test_consent_is_given_by_a_guardian(ledger: Ledger) -> None:
    record(ledger, build_entry(kind=GUARDIANSHIP))
    args = record_args(ledger, mandate=MANDATE, mandate_scope=0b10)
    (event,) = ledger.do(bureau, "consents", "record", args)
    assert event.args["mandate"] == MANDATE
    assert ledger.read("consents", "mandate_of", CONSENT) == MANDATE
    # It was given while the guardian was one, and stays given.
    end(ledger)
    assert ledger.read("consents", "consent", CONSENT)["state"] == 1
    late = record_args(
        ledger,
        SECOND,
        mandate=MANDATE,
        mandate_scope=0b10,
        kind=int(ConsentKind.SENSITIVE),
    )
    assert ledger.refuse(bureau, "consents", "record", late) == "mandate: ended"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mandate": uid_of(5), "mandate_scope": 1}, "mandate: unknown"),
        ({"mandate": MANDATE, "mandate_scope": 0b100}, "mandate: out of scope"),
        ({"mandate": MANDATE, "mandate_scope": 0}, "mandate: out of scope"),
        ({"mandate": NOTHING, "mandate_scope": 1}, "consent: mandate missing"),
    ],
)
def test_consent_beyond_a_guardianship_is_refused(
    ledger: Ledger, changes: dict[str, Any], reason: str
) -> None:
    record(ledger, build_entry(kind=GUARDIANSHIP))
    args = record_args(ledger, **changes)
    assert ledger.refuse(bureau, "consents", "record", args) == reason


def test_consent_of_the_person_names_no_mandate(ledger: Ledger) -> None:
    ledger.do(bureau, "consents", "record", record_args(ledger))
    assert ledger.read("consents", "mandate_of", CONSENT) == NOTHING

"""A ledger with a record of every kind, on which others try what is not theirs.

Besides the usual four agencies there is an outsider: an agency of a third jurisdiction with every
role but the supervisor's, to which nothing on this ledger belongs; and a second supervisor.
"""

from collections.abc import Mapping
from typing import Final

from eth_typing import Address

from contracts.codes import ALL_ROLES, ConsentKind, Role
from contracts.decisions import DecisionKind
from contracts.testkeys import get_address
from tests.contracts.consent_harness import CONSENT, record_args
from tests.contracts.contract_harness import (
    COMMISSION,
    FIRST_SCHEMA,
    LABORATORY,
    NOTHING,
    Ledger,
    auditor,
    batch_args,
    bureau,
    clerk,
    commission,
    laboratory,
    stranger,
    uid_of,
)
from tests.contracts.exchange_harness import (
    REQUEST,
    RESPONSE,
    build_ledger,
    request,
    request_conditional,
    request_standing,
)
from tests.contracts.mandate_harness import build_office
from tests.contracts.test_contracts_policies import AGREEMENT, policy_args

OUTSIDER: Final = uid_of(900)
outsider: Final = get_address(9, "account")
deployer: Final = get_address(2, "deployer")
second_supervisor: Final = get_address(8, "account")
CALLERS: Final[Mapping[str, Address]] = {
    "laboratory": laboratory,
    "clerk": clerk,
    "bureau": bureau,
    "deployer": deployer,
    "commission": commission,
    "auditor": auditor,
    "second supervisor": second_supervisor,
    "outsider": outsider,
    "stranger": stranger,
}
"""Everybody who may try, by name; the stranger's key belongs to no agency."""

SECOND_SCHEMA = uid_of(2)
RECORD, BATCH = uid_of(100), uid_of(200)
DEMANDED, WITHDRAWN = uid_of(2011), uid_of(2012)
ASKED, APPROVED, RELEASED, STANDING, STATED = (uid_of(3300 + number) for number in range(5))
STOP, PROPOSED, IN_FORCE, SUSPENDED = (uid_of(3400 + number) for number in range(4))
NEW = uid_of(3500)
PERIOD = 7


def build_world() -> Ledger:
    """The ledger on which all changes of `foreign_harness` can be made by who is entitled."""
    ledger = build_ledger()
    supervises = Role.ADMIN | Role.GOVERN | Role.SUPERVISE | Role.EXCHANGE | Role.DECIDE
    ledger.decide(DecisionKind.SET_ROLES, [COMMISSION, int(supervises | Role.SCHEMA | Role.ISSUE)])
    ledger.decide(DecisionKind.ADD_KEY, [COMMISSION, second_supervisor, int(Role.SUPERVISE), 0, 0])
    roles = int(ALL_ROLES & ~Role.SUPERVISE)
    jurisdiction = b"HK".ljust(32, b"\0")
    ledger.decide(
        DecisionKind.ADMIT_AGENCY,
        [OUTSIDER, jurisdiction, NOTHING, roles, outsider, NOTHING],
    )
    for schema in (FIRST_SCHEMA, SECOND_SCHEMA):
        ledger.register_schema(schema)
    ledger.accredit(FIRST_SCHEMA, LABORATORY)
    ledger.attest(RECORD, FIRST_SCHEMA)
    batch = batch_args(ledger, BATCH, FIRST_SCHEMA)
    ledger.do(laboratory, "attestations", "attest_batch", batch)
    stop = [STOP, 1, uid_of(3), ledger.now + 1000, uid_of(4), ledger.now]
    ledger.do(auditor, "bases", "stop", stop)
    _add_consents(ledger)
    _add_exchanges(ledger)
    ledger.do(bureau, "mandates", "record", [[build_office()], ledger.now])
    # A policy takes the place of the one for the same schema, so the suspended one has its own.
    for uid, schema in (
        (PROPOSED, FIRST_SCHEMA),
        (IN_FORCE, FIRST_SCHEMA),
        (SUSPENDED, SECOND_SCHEMA),
    ):
        args = policy_args(ledger, uid, schema=schema)
        ledger.do(bureau, "policies", "propose_policy", args)
    for uid in (IN_FORCE, SUSPENDED):
        ledger.do(commission, "policies", "sign_policy", [uid, AGREEMENT, ledger.now])
    ledger.do(bureau, "policies", "suspend_policy", [SUSPENDED, 5, ledger.now])
    ledger.pass_time()
    return ledger


def _add_consents(ledger: Ledger) -> None:
    for uid, kind in (
        (CONSENT, ConsentKind.GENERAL),
        (DEMANDED, ConsentKind.SENSITIVE),
        (WITHDRAWN, ConsentKind.CROSS_BORDER),
    ):
        args = record_args(ledger, uid, kind=int(kind))
        ledger.do(commission, "consents", "record", args)
    ledger.do(bureau, "consents", "demand_confirmation", [DEMANDED, ledger.now])
    ledger.do(bureau, "consents", "withdraw", [WITHDRAWN, uid_of(5), ledger.now, ledger.now])


def _add_exchanges(ledger: Ledger) -> None:
    request_conditional(ledger, ASKED)
    for uid in (APPROVED, RELEASED):
        request(ledger, uid)
    ledger.do(bureau, "exchanges", "release", [RELEASED, REQUEST, RESPONSE, ledger.now])
    for uid in (STANDING, STATED):
        request_standing(ledger, uid)
    ledger.do(bureau, "exchanges", "begin_period", [STATED, PERIOD, ledger.now])
    for sender, root in ((bureau, RESPONSE), (laboratory, REQUEST)):
        stated = [STATED, PERIOD, 1, root, ledger.now]
        ledger.do(sender, "exchanges", "state_period", stated)

"""Every change of the ledger that a key makes: who is entitled to it, how others are refused."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eth_typing import Address

from contracts.codes import RecordKind, Role
from tests.contracts.consent_harness import CONSENT, record_args
from tests.contracts.contract_harness import (
    FIRST_SCHEMA,
    LABORATORY,
    NOTHING,
    Ledger,
    attest_args,
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
    OFFICER,
    REQUEST,
    RESPONSE,
    request_args,
)
from tests.contracts.foreign_world import (
    APPROVED,
    ASKED,
    BATCH,
    DEMANDED,
    IN_FORCE,
    NEW,
    OUTSIDER,
    PERIOD,
    PROPOSED,
    RECORD,
    RELEASED,
    STANDING,
    STATED,
    STOP,
    SUSPENDED,
    WITHDRAWN,
    outsider,
    second_supervisor,
)
from tests.contracts.law_harness import (
    INSTRUMENT,
    NOTICE,
    ORDINARY,
    STATUTE_BASIS,
    basis_args,
    build_terms,
    instrument_args,
)
from tests.contracts.mandate_harness import BODY, MANDATE, build_office, succeed_args
from tests.contracts.test_contracts_policies import AGREEMENT, policy_args


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of the ledger, and who is entitled to it."""

    contract: str
    function: str
    role: Role
    """Which a key needs."""
    entitled: tuple[Address, ...]
    """Whose change it is."""
    refusal: str
    """How others are refused who have the role."""
    build: Callable[[Ledger], Sequence[Any]]
    """The arguments, with the event time last."""
    exceptions: Mapping[Address, str] = field(default_factory=dict)
    """Who is refused otherwise."""

    def expect(self, ledger: Ledger, caller: Address) -> str:
        """How a caller is refused who is not entitled."""
        if caller == stranger:
            return "key: unknown"
        if not ledger.registry("is_authorised", caller, int(self.role)):
            return "key: role missing"
        return self.exceptions.get(caller, self.refusal)


def _at(*args: Any) -> Callable[[Ledger], Sequence[Any]]:
    return lambda ledger: [*args, ledger.now]


_BOTH_SIDES: Final = (laboratory, bureau)
_GOVERNORS: Final = (laboratory, bureau, auditor, commission)

CHANGES: Final[tuple[Change, ...]] = (
    *(
        Change(
            contract="schemas",
            function=function,
            role=Role.SCHEMA,
            entitled=(bureau,),
            refusal="schema: not yours",
            build=build,
        )
        for function, build in (
            ("set_state", _at(FIRST_SCHEMA, 2, 1)),
            ("accredit", _at(FIRST_SCHEMA, OUTSIDER)),
            ("withdraw_accreditation", _at(FIRST_SCHEMA, LABORATORY, 1)),
        )
    ),
    Change(
        contract="schemas",
        function="register",
        role=Role.SCHEMA,
        entitled=(bureau,),
        refusal="schema: previous not yours",
        build=lambda ledger: [NEW, uid_of(1), uid_of(2), 3, ledger.now, FIRST_SCHEMA],
    ),
    Change(
        contract="attestations",
        function="attest",
        role=Role.ISSUE,
        entitled=(laboratory, clerk),
        refusal="attestation: not accredited",
        build=lambda ledger: attest_args(ledger, NEW, FIRST_SCHEMA, previous=RECORD),
    ),
    Change(
        contract="attestations",
        function="attest_batch",
        role=Role.ISSUE,
        entitled=(laboratory, clerk),
        refusal="attestation: not accredited",
        build=lambda ledger: batch_args(ledger, NEW, FIRST_SCHEMA),
    ),
    *(
        Change(
            contract="attestations",
            function=function,
            role=Role.ISSUE,
            entitled=(laboratory, clerk),
            refusal="attestation: not yours",
            build=build,
        )
        for function, build in (
            ("set_state", _at(RECORD, 3, 1)),
            ("set_leaf_state", _at(BATCH, 0, 3, 1)),
        )
    ),
    Change(
        contract="catalogue",
        function="register_dataset",
        role=Role.SCHEMA,
        entitled=(bureau,),
        refusal="dataset: previous not yours",
        build=lambda ledger: [NEW, tuple(build_terms().values()), ledger.now, ORDINARY],
    ),
    Change(
        contract="catalogue",
        function="set_dataset_state",
        role=Role.SCHEMA,
        entitled=(bureau,),
        refusal="dataset: not yours",
        build=_at(ORDINARY, 2, 1),
    ),
    Change(
        contract="catalogue",
        function="publish",
        role=Role.SCHEMA,
        entitled=(bureau,),
        refusal="text: previous not yours",
        build=lambda ledger: [
            NEW,
            int(RecordKind.NOTICE),
            uid_of(1),
            b"zh-Hant".ljust(32, b"\0"),
            ledger.now,
            NOTICE,
        ],
    ),
    Change(
        contract="catalogue",
        function="set_text_state",
        role=Role.SCHEMA,
        entitled=(bureau,),
        refusal="text: not yours",
        build=_at(NOTICE, 2, 1),
    ),
    Change(
        contract="bases",
        function="enter_basis",
        role=Role.GOVERN,
        entitled=(auditor, second_supervisor),
        refusal="basis: neither supervisor nor vote",
        build=lambda ledger: basis_args(ledger, NEW),
        exceptions={second_supervisor: "key: role missing"},
    ),
    Change(
        contract="bases",
        function="set_basis_state",
        role=Role.GOVERN,
        entitled=(auditor, second_supervisor),
        refusal="basis: neither supervisor nor vote",
        build=_at(STATUTE_BASIS, 2, 1),
    ),
    Change(
        contract="bases",
        function="enter_instrument",
        role=Role.SUPERVISE,
        entitled=(auditor,),
        refusal="instrument: entered by its user",
        build=lambda ledger: instrument_args(ledger, NEW),
    ),
    Change(
        contract="bases",
        function="set_instrument_state",
        role=Role.SUPERVISE,
        entitled=(auditor,),
        refusal="instrument: not yours",
        build=_at(INSTRUMENT, 2, 1),
    ),
    Change(
        contract="bases",
        function="stop",
        role=Role.SUPERVISE,
        entitled=(auditor, second_supervisor),
        refusal="key: role missing",
        build=lambda ledger: [NEW, 1, ORDINARY, ledger.now + 1000, uid_of(4), ledger.now],
    ),
    Change(
        contract="bases",
        function="lift",
        role=Role.SUPERVISE,
        entitled=(auditor,),
        refusal="stop: not yours",
        build=_at(STOP),
    ),
    Change(
        contract="consents",
        function="bind_key",
        role=Role.EXCHANGE,
        entitled=(laboratory, bureau, commission, outsider),
        refusal="key: role missing",
        build=lambda ledger: [Address(b"\x31" * 20), uid_of(1), ledger.now + 1000, ledger.now],
    ),
    Change(
        contract="consents",
        function="record",
        role=Role.EXCHANGE,
        entitled=(laboratory, bureau, commission, outsider),
        refusal="key: role missing",
        build=lambda ledger: record_args(ledger, NEW),
    ),
    Change(
        contract="consents",
        function="demand_confirmation",
        role=Role.EXCHANGE,
        entitled=(bureau,),
        refusal="consent: not yours",
        build=_at(CONSENT),
    ),
    Change(
        contract="consents",
        function="confirm",
        role=Role.EXCHANGE,
        entitled=(laboratory, bureau, outsider),
        refusal="confirmation: by the beneficiary",
        build=_at(DEMANDED, uid_of(1)),
    ),
    Change(
        contract="consents",
        function="withdraw",
        role=Role.EXCHANGE,
        entitled=(bureau, commission),
        refusal="consent: not yours",
        build=lambda ledger: [CONSENT, uid_of(1), ledger.now, ledger.now],
    ),
    Change(
        contract="consents",
        function="answer_withdrawal",
        role=Role.EXCHANGE,
        entitled=(commission,),
        refusal="consent: not yours",
        build=_at(WITHDRAWN, 1, NOTHING, 0),
    ),
    Change(
        contract="exchanges",
        function="request",
        role=Role.EXCHANGE,
        entitled=(laboratory,),
        refusal="instrument: missing",
        build=lambda ledger: request_args(ledger, NEW),
        exceptions={bureau: "exchange: with itself"},
    ),
    Change(
        contract="exchanges",
        function="decide",
        role=Role.DECIDE,
        entitled=(bureau,),
        refusal="exchange: not yours",
        build=_at(ASKED, True, 0, OFFICER),
        exceptions={laboratory: "exchange: own request"},
    ),
    *(
        Change(
            contract="exchanges",
            function=function,
            role=Role.EXCHANGE,
            entitled=entitled,
            refusal="exchange: not yours",
            build=build,
        )
        for function, entitled, build in (
            ("cancel", (laboratory,), _at(ASKED)),
            ("release", (bureau,), _at(APPROVED, REQUEST, RESPONSE)),
            ("acknowledge", (laboratory,), _at(RELEASED, RESPONSE)),
            ("void_exchange", _BOTH_SIDES, _at(RELEASED, 1)),
            ("end", _BOTH_SIDES, _at(STANDING, 1)),
            ("begin_period", (bureau,), _at(STANDING, PERIOD)),
            ("state_period", _BOTH_SIDES, _at(STATED, PERIOD, 2, RESPONSE)),
        )
    ),
    Change(
        contract="exchanges",
        function="name_leaf",
        role=Role.EXCHANGE,
        entitled=(bureau,),
        refusal="exchange: not yours",
        build=_at(STATED, PERIOD, 0, RESPONSE, []),
        exceptions={laboratory: "period: leaf not under the root"},
    ),
    Change(
        contract="mandates",
        function="record",
        role=Role.EXCHANGE,
        entitled=(bureau,),
        refusal="mandate: another agency keeps the body",
        build=lambda ledger: [[build_office(NEW)], ledger.now],
    ),
    Change(
        contract="mandates",
        function="end",
        role=Role.EXCHANGE,
        entitled=(bureau,),
        refusal="mandate: not yours",
        build=_at(MANDATE, 1),
    ),
    Change(
        contract="mandates",
        function="succeed",
        role=Role.EXCHANGE,
        entitled=(bureau,),
        refusal="succession: not yours",
        build=lambda ledger: succeed_args(ledger, NEW, body=BODY),
    ),
    Change(
        contract="policies",
        function="propose_policy",
        role=Role.GOVERN,
        entitled=_GOVERNORS,
        refusal="policy: of neither side",
        build=lambda ledger: policy_args(ledger, NEW),
    ),
    Change(
        contract="policies",
        function="sign_policy",
        role=Role.GOVERN,
        entitled=(commission,),
        refusal="policy: signed by your side",
        build=_at(PROPOSED, AGREEMENT),
        exceptions={outsider: "policy: of neither side"},
    ),
    *(
        Change(
            contract="policies",
            function=function,
            role=Role.GOVERN,
            entitled=_GOVERNORS,
            refusal="policy: of neither side",
            build=_at(IN_FORCE, 1),
        )
        for function in ("suspend_policy", "end_policy")
    ),
    Change(
        contract="policies",
        function="reinstate_policy",
        role=Role.GOVERN,
        entitled=(laboratory, bureau, auditor),
        refusal="policy: not suspended by your side",
        build=_at(SUSPENDED, 1),
        exceptions={outsider: "policy: of neither side"},
    ),
)
"""Every change that an agency makes by a key of its own, one for each function."""

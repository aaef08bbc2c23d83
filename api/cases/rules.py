"""What can be irregular about an exchange, as a table.

The contracts let nothing pass that the law does not cover, so most of what an auditor looks for
cannot happen. What remains are duties in time, gaps in the agency's own files, and things that only
become wrong later. A rule looks at the facts of one exchange and tells, or tells not.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from atesta_client.envelopes import Envelope
from sqlalchemy import Row

from api.acts.exchange_request import CASE_ROLE, OFFICER_ROLE, REQUEST_ROLE
from api.acts.exchanges import RECEIVED_ROLE
from api.cases.facts import ExchangeFacts, RecordFacts
from api.cases.likeness import AskedElsewhere
from contracts.codes import ExchangeState, PeriodState, RecordState

ACKNOWLEDGE_WITHIN_S: Final = 3 * 86_400
"""What was released should have been received, and said so, within three days."""

STATE_WITHIN_S: Final = 7 * 86_400
"""Both sides should have stated a period within a week of its last change."""

_LIVE: Final = frozenset(
    {
        ExchangeState.REQUESTED,
        ExchangeState.APPROVED,
        ExchangeState.RELEASED,
        ExchangeState.RECEIVED,
        ExchangeState.DISPUTED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of irregularity."""

    code: str
    """Stable code for programs."""
    text: str
    """What is wrong, for officials."""
    next_step: str
    """What to do."""
    holds: Callable[[ExchangeFacts], bool]
    """Whether the exchange is irregular in this way."""


def list_irregularities(facts: ExchangeFacts) -> tuple[Rule, ...]:
    """Return the rules that an exchange offends, in the order of the table."""
    return tuple(rule for rule in RULES if rule.holds(facts))


def _lacks(role: str, commitment: str) -> Callable[[ExchangeFacts], bool]:
    """Return whether the vault cannot open a commitment of the request."""

    def holds(facts: ExchangeFacts) -> bool:
        if facts.restriction is not None:
            return False
        envelope: Envelope | None = facts.materials.get(role)
        return envelope is None or "0x" + envelope.commitment.hex() != facts.asked[commitment]

    return holds


def _is_decision_overdue(facts: ExchangeFacts) -> bool:
    return facts.row.state == ExchangeState.REQUESTED and _is_past(facts.row.due_s, facts.now_s)


def _was_decided_late(facts: ExchangeFacts) -> bool:
    decided = facts.find_event(ExchangeState.APPROVED) or facts.find_event(ExchangeState.REFUSED)
    return decided is not None and _is_past(facts.row.due_s, decided.event_time_s)


def _is_not_released(facts: ExchangeFacts) -> bool:
    is_once = facts.row.subkind == 1
    is_waiting = facts.row.state == ExchangeState.APPROVED
    return is_once and is_waiting and _is_past(facts.row.due_s, facts.now_s)


def _is_not_acknowledged(facts: ExchangeFacts) -> bool:
    if facts.row.state != ExchangeState.RELEASED:
        return False
    released = _list_releases(facts)[-1]
    return facts.now_s > int(released.time_s) + ACKNOWLEDGE_WITHIN_S


def _is_unequal(facts: ExchangeFacts) -> bool:
    return bool(facts.row.state == ExchangeState.DISPUTED)


def _lacks_received(facts: ExchangeFacts) -> bool:
    is_kept = not _is_past(facts.asked["retention_until"], facts.now_s) and not facts.restriction
    return (
        facts.row.state == ExchangeState.RECEIVED
        and is_kept
        and (RECEIVED_ROLE not in facts.materials)
    )


def _is_kept_too_long(facts: ExchangeFacts) -> bool:
    is_over = _is_past(facts.asked["retention_until"], facts.now_s)
    return is_over and RECEIVED_ROLE in facts.materials


def _is_unanswered(facts: ExchangeFacts) -> bool:
    own = "0x" + bytes(facts.row.agency).hex()
    return any(
        answer["recipient"] == own and answer["is_overdue"]
        for consent in facts.consents
        for answer in (consent.live or {}).get("answers", ())
    )


def _was_released_after_withdrawal(facts: ExchangeFacts) -> bool:
    return any(
        released.event_time_s >= consent.row.ended_s
        for consent in facts.consents
        if consent.row.ended_s is not None
        for released in _list_releases(facts)
    )


def _waits_for_confirmation(facts: ExchangeFacts) -> bool:
    return any(consent.row.state == RecordState.SUSPENDED for consent in facts.consents)


def _is_half_void(facts: ExchangeFacts) -> bool:
    return bool(facts.live["void_by"]) and bool(facts.row.state != ExchangeState.VOID)


def _was_posted_late(facts: ExchangeFacts) -> bool:
    return bool(facts.row.is_late) or any(
        event.kind.endswith(".marked_late") for event in facts.events
    )


def _asks_beyond_need(facts: ExchangeFacts) -> bool:
    if facts.case_file is None or facts.fields is None:
        return False
    needed = set(facts.case_file.needs.get(facts.asked["dataset"], ()))
    if facts.dataset_likeness is not None:
        needed |= set(facts.elsewhere.needs.get(facts.dataset_likeness, ()))
    return not set(facts.fields) <= needed


def _has_another_purpose(facts: ExchangeFacts) -> bool:
    if facts.case_file is None or facts.case_file.purpose == facts.asked["purpose"]:
        return False
    there = facts.elsewhere.purpose
    return there is None or there != facts.purpose_likeness


def _was_asked_before(facts: ExchangeFacts) -> bool:
    """Tell whether an earlier, living request of the same case asks the same of the same agency."""
    is_alive = facts.row.subkind == 1 and facts.row.state in _LIVE
    if not is_alive:
        return False
    here = (
        other
        for other in facts.siblings
        if other.position < facts.row.position and _names_same(other, facts)
    )
    # Heights of two ledgers do not compare, their times do.
    there = (
        other.row
        for other in facts.elsewhere.asked
        if other.row.time_s < facts.row.time_s and _is_alike(other, facts)
    )
    return any(
        other.state in _LIVE and bytes(other.counterparty) == bytes(facts.row.counterparty)
        for other in (*here, *there)
    )


def _has_mismatch(facts: ExchangeFacts) -> bool:
    return any(period.state == PeriodState.MISMATCHED for period in facts.periods)


def _lacks_statement(facts: ExchangeFacts) -> bool:
    return any(
        period.state == PeriodState.BEGUN and facts.now_s > period.time_s + STATE_WITHIN_S
        for period in facts.periods
    )


def _was_not_covered(facts: ExchangeFacts) -> bool:
    needed: list[RecordFacts | None] = [facts.basis, *facts.consents]
    return any(fact is None or not fact.was_active(at) for at in facts.judged_s for fact in needed)


def _list_releases(facts: ExchangeFacts) -> list[Row[Any]]:
    return [event for event in facts.events if event.state == ExchangeState.RELEASED]


def _is_past(limit_s: int | None, at_s: int) -> bool:
    return bool(limit_s) and at_s > int(limit_s or 0)


def _names_same(other: Row[Any], facts: ExchangeFacts) -> bool:
    asked, mine = _read_request(other), facts.asked
    return all(asked[name] == mine[name] for name in ("dataset", "purpose", "fields"))


def _is_alike(other: AskedElsewhere, facts: ExchangeFacts) -> bool:
    """Tell whether an exchange on another ledger asks for the same."""
    return (
        other.dataset is not None
        and other.dataset == facts.dataset_likeness
        and other.purpose is not None
        and other.purpose == facts.purpose_likeness
        and other.fields == facts.asked["fields"]
    )


def _read_request(row: Row[Any]) -> dict[str, Any]:
    request: dict[str, Any] = json.loads(row.terms)["request"]
    return request


RULES: Final = (
    Rule(
        code="case_file_gap",
        text="the vault does not have the case number behind the ledger's commitment",
        next_step="look for the case in the agency's backups",
        holds=_lacks(CASE_ROLE, "case_commitment"),
    ),
    Rule(
        code="officer_unknown",
        text="the vault does not have the officer behind the ledger's commitment",
        next_step="find out who asked, from the agency's files",
        holds=_lacks(OFFICER_ROLE, "officer"),
    ),
    Rule(
        code="request_gap",
        text="the vault does not have the request behind the ledger's commitment",
        next_step="ask the provider for the request envelope",
        holds=_lacks(REQUEST_ROLE, "request_commitment"),
    ),
    Rule(
        code="not_covered",
        text="basis or consent was not in force at a step that needs it",
        next_step="report it to the supervisor: the contracts should have refused it",
        holds=_was_not_covered,
    ),
    Rule(
        code="decision_overdue",
        text="the provider has not decided, and the time is over",
        next_step="remind the provider's data officer",
        holds=_is_decision_overdue,
    ),
    Rule(
        code="decided_late",
        text="the provider decided after the due time",
        next_step="note it; the provider may have to give reasons",
        holds=_was_decided_late,
    ),
    Rule(
        code="not_released",
        text="the request is approved, the time is over, and nothing was released",
        next_step="hand the request envelope to the provider, or cancel",
        holds=_is_not_released,
    ),
    Rule(
        code="not_acknowledged",
        text="data were released, and three days later nobody has said what arrived",
        next_step="acknowledge the response envelope, or ask for another delivery",
        holds=_is_not_acknowledged,
    ),
    Rule(
        code="received_unequal",
        text="what arrived is not what was released",
        next_step="ask the provider for another delivery; do not use the data",
        holds=_is_unequal,
    ),
    Rule(
        code="received_gap",
        text="the data were acknowledged, and the vault no longer has them before their time",
        next_step="look for them in the agency's backups",
        holds=_lacks_received,
    ),
    Rule(
        code="kept_too_long",
        text="the vault still has the data after the date until which they may be kept",
        next_step="delete them",
        holds=_is_kept_too_long,
    ),
    Rule(
        code="withdrawal_unanswered",
        text="the consent was withdrawn, and this agency has not answered in time",
        next_step="declare stopped, deleted, or retained under a basis",
        holds=_is_unanswered,
    ),
    Rule(
        code="released_after_withdrawal",
        text="data were released after the consent's withdrawal had been declared",
        next_step="delete what was received, and tell the provider",
        holds=_was_released_after_withdrawal,
    ),
    Rule(
        code="confirmation_pending",
        text="the provider demands a confirmation of a consent that its recipient recorded",
        next_step="have another agency confirm it",
        holds=_waits_for_confirmation,
    ),
    Rule(
        code="half_void",
        text="one side has signed that the exchange counts as never made, the other has not",
        next_step="ask the other side to sign, or to say why not",
        holds=_is_half_void,
    ),
    Rule(
        code="posted_late",
        text="an act was posted later than the limit allows",
        next_step="see the second officer's reason",
        holds=_was_posted_late,
    ),
    Rule(
        code="beyond_need",
        text="more fields were asked for than the case file says that the case needs",
        next_step="ask for fewer fields; delete what is not needed",
        holds=_asks_beyond_need,
    ),
    Rule(
        code="other_purpose",
        text="the purpose is not that of the case file",
        next_step="check whether the exchange belongs to this case",
        holds=_has_another_purpose,
    ),
    Rule(
        code="asked_twice",
        text="an earlier request of this case asks the same agency for the same",
        next_step="void one of the two",
        holds=_was_asked_before,
    ),
    Rule(
        code="period_mismatched",
        text="the two sides' statements on a period differ",
        next_step="compare the deliveries and name the leaves that differ",
        holds=_has_mismatch,
    ),
    Rule(
        code="period_unstated",
        text="a week after a period began, a side's statement on it is missing",
        next_step="state the period, or remind the other side",
        holds=_lacks_statement,
    ),
)
"""The irregularities, in the order in which they are told."""

"""What a made-up ledger consists of: mandates, consents, exchanges and attestations.

Each function makes the events of one entity, or of one consent with what follows from it, from its
number alone. What changes an earlier record names it by its number, so it needs not be remembered.
"""

from collections.abc import Iterator
from typing import Any, Final

from contracts.codes import ExchangeState, MandateKind, RecordKind, RecordState
from scripts.scaling.catalogue import INSTRUMENTS, NOTICES_EACH, PURPOSES
from scripts.scaling.logs import Said
from scripts.scaling.sizes import Plan

ANSWER_S: Final = 864_000
"""Time to answer a withdrawal, and to decide a request."""
WITHDRAWN_AFTER: Final = 7
"""So many consents later an earlier one is withdrawn."""


def _say(key: bytes, contract: str, event: str, args: dict[str, Any]) -> Said:
    return Said(contract=contract, event=event, args={**args, "key": key}, sender=key)


def make_entity(plan: Plan, number: int, time_s: int) -> Iterator[Said]:
    """Make one body's mandates: an office, and a power that its holder handed on."""
    agency = plan.choose_unevenly("keeper", number, plan.sizes.agencies)
    keeper, key = plan.get_agency(agency), plan.get_key(agency)
    body, office = plan.name("body", number), plan.name("office", number)
    for uid, kind, parent in (
        (office, MandateKind.OFFICE, bytes(32)),
        (plan.name("power", number), MandateKind.POWER, office),
    ):
        terms = {
            "kind": int(kind),
            "body": body,
            "grantor": plan.name("grantor", number),
            "grantee": plan.name("grantee", number),
            "scope": 3,
            "scope_list_hash": plan.name("scope", number % 10),
            "valid_from": time_s,
            "parent": parent,
            "may_delegate": kind is MandateKind.OFFICE,
            "record": plan.name("mandate record", number),
        }
        args = {
            "uid": uid,
            "agency": keeper,
            "body": body,
            "terms": terms,
            "board": 1,
            "event_time": time_s,
        }
        yield _say(key, "mandates", "MandateRecorded", args)
    if number % 10 == 0:
        args = {
            "uid": plan.name("succession", number),
            "agency": keeper,
            "body": body,
            "board": 2,
            "effective": time_s + 60,
            "resolution": plan.name("resolution", number),
            "event_time": time_s,
        }
        yield _say(key, "mandates", "BoardSucceeded", args)
    if number % 20 == 1:
        ended = {"uid": office, "agency": keeper, "reason": 3, "event_time": time_s}
        yield _say(key, "mandates", "MandateEnded", ended)


def make_step(plan: Plan, number: int, time_s: int) -> Iterator[Said]:
    """Make one consent, what rests on it, and its share of the attestations."""
    yield from _make_consent(plan, number, time_s)
    if number % 5 == 0:
        yield from _make_exchange(plan, number, time_s)
    if number % 20 == WITHDRAWN_AFTER:
        yield from _withdraw(plan, number - WITHDRAWN_AFTER, time_s)
    of_all, steps = plan.sizes.attestations, plan.sizes.consents
    for place in range(number * of_all // steps, (number + 1) * of_all // steps):
        yield from _make_attestation(plan, place, time_s)


def _find_sides(plan: Plan, number: int) -> tuple[int, int, int]:
    """Return dataset, provider and recipient of a consent, as numbers."""
    agencies = plan.sizes.agencies
    dataset = plan.choose_unevenly("consent dataset", number, plan.sizes.datasets)
    provider = plan.own_dataset(dataset)
    distance = 1 + plan.choose_unevenly("recipient", number, agencies - 1)
    return dataset, provider, (provider + distance) % agencies


def _make_consent(plan: Plan, number: int, time_s: int) -> Iterator[Said]:
    dataset, provider, recipient = _find_sides(plan, number)
    key, is_own = plan.get_key(provider), number % 2 == 0
    origin: dict[str, Any] = {"agency": plan.get_agency(provider), "assurance": 2}
    if is_own:
        holder = plan.address("holder", number)
        bound = {
            "holder": holder,
            "agency": plan.get_agency(provider),
            "commitment": plan.name("person", number),
            "valid_until": time_s + ANSWER_S,
            "event_time": time_s,
        }
        yield _say(key, "consents", "KeyBound", bound)
        origin["holder"] = holder
    else:
        origin |= {"channel": 1, "clerk": plan.name("clerk", provider)}
    sides = {"provider": plan.get_agency(provider), "recipient": plan.get_agency(recipient)}
    args = {
        "uid": plan.name("consent", number),
        **sides,
        "terms": {
            **sides,
            "dataset": plan.name("dataset", dataset),
            "fields": 7,
            "purpose": plan.name("purpose", plan.choose_unevenly("aim", number, PURPOSES)),
            "kind": 1 + number % 3,
            "notice": plan.name("notice", number % (NOTICES_EACH * plan.sizes.agencies)),
            "valid_from": time_s,
            "quota": number % 4,
            "response_s": ANSWER_S,
            "subject": plan.name("subject", number),
            "record": plan.name("record", number),
        },
        "origin": origin,
        "mandate": plan.name("power", number % plan.sizes.entities)
        if number % 8 == 0
        else bytes(32),
        "event_time": time_s,
    }
    yield _say(key, "consents", "ConsentGiven", args)


def _make_exchange(plan: Plan, number: int, time_s: int) -> Iterator[Said]:
    dataset, provider, requester = _find_sides(plan, number)
    uid = plan.name("exchange", number)
    sides = {"requester": plan.get_agency(requester), "provider": plan.get_agency(provider)}
    asked = {
        "provider": sides["provider"],
        "dataset": plan.name("dataset", dataset),
        "fields": 7,
        "purpose": plan.name("purpose", plan.choose_unevenly("aim", number, PURPOSES)),
        "basis": plan.name("basis", dataset),
        "instrument": plan.name("instrument", number % INSTRUMENTS),
        "consent": plan.name("consent", number),
        "mode": 1 + number // 5 % 3,
        "channel": 4,
        "case_commitment": plan.name("case", number),
        "officer": plan.name("officer", requester),
        "request_commitment": plan.name("request", number),
        "due": time_s + ANSWER_S,
        "retention_until": time_s + ANSWER_S,
    }
    links = {"onward_of": plan.name("exchange", number - 50)} if number % 100 == 50 else {}
    args = {
        "uid": uid,
        **sides,
        "request": asked,
        "links": links,
        "dataset_version": 1,
        "basis_kind": 1 + dataset % 2,
        "event_time": time_s,
    }
    asks, gives = plan.get_key(requester), plan.get_key(provider)
    yield _say(asks, "exchanges", "Requested", args)
    if number % 25 == 5:
        return
    states = [(gives, ExchangeState.APPROVED), (gives, ExchangeState.RELEASED)]
    states.append((asks, ExchangeState.RECEIVED))
    if number % 25 == 10:
        states = [(gives, ExchangeState.REFUSED)]
    for key, state in states:
        changed = {
            "uid": uid,
            **sides,
            "state": int(state),
            "reason": 3 if state is ExchangeState.REFUSED else 0,
            "commitment": plan.name("response", number),
            "event_time": time_s,
        }
        yield _say(key, "exchanges", "ExchangeChanged", changed)
    if number // 5 % 3:
        for key, period_state in ((gives, 1), (asks, 2)):
            stated = {
                "uid": uid,
                **sides,
                "period": 1,
                "state": period_state,
                "count": 12,
                "root": plan.name("root", number),
                "event_time": time_s,
            }
            yield _say(key, "exchanges", "PeriodChanged", stated)


def _withdraw(plan: Plan, number: int, time_s: int) -> Iterator[Said]:
    _, provider, recipient = _find_sides(plan, number)
    uid = plan.name("consent", number)
    sides = {"provider": plan.get_agency(provider), "recipient": plan.get_agency(recipient)}
    args = {"uid": uid, **sides, "declared_at": time_s, "due": time_s + ANSWER_S}
    is_own = number % 40 == 0
    if not is_own:
        args["agency"] = plan.get_agency(provider)
    yield _say(plan.get_key(provider), "consents", "ConsentWithdrawn", args)
    if number % 60:
        answered = {"uid": uid, **sides, "outcome": 2, "event_time": time_s}
        yield _say(plan.get_key(recipient), "consents", "WithdrawalAnswered", answered)


def _make_attestation(plan: Plan, place: int, time_s: int) -> Iterator[Said]:
    # Twenty in a row are of one issuer, which supersedes and revokes its own.
    issuer = plan.choose_unevenly("issuer", place // 20, plan.sizes.agencies)
    key, agency = plan.get_key(issuer), plan.get_agency(issuer)
    about = {"issuer": agency, "event_time": time_s}
    is_later = place % 20 == 19
    made = {
        "uid": plan.name("attestation", place),
        **about,
        "schema": plan.name("schema", (issuer + place // 20 % 2) % plan.sizes.agencies),
        "alg": 1,
    }
    previous = plan.name("attestation", place - 1)
    more: dict[str, Any] = {"commitment": plan.name("commitment", place)}
    if is_later:
        more["previous"] = previous
    yield _say(key, "attestations", "Attested", made | more)
    changed: dict[str, Any] = {**about, "kind": int(RecordKind.ATTESTATION)}
    if is_later:
        changed |= {"uid": previous, "state": int(RecordState.SUPERSEDED), "reason": 2}
        yield _say(key, "attestations", "StateChanged", changed)
    if place % 40 == 15:
        state = RecordState.REVOKED if place % 80 == 15 else RecordState.SUSPENDED
        changed |= {"uid": plan.name("attestation", place - 3), "state": int(state), "reason": 1}
        yield _say(key, "attestations", "StateChanged", changed)
    if place % 100 == 50:
        uid = plan.name("batch", place)
        batch = {"uid": uid, "root": plan.name("batch root", place), "count": 64}
        yield _say(key, "attestations", "BatchAttested", made | batch)
        leaf = {**about, "uid": uid, "index": 3, "state": int(RecordState.REVOKED), "reason": 1}
        yield _say(key, "attestations", "LeafStateChanged", leaf)
    if place % 1_000 == 50:
        withdrawn = {**about, "uid": plan.name("batch", place), "kind": int(RecordKind.BATCH)}
        withdrawn |= {"state": int(RecordState.REVOKED), "reason": 3}
        yield _say(key, "attestations", "StateChanged", withdrawn)

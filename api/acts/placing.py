"""Which part of a request a rule of the ledger is about.

A contract names its own argument: `commitment`, `scope_list_hash`, `payload`. A caller of REST gave
something else: `officer`, `act_list`, `parameters`. `api.rest.refusals` translates the arguments
that are called alike everywhere; here the act has its say. What comes of it is a member of the
body, dotted (`mandates.0.valid_until`), a part of the path (`uid`), `account` for the key that
signs, or, for an act on a record, a member of that record (`basis` of the exchange to release).

`mandates`, `offices` and `scopes` are lists, and a contract does not say which of them it refused:
with one, its number is certain; with several, the place has an asterisk, `scopes.*.purpose`.
"""

from collections.abc import Mapping
from typing import Final

from api.acts.act import Act, ActBody
from api.errors import ApiError

ACCOUNT: Final = "account"
"""Names who signs: the act may be in order, and its signer not the one to do it."""


def place_refusal(act: Act, body: ActBody | None, refusal: ApiError) -> None:
    """Let a refusal by a rule of the ledger name the part of this act's request."""
    rule = refusal.extra.get("rule")
    if rule is not None:
        refusal.field = place_field(act.name, str(rule), refusal.field, body)


def place_field(act: str, rule: str, field: str | None, body: ActBody | None) -> str | None:
    """Return the part of an act's request that `rule` is about.

    `field` is what `api.rest.refusals` says of the rule without knowing the act. Without a body
    the number of an entry is not known.
    """
    named = PLACES.get(act, {})
    place = named.get(rule, named.get(field or "", field))
    if act == "stop.order" and place == "subject":
        return _find_given(body, ("dataset", "pair", "basis"))
    if place is None or "#" not in place:
        return place
    entries = getattr(body, place.partition(".")[0], None)
    return place.replace("#", "0" if entries is not None and len(entries) == 1 else "*")


def _find_given(body: ActBody | None, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if getattr(body, name, None) is not None), None)


_PROPOSED: Final = "number"
"""The proposal that would be carried out; what is wrong is in it."""

_DECISION: Final[Mapping[str, str]] = dict.fromkeys(
    ("address", "agency", "fingerprint", "payload", "roles", "valid_until"), _PROPOSED
) | {"key: unknown": _PROPOSED}

_ENTRY: Final[Mapping[str, str]] = {
    "act_list": "#.act_list",
    "body": "#.body",
    "grantee": "#.grantee",
    "grantor": "#.grantor",
    "kind": "#.kind",
    "limit": "#.limit",
    "mandate": "#.parent",
    "parent": "#.parent",
    "record": "#.record",
    "scope": "#.acts",
    "uid": "#.uid",
    "valid_from": "#.valid_from",
    "valid_until": "#.valid_until",
    # The contract names `parent`; as often it is `may_delegate`, and the kind is what to change.
    "mandate: only powers are handed on": "#.kind",
    "mandate: uid already used": "#.uid",
    "mandate: uid missing": "#.uid",
}
"""Members of one mandate; `#` is its place in the list."""

_LISTED: Final = {name: f"mandates.{place}" for name, place in _ENTRY.items()}
_ELECTED: Final = {name: f"offices.{place}" for name, place in _ENTRY.items()} | {
    "kind": "offices",
    "mandate": "offices",
    "mandates": "offices",
    "parent": "offices",
    "uid": "uid",
    "body": "body",
    "grantor": "body",
    "mandate: only powers are handed on": "offices",
    "succession: in office too early": "offices.#.valid_from",
    "mandate: ended": "ended",
    "mandate: expired": "ended",
    "mandate: not yours": "ended",
    "mandate: office ended": "ended",
    "mandate: unknown": "ended",
}
_SIGNED: Final = dict.fromkeys(
    (
        *("consent: uid already used", "consent: uid missing"),
        *("dataset", "deadline", "fields", "kind", "nonce", "notice", "provider", "purpose"),
        *("recipient", "record", "response_s", "subject", "valid_until"),
    ),
    "message",
) | {"signer": "holder", "consent: uid already used": "uid", "consent: uid missing": "uid"}
_OF_THE_EXCHANGE: Final = {"exchange": "uid"}
_OF_THE_CONSENT: Final = {"consents": "uid"}

PLACES: Final[Mapping[str, Mapping[str, str]]] = {
    "agency_pause.lift": {"pause: none": "agency"},
    "basis.enter": {
        "basis": "scopes",
        "dataset": "scopes.#.dataset",
        "provider": "scopes.#.provider",
        "purpose": "scopes.#.purpose",
        "basis: fields missing": "scopes.#.fields",
        "basis: neither supervisor nor vote": ACCOUNT,
        "basis: no such field": "scopes.#.fields",
    },
    "basis.state": {
        "basis": "uid",
        "basis: changed by its user": ACCOUNT,
        "basis: neither supervisor nor vote": ACCOUNT,
    },
    "board.succeed": _ELECTED,
    "consent.confirm": _OF_THE_CONSENT
    | {"commitment": "confirmation", "confirmation: by the beneficiary": ACCOUNT},
    "consent.demand_confirmation": _OF_THE_CONSENT,
    "consent.give": _SIGNED,
    "consent.record": {"mandate.amount": "mandate.acts"},
    "consent.withdraw": _OF_THE_CONSENT,
    "consent.withdraw_signed": _OF_THE_CONSENT | {"signer": "uid"},
    "dataset.state": {"dataset": "uid"},
    "exchange.acknowledge": {"received": "response_envelope"},
    "exchange.decide": _OF_THE_EXCHANGE | {"exchange: own request": ACCOUNT},
    "exchange.release": _OF_THE_EXCHANGE | {"request_commitment": "request_envelope"},
    "exchange.request": _OF_THE_EXCHANGE | {"request_commitment": "subject"},
    "exchange.void": _OF_THE_EXCHANGE,
    "instrument.enter": {"instrument: entered by its user": ACCOUNT},
    "instrument.state": {"instrument": "uid"},
    "key_binding.create": {"commitment": "subject"},
    "mandate.end": {"mandate": "uid"},
    "mandate.record": _LISTED,
    "notice.publish": {"agreement": "text", "kind": "text"},
    "officer.appoint": {"commitment": "officer"},
    "own_agency.resume": {"pause: none": ACCOUNT},
    "period.begin": _OF_THE_EXCHANGE,
    "policy.propose": {"policy: of neither side": ACCOUNT},
    "policy.sign": {"agreement": "agreement_hash", "policy: signed by your side": ACCOUNT},
    "post.abolish": dict.fromkeys(("address", "agency", "roles", "valid_until"), "uid")
    | {"effective": "uid"},
    "post.establish": {"duties_hash": "duties"},
    "post.hand_over": {
        "address": "keys",
        "agency": "uid",
        "commitment": "officer",
        "effective": "valid_from",
        "roles": "keys",
    },
    "post_key.assign": {"valid_until": "address"},
    "post_key.end": dict.fromkeys(("agency", "effective", "roles", "valid_until"), "address"),
    "post_key.give": {
        "address": "key.address",
        "agency": "uid",
        "effective": "key",
        "roles": "key.roles",
        "valid_until": "key.valid_until",
    },
    "proposal.carry_out": _DECISION,
    "proposal.propose": {"kind": "decision", "payload": "parameters"},
    "proposal.vote": _DECISION,
    "purpose.publish": {"agreement": "title", "kind": "title"},
    "stop.lift": {"until": "uid"},
    "stop.order": {"kind": "subject"},
    "term.end": {
        "address": "seat",
        "agency": "uid",
        "effective": "effective",
        "roles": "seat",
        "valid_from": "effective",
        "valid_until": "effective",
    },
    "withdrawal.answer": _OF_THE_CONSENT,
}
"""By act: the rule, or else the field that the rule has for all acts, and what it is here."""

"""Messages that a resident's own key signs: a consent, a withdrawal.

The resident makes a fresh key for one consent. An agency prepares the message as EIP-712 typed
data, the resident's device shows it and signs it, and anybody hands it in. What was prepared is
kept in the vault together with the envelopes of the person and of the full record, because the
signature covers their commitments.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from atesta_client.envelopes import Envelope, seal_envelope
from eth_typing import Address

from api.acts.act import PreparedAct
from api.acts.consent_terms import BuiltConsent
from api.acts.context import ActContext
from api.acts.key_bindings import find_binding
from api.acts.legal import add_legal_reference
from api.acts.prepared import MAX_NONCE
from api.acts.typed import TypedMessage, build_typed_message
from api.errors import InvalidField, NotFound, UserFault
from api.ledger import Reverted
from api.records import NO_UID
from api.rest.refusals import translate_revert
from api.rest.values import decode_hex, encode_hex
from api.vault.materials import Material
from contracts import codec
from contracts.addresses import CONSENTS_NAME
from contracts.codes import Role as KeyRole
from contracts.typed_data import CONSENT_TYPE, WITHDRAWAL_TYPE

PREPARED_ROLE: Final = "prepared_consent"
"""Role of a prepared message among the materials of a consent."""

_KIND: Final = "prepared-consent"
_TERMS: Final = (
    "provider",
    "recipient",
    "dataset",
    "fields",
    "purpose",
    "kind",
    "notice",
    "valid_from",
    "valid_until",
    "quota",
    "response_s",
    "subject",
    "record",
)
"""The contract's terms in the order of the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedConsent:
    """A message that was prepared here or elsewhere, as arguments of `consents.give`."""

    args: Mapping[str, Any]
    """All but the signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentMessage:
    """A message for a resident's device."""

    message: TypedMessage
    nonce: int
    deadline_s: int
    moment_s: int
    """The event time, or the time of declaration, inside."""


async def prepare_consent(
    context: ActContext, built: BuiltConsent, holder: bytes, *, moment_s: int, deadline_s: int
) -> tuple[ResidentMessage, Material]:
    """Return the message of a consent, and what is to be kept of it."""
    nonce = secrets.randbelow(MAX_NONCE) + 1
    values = [
        built.uid,
        *_order_terms(built),
        moment_s,
        nonce,
        deadline_s,
    ]
    message = await build_typed_message(
        context.services.ledger, CONSENTS_NAME, CONSENT_TYPE, values
    )
    body = {"holder": encode_hex(holder), "message": message.typed_data["message"]}
    envelope = seal_envelope(_KIND, body, secrets.token_bytes)
    return (
        ResidentMessage(message=message, nonce=nonce, deadline_s=deadline_s, moment_s=moment_s),
        Material(uid=built.uid, role=PREPARED_ROLE, envelope=envelope),
    )


async def check_terms(
    context: ActContext, built: BuiltConsent, holder: bytes, *, moment_s: int
) -> None:
    """Try a consent as far as it can be tried without its signature; raises the refusal.

    The terms are judged as if this agency recorded them, and the key by its binding. The person of
    a binding that this agency made must be the consent's.
    """
    services = context.services
    binding = await context.read(CONSENTS_NAME, "binding", Address(holder))
    for is_wrong, rule in (
        (binding["agency"] == NO_UID, "binding: key not bound"),
        (binding["agency"] == built.terms["recipient"], "binding: by the beneficiary"),
        (binding["consent"] != NO_UID, "binding: key already used"),
        (binding["valid_until"] <= context.now_s, "binding: expired"),
    ):
        if is_wrong:
            raise translate_revert(rule)
    known = await find_binding(services, holder)
    if known is not None and known.body.get("handle") != encode_hex(built.handle):
        raise UserFault(
            "the key was bound to another person",
            code="subject_mismatch",
            field="subject",
            status=422,
            next_step="give the person to whom this agency bound the key",
        )
    placeholder = bytes([1]) * 32
    args = (built.uid, _order_terms(built), 1, 1, placeholder, placeholder, NO_UID, 0, moment_s)
    try:
        await services.ledger.call(
            services.ledger.book.get_address(CONSENTS_NAME),
            codec.encode_call(CONSENTS_NAME, "record", args),
            sender=await services.identity.get_account(KeyRole.EXCHANGE),
        )
    except Reverted as reverted:
        refusal = translate_revert(reverted.reason)
        tried = PreparedAct(uid=built.uid, args={}, dataset=bytes(built.terms["dataset"]))
        await add_legal_reference(context, tried, refusal)
        raise refusal from reverted


async def prepare_withdrawal(
    context: ActContext, uid: bytes, *, moment_s: int, deadline_s: int
) -> ResidentMessage:
    """Return the message of a withdrawal; nothing of it need be kept."""
    nonce = secrets.randbelow(MAX_NONCE) + 1
    message = await build_typed_message(
        context.services.ledger, CONSENTS_NAME, WITHDRAWAL_TYPE, [uid, moment_s, nonce, deadline_s]
    )
    return ResidentMessage(message=message, nonce=nonce, deadline_s=deadline_s, moment_s=moment_s)


async def read_signed_consent(
    context: ActContext, uid: bytes, holder: str | None, message: Mapping[str, str] | None
) -> SignedConsent:
    """Return a message as given, or as it was prepared here; raises `UserFault`."""
    if message is None:
        kept = await _find_prepared(context, uid)
        holder, message = str(kept.body["holder"]), kept.body["message"]
    elif holder is None:
        raise InvalidField("holder", "a message from elsewhere needs the key that signed it")
    values = _read_message(message)
    if values.pop("uid") != uid:
        raise InvalidField("message.uid", "the message is about another consent")
    moment_s, nonce, deadline_s = (values.pop(name) for name in ("eventTime", "nonce", "deadline"))
    args = {
        "uid": uid,
        "terms": dict(zip(_TERMS, values.values(), strict=True)),
        "event_time": moment_s,
        "holder": decode_hex(holder),
        "nonce": nonce,
        "deadline": deadline_s,
    }
    return SignedConsent(args=args)


def _order_terms(built: BuiltConsent) -> tuple[Any, ...]:
    return tuple(built.terms[name] for name in _TERMS)


async def _find_prepared(context: ActContext, uid: bytes) -> Envelope:
    kept = await context.services.materials.find(uid, PREPARED_ROLE)
    if kept is None:
        error = NotFound(
            "this node prepared no consent with this uid", field="uid", code="consent_not_prepared"
        )
        error.next_step = "prepare it here, or give the signed message and its holder"
        raise error
    return kept


def _read_message(message: Mapping[str, str]) -> dict[str, Any]:
    """Return the members of a consent's message by name, in its order."""
    listed = CONSENT_TYPE[CONSENT_TYPE.index("(") + 1 : -1].split(",")
    values: dict[str, Any] = {}
    for member in listed:
        kind, name = member.split(" ")
        values[name] = _read_member(kind, message.get(name), f"message.{name}")
    if len(message) != len(listed):
        raise InvalidField("message", "the message has members that no consent has")
    return values


def _read_member(kind: str, text: str | None, where: str) -> bytes | int:
    if text is None:
        raise InvalidField(where, "this field is needed")
    if kind == "bytes32":
        try:
            value = bytes.fromhex(text.removeprefix("0x"))
        except ValueError:
            value = b""
        if len(value) != 32:
            raise InvalidField(where, "must be 0x and 64 hexadecimal digits")
        return value
    bits = int(kind.removeprefix("uint"))
    if not (text.isascii() and text.isdigit() and len(text) <= 78 and int(text) < 2**bits):
        raise InvalidField(where, f"must be a decimal number below 2^{bits}")
    return int(text)

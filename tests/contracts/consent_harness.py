"""Consents for tests: residents with keys of their own, and what they sign.

By default a resident lets the bureau (Macao) give two fields of the ordinary dataset to the
commission (Guangdong); the laboratory binds keys, since it is neither of them.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from coincurve import PrivateKey
from eth_typing import Address, Hash32
from eth_utils.crypto import keccak

from contracts.codec import DecodedLog
from contracts.codes import ConsentKind
from contracts.typed_data import (
    CONSENT_TYPE,
    WITHDRAWAL_TYPE,
    Domain,
    hash_message,
    sign_digest,
)
from tests.contracts.contract_harness import (
    BUREAU,
    COMMISSION,
    NOTHING,
    Ledger,
    bureau,
    laboratory,
    stranger,
    uid_of,
)
from tests.contracts.law_harness import LATEST, NOTICE, ORDINARY, PURPOSE, build_domain

CONSENT = uid_of(2001)
RESPONSE_S = 1000


def get_holder_key(number: int) -> bytes:
    """The private key that a resident made for one consent."""
    return keccak(b"resident" + bytes([number]))


@cache
def get_holder(number: int) -> Address:
    public_key = PrivateKey(get_holder_key(number)).public_key.format(compressed=False)
    return Address(keccak(public_key[1:])[12:])


def build_consent(**changes: Any) -> dict[str, Any]:
    """A consent's terms, ordered as in the contract; a test changes some by name."""
    terms = {
        "provider": BUREAU,
        "recipient": COMMISSION,
        "dataset": ORDINARY,
        "fields": 0b0011,
        "purpose": PURPOSE,
        "kind": int(ConsentKind.GENERAL),
        "notice": NOTICE,
        "valid_from": 0,
        "valid_until": 0,
        "quota": 2,
        "response_s": RESPONSE_S,
        "subject": uid_of(81),
        "record": uid_of(82),
    }
    assert changes.keys() <= terms.keys()
    return terms | changes


def bind(ledger: Ledger, number: int, *, agency: Address = laboratory) -> list[DecodedLog]:
    args = [get_holder(number), uid_of(83), ledger.now + 10_000, ledger.now]
    return ledger.do(agency, "consents", "bind_key", args)


def give_args(
    ledger: Ledger,
    uid: Hash32 = CONSENT,
    number: int = 1,
    *,
    terms: Mapping[str, Any] | None = None,
    nonce: int = 1,
    deadline: int = LATEST,
    event_time: int | None = None,
    domain: Domain | None = None,
) -> list[Any]:
    """The arguments of `give`, signed by resident `number`."""
    values = tuple((terms or build_consent()).values())
    at = ledger.now if event_time is None else event_time
    digest = hash_message(
        domain or build_domain(ledger, "consents"),
        CONSENT_TYPE,
        [uid, *values, at, nonce, deadline],
    )
    signature = sign_digest(digest, get_holder_key(number))
    return [uid, values, at, get_holder(number), nonce, deadline, signature]


def withdraw_signed_args(
    ledger: Ledger,
    uid: Hash32 = CONSENT,
    number: int = 1,
    *,
    declared_at: int | None = None,
    nonce: int = 2,
    domain: Domain | None = None,
) -> list[Any]:
    """The arguments of `withdraw_signed`, signed by resident `number`."""
    at = ledger.now if declared_at is None else declared_at
    digest = hash_message(
        domain or build_domain(ledger, "consents"), WITHDRAWAL_TYPE, [uid, at, nonce, LATEST]
    )
    return [uid, at, nonce, LATEST, sign_digest(digest, get_holder_key(number))]


def record_args(ledger: Ledger, uid: Hash32 = CONSENT, /, **changes: Any) -> list[Any]:
    """The arguments of `record`, each of which a test may change by name."""
    fields = {
        "channel": 1,
        "assurance": 3,
        "clerk": uid_of(84),
        "form": uid_of(85),
        "mandate": NOTHING,
        "mandate_scope": 0,
        "event_time": ledger.now,
    }
    own = {name: changes.pop(name) for name in [*changes] if name in fields}
    return [uid, tuple(build_consent(**changes).values()), *(fields | own).values()]


def give(ledger: Ledger, uid: Hash32 = CONSENT, number: int = 1, /, **changes: Any) -> None:
    """Bind a resident's key and let it give a consent."""
    bind(ledger, number)
    args = give_args(ledger, uid, number, terms=build_consent(**changes))
    ledger.do(stranger, "consents", "give", args)


def record(
    ledger: Ledger, uid: Hash32 = CONSENT, /, *, agency: Address = bureau, **changes: Any
) -> list[DecodedLog]:
    return ledger.do(agency, "consents", "record", record_args(ledger, uid, **changes))


def cover_args(**changes: Any) -> list[Any]:
    """The arguments of `consents.check` for what the default consent covers."""
    fields = {
        "uid": CONSENT,
        "kind": int(ConsentKind.GENERAL),
        "provider": BUREAU,
        "recipient": COMMISSION,
        "dataset": ORDINARY,
        "fields": 0b0001,
        "purpose": PURPOSE,
    }
    assert changes.keys() <= fields.keys()
    return list((fields | changes).values())

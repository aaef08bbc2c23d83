"""What the tests of the ledger's law share: datasets, notices and purposes to speak of.

The bureau (Macao) keeps the data. The laboratory asks for it on the same side, the commission from
the other side (Guangdong). The auditor is the supervisor. Uids are small numbers here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import encode
from eth_typing import Address, Hash32
from eth_utils.crypto import keccak

from contracts.codec import DecodedLog
from contracts.codes import RecordKind, Sensitivity, Sharing
from contracts.founding import compute_deployment_salt
from contracts.typed_data import Domain, hash_act, sign_digest
from tests.contracts.contract_harness import (
    ADDRESSES,
    BUREAU,
    COMMISSION,
    NOTHING,
    Ledger,
    bureau,
    uid_of,
)

ORDINARY = uid_of(1001)
CONDITIONAL = uid_of(1002)
SENSITIVE = uid_of(1003)
FORBIDDEN = uid_of(1004)
NOTICE = uid_of(1010)
PURPOSE = uid_of(1011)
OTHER_PURPOSE = uid_of(1012)
FIELDS = 0b1111
LATEST = 2**256 - 1
"""A deadline that never comes."""


def build_terms(**changes: Any) -> dict[str, Any]:
    """A dataset's terms, ordered as in the contract; a test changes some by name."""
    terms = {
        "sharing": int(Sharing.UNCONDITIONAL),
        "sensitivity": int(Sensitivity.ORDINARY),
        "field_count": 4,
        "fields_hash": uid_of(31),
        "conditions_hash": NOTHING,
        "legal_reference": NOTHING,
    }
    assert changes.keys() <= terms.keys()
    return terms | changes


def register_dataset(ledger: Ledger, uid: Hash32, /, **changes: Any) -> list[DecodedLog]:
    previous = changes.pop("previous", NOTHING)
    owner = changes.pop("owner", bureau)
    terms = tuple(build_terms(**changes).values())
    return ledger.do(owner, "catalogue", "register_dataset", [uid, terms, ledger.now, previous])


def publish(ledger: Ledger, uid: Hash32, kind: RecordKind, **changes: Any) -> list[DecodedLog]:
    sender = changes.pop("sender", bureau)
    fields = {
        "document_hash": uid_of(41),
        "language": b"zh-Hant".ljust(32, b"\0"),
        "event_time": ledger.now,
        "previous": NOTHING,
    }
    assert changes.keys() <= fields.keys()
    args = [uid, int(kind), *(fields | changes).values()]
    return ledger.do(sender, "catalogue", "publish", args)


def fill_catalogue(ledger: Ledger) -> None:
    """One dataset of each sharing class and sensitivity, a notice and two purposes."""
    register_dataset(ledger, ORDINARY)
    register_dataset(
        ledger, CONDITIONAL, sharing=int(Sharing.CONDITIONAL), conditions_hash=uid_of(32)
    )
    register_dataset(ledger, SENSITIVE, sensitivity=int(Sensitivity.SENSITIVE))
    register_dataset(ledger, FORBIDDEN, sharing=int(Sharing.NOT_SHARED), legal_reference=uid_of(33))
    publish(ledger, NOTICE, RecordKind.NOTICE)
    publish(ledger, PURPOSE, RecordKind.PURPOSE)
    publish(ledger, OTHER_PURPOSE, RecordKind.PURPOSE)
    ledger.pass_time()


# ------------------------------------------------------------------ bases

STATUTE_BASIS = uid_of(1020)
CONSENT_BASIS = uid_of(1021)
INSTRUMENT = uid_of(1022)
BOTH = (CONDITIONAL, ORDINARY, SENSITIVE)


def basis_args(ledger: Ledger, uid: Hash32 = STATUTE_BASIS, /, **changes: Any) -> list[Any]:
    """The arguments of `enter_basis`, each of which a test may change by name.

    By default the bureau may give any agency three of the four fields of its shared datasets.
    """
    terms = {
        "kind": 1,
        "law_hash": uid_of(51),
        "sensitivity": int(Sensitivity.SENSITIVE),
        "from_jurisdiction": NOTHING,
        "to_jurisdiction": NOTHING,
        "must_notify": True,
        "valid_from": 0,
        "valid_until": 0,
    }
    scopes = changes.pop("scopes", [(BUREAU, NOTHING, set_, PURPOSE, 0b0111) for set_ in BOTH])
    event_time = changes.pop("event_time", ledger.now)
    assert changes.keys() <= terms.keys()
    return [uid, tuple((terms | changes).values()), scopes, event_time]


def instrument_args(ledger: Ledger, uid: Hash32 = INSTRUMENT, /, **changes: Any) -> list[Any]:
    """The arguments of `enter_instrument`: from the bureau to the commission by default."""
    terms = {
        "kind": 1,
        "filing": uid_of(61),
        "assessment_hash": uid_of(62),
        "provider": BUREAU,
        "recipient": COMMISSION,
        "dataset": ORDINARY,
        "is_onward_allowed": False,
        "valid_from": 0,
        "valid_until": 0,
    }
    assert changes.keys() <= terms.keys()
    return [uid, tuple((terms | changes).values()), ledger.now]


# ------------------------------------------------------------------ signing elsewhere


def build_domain(ledger: Ledger, contract: str) -> Domain:
    return Domain(
        chain_id=ledger.spec.chain_id,
        contract=ADDRESSES[contract],
        salt=compute_deployment_salt(ledger.spec),
    )


def relay_args(
    domain: Domain,
    signer: Address,
    private_key: bytes,
    call: bytes,
    *,
    nonce: int = 1,
    deadline: int = LATEST,
) -> list[Any]:
    """The arguments of `relay` for an act signed over a domain."""
    digest = hash_act(domain, call=call, nonce=nonce, deadline_s=deadline)
    return [signer, call, nonce, deadline, sign_digest(digest, private_key)]


# ------------------------------------------------------------------ heads


@dataclass(slots=True)
class HeadModel:
    """Heads and counts of one contract, kept by a model beside it."""

    ledger: Ledger
    contract: str
    heads: dict[bytes, bytes] = field(default_factory=dict)
    counts: dict[bytes, int] = field(default_factory=dict)

    def advance(self, party: bytes, kind: int, uid: bytes, state: int) -> int:
        """Chain one entry, and return its number."""
        words = [
            self.heads.get(party, NOTHING),
            int(kind),
            uid,
            int(state),
            self.ledger.state.block_number,
        ]
        types = ["bytes32", "uint256", "bytes32", "uint256", "uint256"]
        self.heads[party] = keccak(encode(types, words))
        self.counts[party] = self.counts.get(party, 0) + 1
        return self.counts[party]

    def check(self, parties: Sequence[bytes]) -> None:
        for party in parties:
            assert self.ledger.read(self.contract, "head", party) == self.heads.get(party, NOTHING)
            assert self.ledger.read(self.contract, "count", party) == self.counts.get(party, 0)

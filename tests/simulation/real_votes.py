"""Real transactions for modelled ones: signed work, and decisions of the agencies by vote.

Every founding validator belongs to an agency with one account. To change the validators the first
agency proposes and a majority approves; the vote that reaches it changes the set. Several changes
may be under way in different blocks.
"""

from collections import Counter
from functools import lru_cache

from eth_account import Account
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from consensus.types import Address, Hash32
from contracts.addresses import AGENCY_REGISTRY_NAME, REGISTRY
from contracts.codec import encode_call
from contracts.codes import Role
from contracts.decisions import DecisionKind, encode_payload
from contracts.genesis_spec import AccountSpec, AgencySpec
from tests.simulation.model_chain import ADD_VALIDATOR, DROP_VALIDATOR, GENESIS_TIME_S

CHAIN_ID = 7
_MEMBER = Role.ADMIN | Role.GOVERN
_VOTE_GAS = 600_000
_EXPIRES_S = GENESIS_TIME_S + 86_400


class RealVotes:
    """Writes the transactions of one network, whose founding agencies number `agencies`."""

    def __init__(self, agencies: int) -> None:
        self._agencies = agencies
        self._proposals = 0
        self._nonces: Counter[int] = Counter()

    def translate(self, transaction: bytes) -> tuple[bytes, ...]:
        """Return what a modelled transaction is in reality, in the order of sending."""
        kind = transaction[:1]
        if kind == ADD_VALIDATOR:
            args = [_get_agency_id(0), transaction[1:21]]
            return self._decide(DecisionKind.ADD_VALIDATOR, args)
        if kind == DROP_VALIDATOR:
            return self._decide(DecisionKind.REMOVE_VALIDATOR, [transaction[1:21]])
        return (make_work(transaction),)

    def _decide(self, kind: DecisionKind, args: list[bytes]) -> tuple[bytes, ...]:
        self._proposals += 1
        payload = encode_payload(kind, args)
        arguments = [int(kind), payload, bytes(32), _EXPIRES_S]
        proposal = self._sign(0, encode_call(AGENCY_REGISTRY_NAME, "propose", arguments))
        approval = encode_call(AGENCY_REGISTRY_NAME, "vote", [self._proposals, True])
        voters = range(self._agencies // 2 + 1)
        return (proposal, *(self._sign(voter, approval) for voter in voters))

    def _sign(self, agency: int, call: bytes) -> bytes:
        nonce = self._nonces[agency]
        self._nonces[agency] += 1
        return _sign(_get_secret(agency), nonce, _VOTE_GAS, REGISTRY, call)


def specify_agencies(validators: tuple[Address, ...]) -> tuple[AgencySpec, ...]:
    """Return one founding agency for each validator."""
    return tuple(
        AgencySpec(
            agency_id=_get_agency_id(index),
            jurisdiction=Hash32(keccak(b"jurisdiction")),
            profile_hash=Hash32(keccak(b"profile")),
            roles=_MEMBER,
            accounts=(
                AccountSpec(
                    address=Address(
                        bytes.fromhex(Account.from_key(_get_secret(index)).address[2:])
                    ),
                    roles=_MEMBER,
                ),
            ),
            validators=(validator,),
        )
        for index, validator in enumerate(validators)
    )


@lru_cache(maxsize=1_000)
def make_work(text: bytes) -> bytes:
    """Return a signed transaction for the text of a modelled one, from an account of its own."""
    return _sign(keccak(text), 0, 60_000, Address(b"\x11" * 20), text)


@lru_cache(maxsize=1_000)
def _sign(secret: bytes, nonce: int, gas: int, target: Address, call: bytes) -> bytes:
    signed = Account.sign_transaction(
        {
            "nonce": nonce,
            "gasPrice": 0,
            "gas": gas,
            "to": to_checksum_address(target),
            "value": 0,
            "data": "0x" + call.hex(),
            "chainId": CHAIN_ID,
        },
        secret,
    )
    return bytes(signed.raw_transaction)


def _get_agency_id(index: int) -> Hash32:
    return Hash32(keccak(b"agency %d" % index))


def _get_secret(index: int) -> bytes:
    return keccak(b"simulated agency %d" % index)

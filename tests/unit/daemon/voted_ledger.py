"""A ledger that is not for development: one agency with keys of its own, on a real chain."""

import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from coincurve import PrivateKey
from eth_hash.auto import keccak
from eth_typing import Address, Hash32

from consensus.signatures import ValidatorKey
from contracts.addresses import AGENCY_REGISTRY_NAME, REGISTRY
from contracts.codec import encode_call
from contracts.codes import ALL_ROLES
from contracts.decisions import DecisionKind, encode_payload
from contracts.genesis import build_genesis
from contracts.genesis_spec import AccountSpec, AgencySpec, GenesisSpec
from contracts.labels import encode_label
from node.chain.code_votes import CodeVotes
from node.chain.registry import RegistryView
from node.chain.transactions import Transaction, decode_transaction
from node.daemon.gate import TransactionGate
from tests.unit.evidence import evidence_ledger
from tests.unit.evidence.evidence_ledger import EvidenceLedger

ACCOUNT = keccak(b"an agency's account that nobody publishes")
VALIDATOR = keccak(b"an agency's validator that nobody publishes")
CHAIN_ID = 4021
FORTNIGHT_S = 14 * 86_400

# Runtime code that answers its first argument; creation code that returns it.
ECHO = bytes.fromhex("60003560005260206000f3")
CREATION_CODE = bytes.fromhex("600b600c600039600b6000f3") + ECHO


def find_address(secret: bytes) -> Address:
    public_key = PrivateKey(secret).public_key.format(compressed=False)
    return Address(keccak(public_key[1:])[12:])


@cache
def write_genesis() -> Path:
    agency = AgencySpec(
        agency_id=encode_label("mo-one-bureau"),
        jurisdiction=encode_label("MO"),
        profile_hash=Hash32(bytes(32)),
        roles=ALL_ROLES,
        accounts=(AccountSpec(address=find_address(ACCOUNT), roles=ALL_ROLES),),
        validators=(find_address(VALIDATOR),),
    )
    path = Path(mkdtemp(prefix="atesta-voted-")) / "genesis.json"
    path.write_text(json.dumps(build_genesis(GenesisSpec(chain_id=CHAIN_ID, agencies=(agency,)))))
    return path


class VotedLedger(EvidenceLedger):
    """Its one agency decides alone, at once."""

    def __init__(self) -> None:
        evidence_ledger.KEYS[find_address(VALIDATOR)] = ValidatorKey(VALIDATOR)
        super().__init__(write_genesis())
        self.registry = RegistryView(self.chain)
        self.votes = CodeVotes.of(self.chain, self.registry)
        self.gate = TransactionGate(self.votes, self.registry)
        self._proposals = 0

    def send(self, **fields: Any) -> bytes:
        """Return a transaction of the agency; without `to` it creates a contract."""
        return self.sign(ACCOUNT, **fields)

    def peek(self, **fields: Any) -> Transaction:
        """Return a transaction that is only judged: it uses up no nonce."""
        raw = self.send(**fields)
        self._nonces[find_address(ACCOUNT)] -= 1
        return decode_transaction(raw)

    def resolve(self, subject: Hash32) -> None:
        """Let the agency propose and take a resolution."""
        payload = encode_payload(DecisionKind.RESOLVE, [subject])
        expires = self.chain.head.timestamp + FORTNIGHT_S
        self._proposals += 1
        for function, *arguments in (
            ("propose", int(DecisionKind.RESOLVE), payload, bytes(32), expires),
            ("vote", self._proposals, True),
        ):
            data = encode_call(AGENCY_REGISTRY_NAME, function, arguments)
            self.mine([self.send(to=REGISTRY, data=data)])
        assert self.registry.is_resolved(subject)

    def create(self) -> Address:
        """Put the echo into a block, whoever permits it, and return its address."""
        block = self.mine([self.send(data=CREATION_CODE)])
        created = block.receipts[0].contract_address
        assert created is not None
        return created

"""A real chain without consensus, whose validators hold published keys and can misbehave."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from eth_account import Account as Signer
from eth_account.signers.local import LocalAccount

from consensus.evidence import Evidence, find_conflict
from consensus.extra_data import ExtraData, Vote, VoteType, encode_extra_data
from consensus.header import compute_commit_hash, with_seals
from consensus.proposer import select_proposer
from consensus.quorum import compute_quorum
from consensus.signatures import ValidatorKey
from consensus.types import Address, Hash32, Round
from contracts.addresses import AGENCY_REGISTRY_NAME, REGISTRY
from contracts.codec import decode_output, encode_call
from contracts.decisions import DecisionKind, encode_payload
from contracts.testkeys import get_address, get_private_key
from node.chain.blockchain import Blockchain
from node.chain.deadline import Deadline
from node.chain.genesis import Genesis, load_genesis
from node.chain.pruning import ARCHIVE
from node.chain.results import CallRequest, ImportedBlock
from node.chain.transactions import decode_transaction
from node.storage.memory import MemoryStore
from tests.simulation.forge import make_commit, make_prepare

ROOT = Path(__file__).parents[3]
CONTRACT_MODE = ROOT / "genesis.json"
HEADER_VOTES = ROOT / "tests" / "vectors" / "genesis-headervote.json"
KEYS = {
    get_address(number, "validator"): ValidatorKey(get_private_key(number, "validator"))
    for number in range(1, 11)
}
TRAITOR = KEYS[get_address(4, "validator")]
NEWCOMER = KEYS[get_address(5, "validator")]
STRANGER: LocalAccount = Signer.from_key(b"\x07" * 32)
FORTNIGHT_S = 14 * 24 * 3600


@cache
def load(path: Path) -> Genesis:
    return load_genesis(path)


class EvidenceLedger:
    """One chain; `mine` makes its next block final."""

    def __init__(self, path: Path = CONTRACT_MODE, *, retain_blocks: int = ARCHIVE) -> None:
        self.genesis = load(path)
        self.store = MemoryStore()
        now_s = self.genesis.header.timestamp + 1_000_000
        self.chain = Blockchain.open(
            self.store, self.genesis, clock=lambda: now_s, retain_blocks=retain_blocks
        )
        self._nonces: dict[Address, int] = {}

    @property
    def head(self) -> int:
        """The height of the last final block."""
        return self.chain.head.number

    def mine(self, raws: Sequence[bytes] = (), vote: Vote | None = None) -> ImportedBlock:
        """Make the next block with these transactions, whoever sent them, sealed by a quorum."""
        parent = self.chain.head
        validators = self.chain.get_validators(parent)
        coinbase = select_proposer(parent.coinbase if parent.number else None, validators, Round(0))
        listed = () if self.genesis.qbft.is_contract_mode else validators
        built = self.chain.build_block(
            parent=parent,
            timestamp=parent.timestamp + 1,
            coinbase=coinbase,
            extra_data=encode_extra_data(ExtraData(validators=listed, vote=vote)),
            candidates=[decode_transaction(raw) for raw in raws],
            deadline=Deadline.never(),
            is_permitted=lambda _transaction: True,
        )
        assert len(built.block.transactions) == len(raws), built.dropped
        digest = compute_commit_hash(built.block.header)
        sealers = validators[: compute_quorum(len(validators))]
        seals = [KEYS[address].sign(digest) for address in sealers]
        return self.chain.import_block(
            replace(built.block, header=with_seals(built.block.header, seals))
        )

    def sign(self, secret: bytes, **fields: Any) -> bytes:
        """Return a signed transaction with the account's next nonce."""
        signer = Signer.from_key(secret)
        address = Address(bytes.fromhex(signer.address[2:]))
        nonce = self._nonces.get(address, 0)
        self._nonces[address] = nonce + 1
        request = {
            "type": 2,
            "chainId": self.genesis.chain_id,
            "nonce": nonce,
            "gas": 1_000_000,
            "maxFeePerGas": 0,
            "maxPriorityFeePerGas": 0,
            "value": 0,
            "data": b"",
            **fields,
        }
        return bytes(signer.sign_transaction(request).raw_transaction)

    def intrude(self) -> bytes:
        """Return a transaction from somebody whom the registry does not know."""
        return self.sign(bytes(STRANGER.key), to=REGISTRY, data=b"")

    def act(self, agency: int, function: str, *arguments: Any) -> bytes:
        """Return an agency's call of the registry."""
        data = encode_call(AGENCY_REGISTRY_NAME, function, arguments)
        return self.sign(get_private_key(agency, "account"), to=REGISTRY, data=data)

    def decide(self, kind: DecisionKind, *arguments: Any) -> None:
        """Let agencies propose and vote until the registry has carried the decision out."""
        payload = encode_payload(kind, arguments)
        expires = self.chain.head.timestamp + FORTNIGHT_S
        self.mine([self.act(1, "propose", int(kind), payload, bytes([1]) * 32, expires)])
        number = self._count_proposals()
        for agency in (1, 2, 3, 4):
            self.mine([self.act(agency, "vote", number, True)])

    def vote_in(self, validator: Address) -> None:
        """Let the headers of a network with header votes bring a validator in."""
        before = len(self.chain.get_validators(self.chain.head))
        while len(self.chain.get_validators(self.chain.head)) == before:
            self.mine(vote=Vote(recipient=validator, vote_type=VoteType.ADD))

    def _count_proposals(self) -> int:
        request = CallRequest(to=REGISTRY, data=encode_call(AGENCY_REGISTRY_NAME, "proposal_count"))
        result = self.chain.call(request, self.chain.head, deadline=Deadline.never())
        return int(decode_output(AGENCY_REGISTRY_NAME, "proposal_count", result.output))


def contradict(
    height: int, kind: str = "prepares", key: ValidatorKey = TRAITOR, round_number: int = 0
) -> Evidence:
    """Return two conflicting messages of one validator."""
    one, other = Hash32(b"\x0a" * 32), Hash32(b"\x0b" * 32)
    if kind == "prepares":
        first = make_prepare(key, height, round_number, one)
        evidence = find_conflict(first, make_prepare(key, height, round_number, other))
    else:
        commit = make_commit(key, height, round_number, one)
        evidence = find_conflict(commit, make_commit(key, height, round_number, other))
    assert evidence is not None
    return evidence

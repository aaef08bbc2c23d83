"""Judging an evidence file with genesis.json and nothing else.

A finding rests on four steps, and the first that fails refuses the file, naming the member:

1. the file is about this network (chain id, genesis hash) and has the parts its kind needs;
2. the validators of the height are followed from genesis (`trust`);
3. *contradiction*: two messages of one kind, height and round, signed by one of these validators,
   say different things; *intrusion*: a final block of the accused holds a transaction whose sender,
   by the registry's own answer on the state before the block, may not send, or which creates or
   calls code that the agencies had not let in by vote;
4. what the file says about itself (accused, height, kind, id) is what was found.
"""

from dataclasses import dataclass
from typing import Any, Final

from consensus.errors import PeerFault
from consensus.evidence import Evidence, read_claims
from consensus.header import BlockHeader, compute_block_hash
from consensus.payloads import MessageCode
from consensus.types import Address, Hash32, Height, Round
from contracts.addresses import AGENCY_REGISTRY_NAME, REGISTRY
from contracts.codec import decode_output, encode_call
from node.chain.code_votes import find_breach, is_development_genesis
from node.chain.errors import TransactionInvalid
from node.chain.genesis import Genesis
from node.chain.transactions import Transaction, decode_transaction
from node.chain.trie import index_key
from node.evidence.document import (
    INTRUSIONS,
    UNPERMITTED_SENDER,
    EvidenceDocument,
    Intrusion,
    decode_hex,
)
from node.evidence.errors import EvidenceRefused
from node.evidence.naming import compute_contradiction_id, compute_intrusion_id, name_kind
from node.evidence.trust import Trust
from node.evidence.witness import WitnessReader, get_proved_value

NO_AGENCY: Final = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a file proves."""

    chain_id: int
    genesis_hash: Hash32
    kind: str
    offender: Address
    agency: bytes
    """Whose validator the offender was, 32 bytes; zero if the file does not show it."""
    height: Height
    round: Round | None
    validators: tuple[Address, ...]
    """Those of the height; the offender is one of them."""
    claims: tuple[str, ...] = ()
    """What the two messages say, for a contradiction."""
    block_hash: Hash32 | None = None
    """The block that holds the transaction, for an intrusion."""
    timestamp_s: int | None = None
    """Its time, in seconds since 1970."""
    transaction: Transaction | None = None
    """The transaction."""


def verify_evidence(document: EvidenceDocument, genesis: Genesis) -> Finding:
    """Return what the file proves on this network; raises EvidenceRefused naming the member."""
    _check_network(document, genesis)
    _check_parts(document, has_contract=genesis.qbft.validator_contract is not None)
    trust = Trust(genesis, document.codes)
    for number, step in enumerate(document.trail):
        header = trust.follow_step(step, f"trail.{number}")
        if not 0 < header.number < document.height:
            raise EvidenceRefused(f"trail.{number}.header", "is not between genesis and the act")
    parent: BlockHeader | None = None
    reader: WitnessReader | None = None
    if document.parent is not None:
        parent, reader = trust.follow(document.parent, "parent")
        if parent.number != document.height - 1:
            raise EvidenceRefused("parent.header", f"is of height {parent.number}")
    block: BlockHeader | None = None
    if document.block is not None:
        block = trust.check_block(document.block, parent, "block")
        if block.number != document.height:
            raise EvidenceRefused("block", f"is of height {block.number}")
    offender = Address(decode_hex(document.offender))
    if offender not in trust.validators:
        raise EvidenceRefused("offender", "was no validator of this height")
    agency = NO_AGENCY
    if parent is not None and reader is not None and genesis.qbft.validator_contract == REGISTRY:
        agency = _ask(trust, reader, parent, "validator_agency", offender)
    if document.contradiction is not None:
        finding = _judge_contradiction(document, offender, agency, trust)
    else:
        assert document.intrusion is not None, "the parts were checked"
        assert block is not None, "the parts were checked"
        assert parent is not None, "the parts were checked"
        assert reader is not None, "the parts were checked"
        finding = _judge_intrusion(document, document.intrusion, block, agency, trust)
        assert finding.transaction is not None, "an intrusion has its transaction"
        if document.kind == UNPERMITTED_SENDER:
            if _ask(trust, reader, parent, "may_send", finding.transaction.sender):
                raise EvidenceRefused("intrusion.sender", "was permitted to send")
        else:
            _check_unvoted(finding.transaction, genesis, trust, reader, parent)
    trust.check_codes()
    return finding


def _check_network(document: EvidenceDocument, genesis: Genesis) -> None:
    if document.chain_id != genesis.chain_id:
        raise EvidenceRefused("chain_id", f"is not {genesis.chain_id}, that of the genesis file")
    if decode_hex(document.genesis_hash) != genesis.genesis_hash:
        raise EvidenceRefused("genesis_hash", "is not that of the genesis file")


def _check_parts(document: EvidenceDocument, *, has_contract: bool) -> None:
    is_intrusion = document.kind in INTRUSIONS
    has_parent = has_contract and document.parent is not None
    needed = {
        "parent": is_intrusion or has_parent,
        "block": is_intrusion or not has_parent,
        "contradiction": not is_intrusion,
        "intrusion": is_intrusion,
    }
    for name, is_needed in needed.items():
        is_there = getattr(document, name) is not None
        if is_there and not is_needed:
            raise EvidenceRefused(name, f"does not belong to {document.kind} on this network")
        if is_needed and not is_there:
            raise EvidenceRefused(name, "is missing")
    if is_intrusion and document.round is not None:
        raise EvidenceRefused("round", "must be null: the block alone is judged")


def _judge_contradiction(
    document: EvidenceDocument, offender: Address, agency: bytes, trust: Trust
) -> Finding:
    given = document.contradiction
    assert given is not None, "the caller has looked"
    code = MessageCode(given.code)
    if document.kind != name_kind(code):
        raise EvidenceRefused("kind", f"is not {name_kind(code)}, that of the message code")
    if document.round is None:
        raise EvidenceRefused("round", "is missing")
    evidence = Evidence(
        author=offender,
        height=Height(document.height),
        round=Round(document.round),
        code=code,
        first=decode_hex(given.first),
        second=decode_hex(given.second),
    )
    try:
        claims = read_claims(evidence)
    except PeerFault as error:
        raise EvidenceRefused("contradiction", str(error)) from None
    _check_id(document, compute_contradiction_id(evidence))
    return Finding(
        chain_id=document.chain_id,
        genesis_hash=Hash32(decode_hex(document.genesis_hash)),
        kind=document.kind,
        offender=offender,
        agency=agency,
        height=evidence.height,
        round=evidence.round,
        validators=trust.validators,
        claims=claims,
    )


def _judge_intrusion(
    document: EvidenceDocument,
    given: Intrusion,
    block: BlockHeader,
    agency: bytes,
    trust: Trust,
) -> Finding:
    offender = Address(decode_hex(document.offender))
    if block.coinbase != offender:
        raise EvidenceRefused("offender", "is not the proposer of the block")
    raw = decode_hex(given.transaction)
    nodes = tuple(map(decode_hex, given.inclusion))
    found = get_proved_value(
        block.transactions_root, index_key(given.index), nodes, "intrusion.inclusion"
    )
    if found != raw:
        raise EvidenceRefused("intrusion.transaction", "is not at this index of the block")
    try:
        transaction = decode_transaction(raw)
    except TransactionInvalid as error:
        raise EvidenceRefused("intrusion.transaction", str(error)) from None
    if transaction.sender != decode_hex(given.sender):
        raise EvidenceRefused("intrusion.sender", "is not who signed the transaction")
    block_hash = compute_block_hash(block)
    _check_id(document, compute_intrusion_id(block_hash, transaction.hash, document.kind))
    return Finding(
        chain_id=document.chain_id,
        genesis_hash=Hash32(decode_hex(document.genesis_hash)),
        kind=document.kind,
        offender=offender,
        agency=agency,
        height=block.number,
        round=None,
        validators=trust.validators,
        block_hash=block_hash,
        timestamp_s=block.timestamp,
        transaction=transaction,
    )


def _check_unvoted(
    transaction: Transaction,
    genesis: Genesis,
    trust: Trust,
    reader: WitnessReader,
    parent: BlockHeader,
) -> None:
    if is_development_genesis(genesis):
        raise EvidenceRefused("kind", "is none on a ledger for development: code needs no vote")
    breach = find_breach(
        transaction,
        get_account=reader.get_account,
        is_resolved=lambda subject: bool(_ask(trust, reader, parent, "resolved_at", subject)),
    )
    if breach is None:
        raise EvidenceRefused("intrusion.transaction", "needed no vote, or had it")


def _check_id(document: EvidenceDocument, expected: Hash32) -> None:
    if decode_hex(document.id) != expected:
        raise EvidenceRefused("id", "is not that of this act")


def _ask(
    trust: Trust, reader: WitnessReader, header: BlockHeader, function: str, about: bytes
) -> Any:
    """Ask the registry one question about an account or a subject; raises EvidenceRefused."""
    output = trust.ask(
        reader,
        header,
        to=REGISTRY,
        data=encode_call(AGENCY_REGISTRY_NAME, function, (about,)),
        field="parent.state",
    )
    if not output:
        raise EvidenceRefused("parent.state", "has no agency registry")
    return decode_output(AGENCY_REGISTRY_NAME, function, output)

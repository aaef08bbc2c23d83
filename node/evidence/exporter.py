"""Making an evidence file from what a node has kept and from its chain.

The file must convince somebody who has only genesis.json, so it is completed with the headers that
lead from genesis to the act and with what the registry said before it. A file is handed out only
after it convinced the verifier here.
"""

from collections.abc import Callable, Iterator

from consensus.evidence import Evidence
from consensus.extra_data import decode_extra_data
from consensus.header import BlockHeader, encode_header
from consensus.types import Address, Hash32
from contracts.addresses import AGENCY_REGISTRY_NAME, REGISTRY
from contracts.codec import encode_call
from node.chain.blockchain import Blockchain
from node.chain.code_votes import find_breach
from node.chain.errors import StateMissing
from node.chain.evm.executor import EvmEngine
from node.chain.set_changes import SetChange
from node.chain.transactions import Transaction
from node.chain.trie import compute_ordered_proof
from node.chain.validators import GET_VALIDATORS_SELECTOR
from node.evidence.document import (
    FORMAT,
    UNPERMITTED_SENDER,
    VERSION,
    Contradiction,
    EvidenceDocument,
    Intrusion,
    Link,
    Step,
    encode_hex,
    write_state,
)
from node.evidence.errors import EvidenceRefused, EvidenceUnavailable
from node.evidence.naming import compute_contradiction_id, compute_intrusion_id, name_kind
from node.evidence.verifier import verify_evidence
from node.evidence.witness import RecordingReader, ask

Question = tuple[Address, bytes]
"""A contract and the call data to ask it with."""


class EvidenceExporter:
    """Makes evidence files. Reads only, so it may run in any thread."""

    def __init__(self, chain: Blockchain) -> None:
        self._chain = chain
        self._genesis = chain.genesis
        self._contract = self._genesis.qbft.validator_contract

    def export_contradiction(self, evidence: Evidence) -> EvidenceDocument:
        """Return the file about two conflicting messages.

        Raises EvidenceUnavailable or StateMissing if the chain here cannot show the validators of
        that height.
        """
        codes: dict[bytes, None] = {}
        parent = self._find_parent(evidence, codes)
        trail = self._make_trail(evidence.height, codes, has_parent=parent is not None)
        block = None
        if parent is None:
            block = encode_hex(encode_header(self._get_header(evidence.height)))
        return self._check(
            EvidenceDocument(
                format=FORMAT,
                version=VERSION,
                id=encode_hex(compute_contradiction_id(evidence)),
                chain_id=self._genesis.chain_id,
                genesis_hash=encode_hex(self._genesis.genesis_hash),
                kind=name_kind(evidence.code),
                offender=encode_hex(evidence.author),
                height=evidence.height,
                round=evidence.round,
                trail=trail,
                parent=parent,
                block=block,
                contradiction=Contradiction(
                    code=int(evidence.code),
                    first=encode_hex(evidence.first),
                    second=encode_hex(evidence.second),
                ),
                codes=tuple(map(encode_hex, codes)),
            )
        )

    def export_intrusion(
        self, block_hash: Hash32, transaction_hash: Hash32, kind: str = UNPERMITTED_SENDER
    ) -> EvidenceDocument:
        """Return the file about a sender who was not permitted, or code that nobody voted for.

        Raises EvidenceUnavailable or StateMissing if the block or the state before it is gone.
        """
        header = self._get_header(block_hash)
        transactions = self._chain.get_transactions(header.number) or ()
        places = [place for place, item in enumerate(transactions) if item.hash == transaction_hash]
        if not places:
            raise EvidenceUnavailable(f"block {header.number} is not whole in this node's store")
        index = places[0]
        sender = transactions[index].sender
        codes: dict[bytes, None] = {}
        accounts: tuple[Address, ...] = ()
        questions: tuple[Question, ...]
        if kind == UNPERMITTED_SENDER:
            questions = ((REGISTRY, encode_call(AGENCY_REGISTRY_NAME, "may_send", (sender,))),)
        else:
            accounts, questions = self._list_vote_questions(transactions[index], header.number - 1)
        return self._check(
            EvidenceDocument(
                format=FORMAT,
                version=VERSION,
                id=encode_hex(compute_intrusion_id(block_hash, transaction_hash, kind)),
                chain_id=self._genesis.chain_id,
                genesis_hash=encode_hex(self._genesis.genesis_hash),
                kind=kind,
                offender=encode_hex(header.coinbase),
                height=header.number,
                round=None,
                trail=self._make_trail(header.number, codes, has_parent=True),
                parent=self._make_parent(
                    header.number, codes, header.coinbase, questions, accounts
                ),
                block=encode_hex(encode_header(header)),
                intrusion=Intrusion(
                    transaction=encode_hex(transactions[index].raw),
                    index=index,
                    inclusion=tuple(
                        map(
                            encode_hex,
                            compute_ordered_proof([item.raw for item in transactions], index),
                        )
                    ),
                    sender=encode_hex(sender),
                ),
                codes=tuple(map(encode_hex, codes)),
            )
        )

    def _check(self, document: EvidenceDocument) -> EvidenceDocument:
        try:
            verify_evidence(document, self._genesis)
        except EvidenceRefused as error:
            raise EvidenceUnavailable(
                f"what this node has kept does not prove the act: {error}"
            ) from error
        return document

    def _make_trail(
        self, height: int, codes: dict[bytes, None], *, has_parent: bool
    ) -> tuple[Step, ...]:
        """Return a step for each change of the validators between genesis and the act."""
        last = height - 1 if has_parent else height  # shows its own validators
        if self._chain.set_history.is_kept:
            return tuple(
                _write_change(change)
                for change in self._chain.set_history.get_changes(last - 1)
                if change.header.number > 0
            )
        if self._contract is not None:
            questions = ((self._contract, GET_VALIDATORS_SELECTOR),)
            found = _find_changes(self._get_contract_set, 0, last - 1)
            links = (self._make_link(self._get_header(item), codes, questions) for item in found)
            return tuple(Step(header=link.header, state=link.state) for link in links)
        found = _find_changes(self._get_listed_set, 1, last - 1)
        return tuple(
            Step(header=encode_hex(encode_header(self._get_header(item)))) for item in found
        )

    def _find_parent(self, evidence: Evidence, codes: dict[bytes, None]) -> Link | None:
        """Return the block before a contradiction; None if its own block must do.

        In contract mode the state of the block before names the validators and whose they are, as
        long as it is kept here; with header votes the next block's header lists them.
        """
        if self._contract is None:
            return None
        try:
            return self._make_parent(evidence.height, codes, evidence.author, ())
        except StateMissing:
            return None

    def _make_parent(
        self,
        height: int,
        codes: dict[bytes, None],
        offender: Address,
        questions: tuple[Question, ...],
        accounts: tuple[Address, ...] = (),
    ) -> Link:
        if self._contract is not None:
            questions = (*questions, (self._contract, GET_VALIDATORS_SELECTOR))
        if self._contract == REGISTRY:
            agency = encode_call(AGENCY_REGISTRY_NAME, "validator_agency", (offender,))
            questions = (*questions, (REGISTRY, agency))
        return self._make_link(self._get_header(height - 1), codes, questions, accounts)

    def _list_vote_questions(
        self, transaction: Transaction, height: int
    ) -> tuple[tuple[Address, ...], tuple[Question, ...]]:
        """Return the accounts and the registry's answers that show which vote was missing."""
        subjects: list[Hash32] = []

        def note(subject: Hash32) -> bool:
            subjects.append(subject)
            return len(subjects) == 1  # as if opened and not closed: both are asked

        state = self._chain.state_at(self._get_header(height))
        find_breach(transaction, get_account=state.get_account, is_resolved=note)
        questions = tuple(
            (REGISTRY, encode_call(AGENCY_REGISTRY_NAME, "resolved_at", (subject,)))
            for subject in subjects
        )
        return (() if transaction.to is None else (transaction.to,)), questions

    def _make_link(
        self,
        header: BlockHeader,
        codes: dict[bytes, None],
        questions: tuple[Question, ...],
        accounts: tuple[Address, ...] = (),
    ) -> Link:
        reader = RecordingReader(self._chain.state_at(header))
        for address in accounts:
            reader.get_account(address)
        engine = EvmEngine()
        for to, data in questions:
            ask(engine, reader, header, self._genesis, to=to, data=data, field="state")
        witness = reader.prove()
        codes.update(dict.fromkeys(witness.codes))
        return Link(header=encode_hex(encode_header(header)), state=write_state(witness))

    def _get_header(self, block: int | Hash32) -> BlockHeader:
        header = self._chain.get_header(block)
        if header is None:
            raise EvidenceUnavailable(
                f"block {block if isinstance(block, int) else encode_hex(block)} is not final here",
                next_step="Try again after the next block, or on another node",
            )
        return header

    def _get_contract_set(self, height: int) -> tuple[Address, ...]:
        """Return the validators that follow from the state after a block."""
        return self._chain.get_validators(self._get_header(height))

    def _get_listed_set(self, height: int) -> tuple[Address, ...]:
        """Return the validators that a block's header lists."""
        return decode_extra_data(self._get_header(height).extra_data).validators


def _write_change(change: SetChange) -> Step:
    return Step(
        header=encode_hex(encode_header(change.header)),
        validators=tuple(map(encode_hex, change.validators)),
        account_proof=tuple(map(encode_hex, change.account_proof)),
        number_proof=tuple(map(encode_hex, change.number_proof)),
        hash_proof=tuple(map(encode_hex, change.hash_proof)),
    )


def _find_changes(
    get_set: Callable[[int], tuple[Address, ...]], first: int, last: int
) -> Iterator[int]:
    """Yield heights that lead from the set at `first` to that at `last`, ascending.

    At each of them the set differs from the one before. Sets that came and went again between two
    equal ones may be left out: the validators believed in are the same without them.
    """
    if first >= last or get_set(first) == get_set(last):
        return
    if last == first + 1:
        yield last
        return
    middle = (first + last) // 2
    yield from _find_changes(get_set, first, middle)
    yield from _find_changes(get_set, middle, last)

"""Who validated a height, followed from genesis by headers alone.

Genesis names the first validators. A block that a quorum of the validators then entitled has sealed
is final, so its header can be believed, and with it what it says of the next validators:

* *contract mode*: the header's state root. For the registry two slots prove number and hash of the
  set after the block (`node.chain.set_changes`, which a node keeps also of blocks whose state it
  has dropped); another contract is asked for `getValidators()` over a witness. One step for each
  change of the set; then the block before the act, whose state answers `getValidators()`, or the
  block of the act's own height, which a quorum of the set has sealed.
* *header votes*: the header's own list. It changes by one member at a block, by votes in headers
  that the file does not carry; a header with another list is believed if, besides a quorum of its
  own list, more than f of the validators believed in before have sealed it, since one of them at
  least is honest and seals only what the votes allow. (Light clients of other BFT chains skip
  ahead by the same rule.)

What this rests on is what finality itself rests on: of each set at most f = (n - 1) // 3 were
faulty or had their keys stolen, also afterwards.
"""

from collections.abc import Sequence

from eth_hash.auto import keccak

from consensus.errors import InvalidHeader, PeerFault
from consensus.extra_data import decode_extra_data
from consensus.header import BlockHeader, compute_block_hash, decode_header, encode_header
from consensus.header_rules import get_sealers, validate_seals
from consensus.quorum import compute_faulty
from consensus.types import Address
from contracts.addresses import REGISTRY
from node.chain.blockchain import Blockchain
from node.chain.errors import ChainBug
from node.chain.evm.executor import EvmEngine
from node.chain.genesis import Genesis
from node.chain.set_changes import SetChange, SetChangeInvalid, validate_set_change
from node.chain.validators import GET_VALIDATORS_SELECTOR, decode_addresses
from node.evidence.document import Link, Step, decode_hex, read_state
from node.evidence.errors import EvidenceRefused
from node.evidence.witness import WitnessReader, ask
from node.storage.memory import MemoryStore


class Trust:
    """The validators believed in, and how far. Feed it headers in ascending order."""

    def __init__(self, genesis: Genesis, codes: Sequence[str]) -> None:
        """Begin with the validators that genesis names; `codes` are those of the file."""
        self._genesis = genesis
        self._codes = tuple(decode_hex(code) for code in codes)
        self._named: set[bytes] = set()
        self._engine = EvmEngine()
        chain = Blockchain.open(MemoryStore(), genesis)
        self.validators = chain.get_validators(genesis.header)
        """Entitled to seal the block after the last header that was followed."""
        chain.close()
        self._last = 0
        self._set_number = 0

    def follow_step(self, step: Step, field: str) -> BlockHeader:
        """Believe the header of a change and take the validators after it."""
        is_registry = self._genesis.qbft.validator_contract == REGISTRY
        proofs = (step.validators, step.account_proof, step.number_proof, step.hash_proof)
        if not is_registry and any(proofs):
            raise EvidenceRefused(field, "proves slots of a registry that names no validators")
        if is_registry and step.state:
            raise EvidenceRefused(f"{field}.state", "does not belong to this network's trail")
        if not is_registry:
            return self.follow(Link(header=step.header, state=step.state), field)[0]
        header = read_header(step.header, f"{field}.header")
        self._check_seals(header, step.header, f"{field}.header")
        change = SetChange(
            header=header,
            validators=tuple(Address(decode_hex(item)) for item in step.validators),
            account_proof=tuple(map(decode_hex, step.account_proof)),
            number_proof=tuple(map(decode_hex, step.number_proof)),
            hash_proof=tuple(map(decode_hex, step.hash_proof)),
        )
        try:
            number = validate_set_change(change, self.validators)
        except SetChangeInvalid as error:
            raise EvidenceRefused(field, error.message) from None
        if number <= self._set_number:
            raise EvidenceRefused(field, "does not count a later set than the one before")
        self._set_number = number
        self.validators = change.validators
        return header

    def follow(self, link: Link, field: str) -> tuple[BlockHeader, WitnessReader]:
        """Believe a header and take the validators that its state names.

        Returns the header and its proved state; raises EvidenceRefused.
        """
        header = read_header(link.header, f"{field}.header")
        self._check_seals(header, link.header, f"{field}.header")
        witness = read_state(link.state)
        self._named |= {proof.account.code_hash for proof in witness.accounts}
        reader = WitnessReader(witness, self._codes, header.state_root, f"{field}.state")
        contract = self._genesis.qbft.validator_contract
        if contract is not None:
            output = self.ask(
                reader, header, to=contract, data=GET_VALIDATORS_SELECTOR, field=f"{field}.state"
            )
            try:
                self.validators = tuple(sorted(decode_addresses(output)))
            except ChainBug as error:
                raise EvidenceRefused(f"{field}.state", str(error)) from None
        return header, reader

    def check_block(self, raw: str, parent: BlockHeader | None, field: str) -> BlockHeader:
        """Believe the header of the act's own block; its state is not looked at."""
        header = read_header(raw, field)
        if parent is not None and header.parent_hash != compute_block_hash(parent):
            raise EvidenceRefused(field, "does not follow the header in parent")
        self._check_seals(header, raw, field)
        return header

    def ask(
        self, reader: WitnessReader, header: BlockHeader, *, to: Address, data: bytes, field: str
    ) -> bytes:
        """Ask a contract on a proved state; raises EvidenceRefused."""
        return ask(self._engine, reader, header, self._genesis, to=to, data=data, field=field)

    def check_codes(self) -> None:
        """Refuse a file with code that none of its accounts has; call it last."""
        for number, code in enumerate(self._codes):
            if keccak(code) not in self._named:
                raise EvidenceRefused(f"codes.{number}", "is the code of no account in the file")

    def _check_seals(self, header: BlockHeader, raw: str, field: str) -> None:
        if header.number == 0:
            if decode_hex(raw) != encode_header(self._genesis.header):
                raise EvidenceRefused(field, "is not the first block of this genesis file")
            return
        if header.number <= self._last:
            raise EvidenceRefused(field, "does not come after the header before it")
        self._last = header.number
        try:
            if self._genesis.qbft.validator_contract is None:
                self._take_list(header, field)
            validate_seals(header, self.validators)
        except InvalidHeader as error:
            raise EvidenceRefused(field, f"is not final: {error}") from None

    def _take_list(self, header: BlockHeader, field: str) -> None:
        """Take the validators that a header of a network with header votes names."""
        named = decode_extra_data(header.extra_data).validators
        if named == self.validators:
            return
        if not named:
            raise EvidenceRefused(field, "names no validators")
        known = set(get_sealers(header)) & set(self.validators)
        needed = compute_faulty(len(self.validators)) + 1
        if len(known) < needed:
            raise EvidenceRefused(
                field, f"names other validators, and {len(known)} of those before sealed it"
            )
        self.validators = named


def read_header(raw: str, field: str) -> BlockHeader:
    """Read a header of the file; raises EvidenceRefused."""
    data = decode_hex(raw)
    try:
        header = decode_header(data)
        decode_extra_data(header.extra_data)
    except PeerFault as error:
        raise EvidenceRefused(field, f"is no header: {error}") from None
    if encode_header(header) != data:
        raise EvidenceRefused(field, "is not written in the one canonical way")
    return header

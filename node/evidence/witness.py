"""What a contract would answer on a past state, shown to somebody who has no state.

Whether an account may send, or who validates, is decided by the registry's code, which the
agencies can replace by vote. So the proof does not name slots and leaves their meaning to the
reader: it holds every account, slot and code that the question touches, each with its path from
the state root (EIP-1186). The reader checks the paths and asks the very same code again.

    state root in a trusted header -> accounts -> code by its hash, slots by the storage root
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from eth_hash.auto import keccak

from consensus.header import BlockHeader
from consensus.types import Address, Hash32
from node.chain.accounts import EMPTY_CODE_HASH, NO_ACCOUNT, Account, decode_account
from node.chain.deadline import Deadline
from node.chain.errors import DeadlineExceeded
from node.chain.evm.executor import EvmEngine
from node.chain.execution import StateReader, make_environment
from node.chain.genesis import Genesis
from node.chain.results import AccountProof, CallRequest
from node.chain.state_view import StateView
from node.chain.trie import get_value
from node.chain.trie_nodes import Node, decode_node
from node.evidence.errors import EvidenceRefused
from node.storage.errors import StoreDamaged

_CALL_LIMIT_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Parts of one state, with proofs."""

    accounts: tuple[AccountProof, ...]
    """Every account that was looked at, also those that do not exist, with its slots."""

    codes: tuple[bytes, ...]
    """Every code that was run."""


class RecordingReader:
    """A `StateReader` that remembers what it was asked for."""

    def __init__(self, state: StateView) -> None:
        self._state = state
        self._slots: dict[Address, set[int]] = {}
        self._owners: dict[Hash32, Address] = {}
        self._codes: dict[Hash32, bytes] = {}

    def get_account(self, address: Address) -> Account | None:
        """Return an account, or None."""
        self._slots.setdefault(address, set())
        account = self._state.get_account(address)
        if account is not None:
            self._owners[account.code_hash] = address
        return account

    def get_storage(self, storage_root: Hash32, address: Address, slot: int) -> int:
        """Return a slot of an account."""
        del storage_root  # the account of the same state has it
        self._slots.setdefault(address, set()).add(slot)
        return self._state.get_storage(address, slot)

    def get_code(self, code_hash: Hash32) -> bytes:
        """Return code by the hash that an account named before."""
        if code_hash == EMPTY_CODE_HASH:
            return b""
        code = self._state.get_code(self._owners[code_hash])
        self._codes[code_hash] = code
        return code

    def prove(self) -> Witness:
        """Return everything that was asked for, with its proofs."""
        return Witness(
            accounts=tuple(
                self._state.prove(address, sorted(slots))
                for address, slots in sorted(self._slots.items())
            ),
            codes=tuple(code for _, code in sorted(self._codes.items())),
        )


class WitnessReader:
    """A `StateReader` over a witness whose every part was checked against a state root."""

    def __init__(self, witness: Witness, codes: Iterable[bytes], root: Hash32, field: str) -> None:
        """Check all proofs; raises EvidenceRefused. `codes` may hold those of other witnesses."""
        self._field = field
        self._codes = {Hash32(keccak(code)): code for code in codes}
        self._accounts: dict[Address, Account | None] = {}
        self._slots: dict[tuple[Address, int], int] = {}
        for number, proof in enumerate(witness.accounts):
            self._take(proof, root, f"{field}.{number}")

    def get_account(self, address: Address) -> Account | None:
        """Return an account, or None if it was proved absent."""
        if address not in self._accounts:
            raise EvidenceRefused(self._field, f"lacks the account 0x{address.hex()}")
        return self._accounts[address]

    def get_storage(self, storage_root: Hash32, address: Address, slot: int) -> int:
        """Return a proved slot."""
        del storage_root  # the proofs of the account's slots were checked against it
        value = self._slots.get((address, slot))
        if value is None:
            raise EvidenceRefused(self._field, f"lacks slot {slot:#x} of 0x{address.hex()}")
        return value

    def get_code(self, code_hash: Hash32) -> bytes:
        """Return code by its hash."""
        if code_hash == EMPTY_CODE_HASH:
            return b""
        code = self._codes.get(code_hash)
        if code is None:
            raise EvidenceRefused("codes", f"lacks the code 0x{code_hash.hex()}")
        return code

    def _take(self, proof: AccountProof, root: Hash32, field: str) -> None:
        data = get_proved_value(
            root, keccak(proof.address).hex(), proof.proof, f"{field}.accountProof"
        )
        account = None if data is None else decode_account(data)
        if proof.address in self._accounts:
            raise EvidenceRefused(f"{field}.address", "is given twice")
        if (account or NO_ACCOUNT) != proof.account:
            raise EvidenceRefused(field, "says another account than its proof")
        self._accounts[proof.address] = account
        for number, item in enumerate(proof.storage):
            place = f"{field}.storageProof.{number}"
            key = keccak(item.slot.to_bytes(32, "big")).hex()
            word = get_proved_value(proof.account.storage_root, key, item.proof, f"{place}.proof")
            if _decode_word(word) != item.value:
                raise EvidenceRefused(f"{place}.value", "says another value than its proof")
            self._slots[proof.address, item.slot] = item.value


def get_proved_value(root: Hash32, key: str, nodes: tuple[bytes, ...], field: str) -> bytes | None:
    """Return what a Merkle-Patricia proof shows at `key` (hex digits), None for nothing.

    Raises EvidenceRefused unless the nodes are just those from the root to the key.
    """
    remaining = list(reversed(nodes))

    def take(node_hash: bytes) -> Node:
        if not remaining:
            raise EvidenceRefused(field, "ends too early")
        encoded = remaining.pop()
        if keccak(encoded) != node_hash:
            place = len(nodes) - len(remaining) - 1
            raise EvidenceRefused(f"{field}.{place}", "is not the node that the one above names")
        return decode_node(encoded)

    try:
        value = get_value(take, root, key)
    except (StoreDamaged, IndexError, KeyError) as error:
        raise EvidenceRefused(field, "holds a node that cannot be read") from error
    if remaining:
        raise EvidenceRefused(field, "has more nodes than the path")
    return value


def ask(
    engine: EvmEngine,
    reader: StateReader,
    header: BlockHeader,
    genesis: Genesis,
    *,
    to: Address,
    data: bytes,
    field: str,
) -> bytes:
    """Call a contract on the state after `header`, at its time; raises EvidenceRefused.

    The same code answers the exporter, who records what it reads, and the verifier. Hashes of
    earlier blocks are none of the state, so BLOCKHASH answers zero to both.
    """
    environment = make_environment(
        header,
        chain_id=genesis.chain_id,
        beneficiary=genesis.qbft.mining_beneficiary,
        block_reward=genesis.qbft.block_reward,
        get_block_hash=lambda _height: None,
    )
    try:
        result = engine.call(
            CallRequest(to=to, data=data),
            environment,
            reader,
            gas=header.gas_limit,
            deadline=Deadline.after(_CALL_LIMIT_S),
        )
    except DeadlineExceeded as error:
        raise EvidenceRefused(field, "takes too long to be asked") from error
    if result.error is not None:
        raise EvidenceRefused(field, f"the contract does not answer: {result.error}")
    return result.output


def _decode_word(data: bytes | None) -> int:
    """Read the RLP of a storage word; an absent one is zero."""
    if data is None:
        return 0
    return int.from_bytes(data[1:] if len(data) > 1 else data, "big")

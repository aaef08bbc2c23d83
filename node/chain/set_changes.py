"""A change of the validator set as somebody believes it who has not seen the chain.

The registry counts its validator sets (`set_number`) and keeps the hash of the present one
(`validator_set_hash`, over the addresses in ascending order) in two fixed storage slots. The block
that changes the set is still sealed by a quorum of the set before it. So its header can be believed
by whoever knows that set; the header's state root and two storage proofs then show number and hash
of the next set, and the addresses that have this hash are the next set. Link by link that leads
from genesis to any block, with a few kilobytes for each change and nothing for all other blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eth_hash.auto import keccak

from consensus import rlp_codec
from consensus.errors import InvalidHeader, MalformedEncoding
from consensus.extra_data import decode_extra_data
from consensus.header import BlockHeader, decode_header, encode_header
from consensus.header_rules import validate_seals
from consensus.rlp_codec import RlpItem, get_bytes, get_list
from consensus.types import Address, Hash32
from contracts.addresses import REGISTRY, SET_NUMBER_SLOT, VALIDATOR_SET_HASH_SLOT
from node.chain.accounts import decode_account
from node.chain.errors import InvalidBlock
from node.chain.state_store import hash_slot
from node.chain.state_view import StateView
from node.chain.trie import get_value
from node.chain.trie_nodes import Node, decode_node
from node.storage.errors import StoreDamaged

_MAX_VALIDATORS: Final = 64
_ADDRESS_BYTES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SetChange:
    """A block that changed the validator set, with the proof of the new set."""

    header: BlockHeader
    """Its sealed header; the seals are of the set before."""

    validators: tuple[Address, ...]
    """The set after it, ascending."""

    account_proof: tuple[bytes, ...]
    """Nodes from the state root to the registry's account."""

    number_proof: tuple[bytes, ...]
    """Nodes from the registry's storage root to `set_number`."""

    hash_proof: tuple[bytes, ...]
    """Nodes from the registry's storage root to `validator_set_hash`."""


class SetChangeInvalid(InvalidBlock):
    """A change of the validator set that does not follow from the set before it."""


def compute_set_hash(validators: Sequence[Address]) -> Hash32:
    """Return the registry's hash over a set of validators in ascending order."""
    return Hash32(keccak(b"".join(validators)))


def prove_set_change(
    header: BlockHeader, validators: Sequence[Address], state: StateView
) -> SetChange:
    """Make the link of a final block whose state names `validators`; raises StateMissing."""
    proof = state.prove(REGISTRY, (SET_NUMBER_SLOT, VALIDATOR_SET_HASH_SLOT))
    return SetChange(
        header=header,
        validators=tuple(validators),
        account_proof=proof.proof,
        number_proof=proof.storage[0].proof,
        hash_proof=proof.storage[1].proof,
    )


def validate_set_change(change: SetChange, sealers: Sequence[Address]) -> int:
    """Check a link against the set that was entitled to seal it; returns the new set's number.

    Raises SetChangeInvalid naming what is wrong.
    """
    try:
        validate_seals(change.header, sealers)
    except InvalidHeader as error:
        raise SetChangeInvalid(str(error)) from error
    return read_set_number(change)


def read_set_number(change: SetChange) -> int:
    """Return the number of the new set, once proofs and addresses fit the header's state root.

    Raises SetChangeInvalid naming what does not.
    """
    key: str = keccak(REGISTRY).hex()
    data = _read_proved(change.header.state_root, key, change.account_proof, "account proof")
    if data is None:
        raise SetChangeInvalid("account proof: the state has no registry")
    root = decode_account(data).storage_root
    slots = [
        _read_proved(root, hash_slot(slot), proof, name)
        for slot, proof, name in (
            (SET_NUMBER_SLOT, change.number_proof, "set_number proof"),
            (VALIDATOR_SET_HASH_SLOT, change.hash_proof, "validator_set_hash proof"),
        )
    ]
    number, set_hash = map(_decode_word, slots)
    if set_hash != int.from_bytes(compute_set_hash(change.validators), "big"):
        raise SetChangeInvalid("validators: are not those of the proved validator_set_hash")
    if list(change.validators) != sorted(set(change.validators)) or not change.validators:
        raise SetChangeInvalid("validators: are not a set in ascending order")
    return number


def encode_set_change(change: SetChange) -> bytes:
    """Return the RLP of a link, for the store and for snapshots."""
    return rlp_codec.encode(
        [
            encode_header(change.header),
            list(change.validators),
            list(change.account_proof),
            list(change.number_proof),
            list(change.hash_proof),
        ]
    )


def decode_set_change(data: bytes) -> SetChange:
    """Read a link; raises MalformedEncoding."""
    header, validators, account, number, set_hash = get_list(
        rlp_codec.decode(data), "set change", 5
    )
    addresses = get_list(validators, "validators")
    if not 0 < len(addresses) <= _MAX_VALIDATORS:
        raise MalformedEncoding(f"validators: {len(addresses)} are no set")
    decoded = decode_header(get_bytes(header, "header"))
    decode_extra_data(decoded.extra_data)  # without it a header has no hash
    return SetChange(
        header=decoded,
        validators=tuple(
            Address(get_bytes(item, "validator", _ADDRESS_BYTES)) for item in addresses
        ),
        account_proof=_read_nodes(account, "account proof"),
        number_proof=_read_nodes(number, "set_number proof"),
        hash_proof=_read_nodes(set_hash, "validator_set_hash proof"),
    )


def _read_nodes(item: RlpItem, what: str) -> tuple[bytes, ...]:
    return tuple(get_bytes(node, what) for node in get_list(item, what))


def _read_proved(root: Hash32, key: str, nodes: tuple[bytes, ...], what: str) -> bytes | None:
    """Return the value that exactly these nodes prove at `key`, or None for its absence."""
    remaining = list(reversed(nodes))

    def take(node_hash: bytes) -> Node:
        if not remaining:
            raise SetChangeInvalid(f"{what}: ends too early")
        encoded = remaining.pop()
        if keccak(encoded) != node_hash:
            raise SetChangeInvalid(f"{what}: a node is not the one that the node above names")
        return decode_node(encoded)

    try:
        value = get_value(take, root, key)
    except (StoreDamaged, IndexError, KeyError) as error:
        raise SetChangeInvalid(f"{what}: a node cannot be read") from error
    if remaining:
        raise SetChangeInvalid(f"{what}: has more nodes than the path")
    return value


def _decode_word(data: bytes | None) -> int:
    """Read the RLP of a storage word; an absent one is zero."""
    if data is None:
        return 0
    return int.from_bytes(data[1:] if len(data) > 1 else data, "big")

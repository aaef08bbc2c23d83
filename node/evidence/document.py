"""The evidence file: JSON that carries everything needed to judge an act, and nothing else.

    {
      "format": "atesta-evidence", "version": 1, "id": "0x…",
      "chain_id": 4021, "genesis_hash": "0x…",
      "kind": "conflicting_prepares", "offender": "0x…", "height": 12, "round": 0,
      "trail":  [{"header": "0x…", …}],                who validated, from genesis on
      "parent": {"header": "0x…", "state": […]},       the block before the act, and its registry
      "block": "0x…",                                  the header of the block of the act
      "contradiction": {"code": 19, "first": "0x…", "second": "0x…"},
      "intrusion": {"transaction": "0x…", "index": 0, "inclusion": ["0x…"], "sender": "0x…"},
      "codes": ["0x…"]
    }

Headers are RLP with their seals, signed messages are `[payload, signature]` byte for byte as QBFT
sends them, states are lists in the shape of eth_getProof (EIP-1186). Bytes are lower-case hex, so
that one thing has one spelling; a member that is not known, or is named twice, is refused. Which of
`parent`, `block`, `contradiction` and `intrusion` stand there follows from the kind; a
contradiction has `parent` or `block`, whichever shows the validators of its height.
"""

import json
from typing import Annotated, Any, Final, Literal

from atesta_client.canonical import is_nested_deeper
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from consensus.types import Address, Hash32
from node.chain.accounts import Account
from node.chain.results import AccountProof, StorageProof
from node.evidence.errors import EvidenceRefused
from node.evidence.witness import Witness

FORMAT: Final = "atesta-evidence"
VERSION: Final = 1
UNPERMITTED_SENDER: Final = "unpermitted_sender"
UNVOTED_CODE: Final = "unvoted_code"
INTRUSIONS: Final = (UNPERMITTED_SENDER, UNVOTED_CODE)
"""Kinds of acts that one transaction in a block proves."""
MAX_FILE_BYTES: Final = 32 * 1024 * 1024
_MAX_ITEMS: Final = 4_096
_MAX_NUMBER: Final = 2**63 - 1
_MAX_NESTING: Final = 16

Data = Annotated[str, StringConstraints(pattern=r"^0x([0-9a-f]{2})*$")]
Word = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-f]{64}$")]
AddressText = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-f]{40}$")]
Quantity = Annotated[str, StringConstraints(pattern=r"^0x(0|[1-9a-f][0-9a-f]{0,63})$")]
Number = Annotated[int, Field(ge=0, le=_MAX_NUMBER)]
Nodes = Annotated[tuple[Data, ...], Field(max_length=_MAX_ITEMS)]


class Part(BaseModel):
    """A strict object of the file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SlotText(Part):
    """One storage slot, as eth_getProof has it."""

    key: Word
    value: Quantity
    proof: Nodes


class AccountText(Part):
    """One account, as eth_getProof has it."""

    address: AddressText
    nonce: Quantity
    balance: Quantity
    storage_hash: Word = Field(alias="storageHash")
    code_hash: Word = Field(alias="codeHash")
    account_proof: Nodes = Field(alias="accountProof")
    storage_proof: Annotated[tuple[SlotText, ...], Field(max_length=_MAX_ITEMS)] = Field(
        alias="storageProof"
    )


State = Annotated[tuple[AccountText, ...], Field(max_length=_MAX_ITEMS)]


class Link(Part):
    """A block's header, and parts of the state after it."""

    header: Data
    state: State = ()


class Step(Part):
    """A final block after which other validators were entitled: see `node.evidence.trust`."""

    header: Data
    validators: Annotated[tuple[AddressText, ...], Field(max_length=64)] = ()
    account_proof: Nodes = ()
    number_proof: Nodes = ()
    hash_proof: Nodes = ()
    state: State = ()


class Contradiction(Part):
    """Two signed messages that an honest validator never makes both of."""

    code: Annotated[int, Field(ge=0x12, le=0x15)]
    first: Data
    second: Data


class Intrusion(Part):
    """A transaction in a block that no proposer may put there."""

    transaction: Data
    index: Number
    inclusion: Nodes
    sender: AddressText


class EvidenceDocument(Part):
    """The whole file."""

    format: Literal["atesta-evidence"]
    version: Literal[1]
    id: Word
    chain_id: Number
    genesis_hash: Word
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
    offender: AddressText
    height: Annotated[int, Field(ge=1, le=_MAX_NUMBER)]
    round: Number | None
    trail: Annotated[tuple[Step, ...], Field(max_length=_MAX_ITEMS)]
    parent: Link | None = None
    block: Data | None = None
    contradiction: Contradiction | None = None
    intrusion: Intrusion | None = None
    codes: Annotated[tuple[Data, ...], Field(max_length=_MAX_ITEMS)]


def parse_document(data: str | bytes) -> EvidenceDocument:
    """Read an evidence file; raises EvidenceRefused naming the member."""
    if len(data) > MAX_FILE_BYTES:
        raise EvidenceRefused("file", f"is larger than {MAX_FILE_BYTES} bytes")
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        # py-evm raises the recursion limit, so reading deep nesting would overrun the stack.
        if is_nested_deeper(text, _MAX_NESTING):
            raise EvidenceRefused("file", "is not JSON of an evidence file: nested too deep")
        # The first reading only looks for members named twice; two readers could differ on them.
        json.loads(text, object_pairs_hook=_refuse_repetition)
        return EvidenceDocument.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "file"
        raise EvidenceRefused(place, first["msg"]) from None
    except ValueError:
        raise EvidenceRefused("file", "is not JSON") from None


def write_document(document: EvidenceDocument) -> dict[str, Any]:
    """Return the file's content as JSON values; parts that its kind does not need are left out."""
    content = document.model_dump(mode="json", by_alias=True)
    return {name: value for name, value in content.items() if value is not None or name == "round"}


def encode_hex(data: bytes) -> str:
    """Write bytes as the file has them."""
    return "0x" + data.hex()


def decode_hex(text: str) -> bytes:
    """Read bytes of a file that was parsed."""
    return bytes.fromhex(text[2:])


def write_state(witness: Witness) -> tuple[AccountText, ...]:
    """Return the accounts of a witness as the file has them."""
    return tuple(
        AccountText(
            address=encode_hex(item.address),
            nonce=hex(item.account.nonce),
            balance=hex(item.account.balance),
            storageHash=encode_hex(item.account.storage_root),
            codeHash=encode_hex(item.account.code_hash),
            accountProof=tuple(map(encode_hex, item.proof)),
            storageProof=tuple(
                SlotText(
                    key=encode_hex(slot.slot.to_bytes(32, "big")),
                    value=hex(slot.value),
                    proof=tuple(map(encode_hex, slot.proof)),
                )
                for slot in item.storage
            ),
        )
        for item in witness.accounts
    )


def read_state(state: tuple[AccountText, ...]) -> Witness:
    """Return the accounts of a file as a witness, whose codes are elsewhere in it."""
    return Witness(
        accounts=tuple(
            AccountProof(
                address=Address(decode_hex(item.address)),
                account=Account(
                    nonce=int(item.nonce, 16),
                    balance=int(item.balance, 16),
                    storage_root=Hash32(decode_hex(item.storage_hash)),
                    code_hash=Hash32(decode_hex(item.code_hash)),
                ),
                proof=tuple(map(decode_hex, item.account_proof)),
                storage=tuple(
                    StorageProof(
                        slot=int(slot.key, 16),
                        value=int(slot.value, 16),
                        proof=tuple(map(decode_hex, slot.proof)),
                    )
                    for slot in item.storage_proof
                ),
            )
            for item in state
        ),
        codes=(),
    )


def _refuse_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise EvidenceRefused(name, "is named twice")
        members[name] = value
    return members

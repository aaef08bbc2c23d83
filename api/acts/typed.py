"""Typed data for a signer's own device: EIP-712 as wallets and key devices take it.

The same message as `contracts.typed_data` hashes, written out as the JSON object of
`eth_signTypedData_v4`, so that the device can show every field. Numbers are decimal texts, because
JSON readers lose what is beyond 2^53.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from eth_typing import Address, Hash32
from eth_utils.address import to_checksum_address

from api.acts.calls import read_contract
from api.errors import InvalidField
from api.ledger import Ledger
from api.rest.values import encode_time
from contracts.typed_data import DOMAIN_TYPE, NAME, VERSION, Domain, hash_message

DEADLINE_S: Final = 86_400
"""How long a signature may be handed in where the caller does not say."""

MAX_DEADLINE_S: Final = 30 * 86_400
"""How far ahead a deadline may lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedMessage:
    """A message to sign."""

    digest: Hash32
    """What the signature is made over, 32 bytes."""
    typed_data: dict[str, Any]
    """The argument of `eth_signTypedData_v4`."""


def find_deadline(now_s: int, deadline: datetime | None) -> int:
    """Return until when a signature may be handed in; raises `InvalidField`."""
    if deadline is None:
        return now_s + DEADLINE_S
    deadline_s = encode_time(deadline)
    if not now_s < deadline_s <= now_s + MAX_DEADLINE_S:
        raise InvalidField("deadline", "a deadline lies ahead, by 30 days at most")
    return deadline_s


async def read_domain(ledger: Ledger, contract: str) -> Domain:
    """Return the domain under which a contract of this ledger takes signatures."""
    answer = await read_contract(ledger, contract, "eip712Domain")
    return Domain(
        chain_id=int(answer[3]), contract=Address(bytes(answer[4])), salt=Hash32(bytes(answer[5]))
    )


async def build_typed_message(
    ledger: Ledger, contract: str, message_type: str, values: Sequence[Any]
) -> TypedMessage:
    """Return a message of a flat type, `Name(type field,...)`, for one of the contracts."""
    domain = await read_domain(ledger, contract)
    assert domain.contract == ledger.book.get_address(contract), "a contract names its own proxy"
    name, members = _list_members(message_type)
    _, domain_members = _list_members(DOMAIN_TYPE)
    return TypedMessage(
        digest=hash_message(domain, message_type, values),
        typed_data={
            "types": {"EIP712Domain": domain_members, name: members},
            "primaryType": name,
            "domain": {
                "name": NAME,
                "version": VERSION,
                "chainId": domain.chain_id,
                "verifyingContract": to_checksum_address(domain.contract),
                "salt": "0x" + domain.salt.hex(),
            },
            "message": {
                member["name"]: _write(value) for member, value in zip(members, values, strict=True)
            },
        },
    )


def _list_members(message_type: str) -> tuple[str, list[dict[str, str]]]:
    name, _, rest = message_type.partition("(")
    pairs = [member.split(" ") for member in rest.removesuffix(")").split(",")]
    return name, [{"name": member, "type": kind} for kind, member in pairs]


def _write(value: Any) -> str:
    return "0x" + bytes(value).hex() if isinstance(value, bytes | bytearray) else str(value)

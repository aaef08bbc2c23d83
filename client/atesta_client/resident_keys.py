"""A resident's fresh key: it gives one consent, and may withdraw it.

The key is made on the resident's device for one consent and never used for another, so that no two
consents of a person have anything in common on the ledger. An agency that knows the person says
whose key it is; another one prepares the message; the device shows it and signs it as EIP-712 typed
data, in the form of ``eth_signTypedData_v4``. The same key later signs a withdrawal.

Only the two messages of the ledger's consents are signed here: what is called otherwise, or has
members of its own, is refused, so that nobody gets a signature for something else.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from coincurve import PrivateKey, PublicKey
from eth_hash.auto import keccak

from atesta_client.errors import CredentialRefused, ReasonCode
from atesta_client.wire import refuse_file

CONSENT_TYPE: Final = (
    "Consent(bytes32 uid,bytes32 provider,bytes32 recipient,bytes32 dataset,uint256 fields,"
    "bytes32 purpose,uint8 kind,bytes32 notice,uint256 validFrom,uint256 validUntil,uint256 quota,"
    "uint256 responseTime,bytes32 subject,bytes32 record,uint256 eventTime,uint256 nonce,"
    "uint256 deadline)"
)
"""What a resident signs to consent, as EIP-712 writes types."""
WITHDRAWAL_TYPE: Final = "Withdrawal(bytes32 uid,uint256 declaredAt,uint256 nonce,uint256 deadline)"
"""What a resident signs to withdraw."""

_DOMAIN_TYPE: Final = (
    "EIP712Domain(string name,string version,uint256 chainId,"
    "address verifyingContract,bytes32 salt)"
)
_TYPES: Final = {"Consent": CONSENT_TYPE, "Withdrawal": WITHDRAWAL_TYPE}
_NAME: Final = "Atesta"
_KEY_SIZE: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentKey:
    """A secp256k1 key of a resident, for one consent."""

    secret: bytes
    """The private key, 32 bytes; keep it on the device until the consent has ended."""

    @classmethod
    def generate(cls) -> "ResidentKey":
        """Make a fresh key from the system's randomness."""
        return cls(secret=PrivateKey(secrets.token_bytes(_KEY_SIZE)).secret)

    @property
    def address(self) -> str:
        """The key's address, as the ledger names it: 0x and 40 hexadecimal digits."""
        point: PublicKey = PrivateKey(self.secret).public_key
        return "0x" + keccak(point.format(compressed=False)[1:])[-20:].hex()

    def sign(self, typed_data: Mapping[str, Any]) -> str:
        """Sign a prepared consent or withdrawal: r, s (the lower one) and v, 0x and 130 digits.

        ``typed_data`` is the member of that name of the node's answer. Raises
        :class:`CredentialRefused` for anything but the two messages.
        """
        signature = PrivateKey(self.secret).sign_recoverable(
            hash_typed_data(typed_data), hasher=None
        )
        return "0x" + (signature[:64] + bytes([27 + signature[64]])).hex()


def hash_typed_data(typed_data: Mapping[str, Any]) -> bytes:
    """Compute what is signed of a consent or a withdrawal, 32 bytes (EIP-712).

    Raises :class:`CredentialRefused` for another message, ledger software or form.
    """
    name, domain, message = (
        typed_data.get(member) for member in ("primaryType", "domain", "message")
    )
    message_type = _TYPES.get(str(name))
    if message_type is None or not isinstance(domain, dict) or not isinstance(message, dict):
        raise CredentialRefused(
            ReasonCode.VERSION_UNSUPPORTED, "this is neither a consent nor a withdrawal to sign"
        )
    if domain.get("name") != _NAME:
        refuse_file(f"typed_data.domain.name is not {_NAME}")
    return keccak(
        b"\x19\x01"
        + _hash_struct(_DOMAIN_TYPE, domain, "domain")
        + _hash_struct(message_type, message, "message")
    )


def _hash_struct(struct_type: str, values: Mapping[str, Any], where: str) -> bytes:
    """Hash the members in the order of the type, which is ours and not the message's own."""
    members = struct_type[struct_type.index("(") + 1 : -1].split(",")
    words = [keccak(struct_type.encode("ascii"))]
    for member in members:
        kind, name = member.split(" ")
        if name not in values:
            refuse_file(f"typed_data.{where}.{name} is missing")
        words.append(_encode(kind, values[name], f"typed_data.{where}.{name}"))
    if len(values) != len(members):
        refuse_file(f"typed_data.{where} has members that are not signed")
    return keccak(b"".join(words))


def _encode(kind: str, value: Any, where: str) -> bytes:
    """Write one member as the 32 bytes that are hashed."""
    if kind == "string":
        if not isinstance(value, str):
            refuse_file(f"{where} is not a text")
        return keccak(value.encode("utf-8"))
    if kind.startswith("uint"):
        return _read_number(value, int(kind.removeprefix("uint")), where).to_bytes(32, "big")
    size = 20 if kind == "address" else 32
    text = value.removeprefix("0x") if isinstance(value, str) else ""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != size:
        refuse_file(f"{where} is not {size} bytes in hexadecimal digits after 0x")
    return raw.rjust(32, b"\0")


def _read_number(value: Any, bits: int, where: str) -> int:
    """Return a whole number, which may be written in decimal digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 78:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**bits:
        refuse_file(f"{where} is not a whole number below 2^{bits}")
    return value

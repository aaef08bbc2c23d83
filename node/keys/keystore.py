"""Encrypted key files: the standard Ethereum keystore (version 3) with a note of what it is for.

The secret is encrypted as every Ethereum wallet does it (scrypt, AES-128-CTR, keccak MAC), so that
standard tools can open it. Beside it stands an `atesta` object:

    {"purpose": "validator", "chain_id": 7, "genesis_hash": "0x…", "proof": "0x…"}

A validator key serves one chain. QBFT payloads hold no chain id, so a round change signed on one
chain could be replayed on another that shares the key; and the sign state that protects from
double signing knows only one chain. `proof` is the key's own signature over the note: a binding
that was edited by hand is noticed as soon as the file is opened.
"""

import enum
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coincurve import PrivateKey
from eth_hash.auto import keccak
from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json
from eth_typing import Address, Hash32

from node.keys.errors import KeyBoundElsewhere, KeyFileDamaged, WrongPassphrase
from node.keys.secret_files import read_secret_file, write_secret_file
from node.keys.signer import SigningKey, recover_signer

_NOTE_DOMAIN = b"atesta-key-note-1"


class KeyPurpose(enum.Enum):
    """What a key file is for; one is never used as the other."""

    VALIDATOR = "validator"
    ACCOUNT = "account"


class KdfStrength(enum.Enum):
    """The scrypt work factor that turns a passphrase into a key."""

    STRONG = 2**18
    """About a second and 32 MiB: what a key deserves."""

    DEVELOPMENT = 2**10
    """A few milliseconds: test keys and development networks, whose passphrase is no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainBinding:
    """The one chain that a validator key serves."""

    chain_id: int
    """The chain id of genesis."""

    genesis_hash: Hash32
    """The block hash of genesis."""

    def __str__(self) -> str:
        return f"chain {self.chain_id} with genesis 0x{self.genesis_hash.hex()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFileInfo:
    """What a key file says of itself without its passphrase."""

    path: Path
    """The file."""

    purpose: KeyPurpose
    """Validator or account."""

    address: Address
    """The key's address."""

    binding: ChainBinding | None
    """The chain it serves; always there for a validator key."""


def create_key_file(
    path: Path,
    passphrase: str,
    *,
    purpose: KeyPurpose,
    binding: ChainBinding | None = None,
    strength: KdfStrength = KdfStrength.STRONG,
) -> SigningKey:
    """Make a new key from the system's randomness and store it encrypted, mode 0600.

    Raises KeyFileExists; nothing is ever overwritten.
    """
    return import_key_file(
        path,
        passphrase,
        PrivateKey().secret,
        purpose=purpose,
        binding=binding,
        strength=strength,
    )


def import_key_file(
    path: Path,
    passphrase: str,
    secret: bytes,
    *,
    purpose: KeyPurpose,
    binding: ChainBinding | None = None,
    strength: KdfStrength = KdfStrength.STRONG,
) -> SigningKey:
    """Store a given secret (32 bytes) as `create_key_file` does."""
    assert binding is not None or purpose is not KeyPurpose.VALIDATOR, "a validator key is bound"
    key = SigningKey(secret)
    document = _encrypt(key, passphrase, strength)
    document["atesta"] = _write_note(key, purpose, binding)
    write_secret_file(path, _dump(document))
    return key


def load_key_file(
    path: Path,
    passphrase: str,
    *,
    purpose: KeyPurpose,
    binding: ChainBinding | None = None,
) -> SigningKey:
    """Open a key file for the given purpose, and for a validator key the given chain.

    Raises KeyFileMissing, ExposedSecret, KeyFileDamaged, WrongPassphrase, KeyBoundElsewhere.
    """
    document = _read(path)
    info = _read_info(path, document)
    if info.purpose is not purpose:
        raise KeyBoundElsewhere(
            path,
            f"is made as {info.purpose.value} key and cannot serve as {purpose.value} key",
            next_step=_find_next_step(info.purpose, purpose),
        )
    if purpose is KeyPurpose.VALIDATOR and info.binding != binding:
        raise KeyBoundElsewhere(
            path, f"is a validator key of {info.binding}, but this node runs {binding}"
        )
    key = _decrypt(path, document, passphrase)
    if key.address != info.address:
        raise KeyFileDamaged(path, "the address in the file is not that of its key")
    proof = _parse_hex(path, document["atesta"].get("proof"), "atesta.proof")
    if recover_signer(_hash_note(info.purpose, info.binding), proof) != key.address:
        raise KeyFileDamaged(path, "its note of purpose and chain was changed by hand")
    return key


def read_key_file_info(path: Path) -> KeyFileInfo:
    """Return what the file says of itself; the proof of it needs the passphrase.

    Raises KeyFileMissing, ExposedSecret, KeyFileDamaged.
    """
    return _read_info(path, _read(path))


def change_passphrase(
    path: Path, old: str, new: str, *, strength: KdfStrength = KdfStrength.STRONG
) -> None:
    """Encrypt the key again under another passphrase, replacing the file atomically."""
    document = _read(path)
    _read_info(path, document)
    key = _decrypt(path, document, old)
    fresh = _encrypt(key, new, strength)
    fresh["atesta"] = document["atesta"]
    write_secret_file(path, _dump(fresh), replace=True)


def _find_next_step(purpose: KeyPurpose, wanted: KeyPurpose) -> str:
    """Say what to do about a key of another purpose; founding keys are account keys at first."""
    if (purpose, wanted) == (KeyPurpose.ACCOUNT, KeyPurpose.VALIDATOR):
        return "If `atesta init` made it, bind it to its network first: atesta keys bind"
    if (purpose, wanted) == (KeyPurpose.VALIDATOR, KeyPurpose.ACCOUNT):
        return "If it is to be bound, it is bound already; see atesta keys show"
    return "Use a key made for this purpose: atesta keys new"


def _encrypt(key: SigningKey, passphrase: str, strength: KdfStrength) -> dict[str, Any]:
    document: dict[str, Any] = create_keyfile_json(
        key.reveal_secret(), passphrase.encode(), kdf="scrypt", iterations=strength.value
    )
    return document


def _decrypt(path: Path, document: dict[str, Any], passphrase: str) -> SigningKey:
    try:
        secret = decode_keyfile_json(document, passphrase.encode())
    except ValueError as error:
        # The library says "MAC mismatch" for a wrong passphrase and for a flipped bit alike.
        if "MAC" in str(error):
            raise WrongPassphrase(path) from None
        raise KeyFileDamaged(path, f"is not a keystore: {error}") from None
    except (KeyError, TypeError, NotImplementedError) as error:
        raise KeyFileDamaged(path, f"is not a version 3 keystore: {error!r}") from None
    return SigningKey(secret)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(read_secret_file(path))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise KeyFileDamaged(path, "is not JSON") from error
    if not isinstance(document, dict) or "crypto" not in document:
        raise KeyFileDamaged(path, "is not a version 3 keystore: `crypto` is missing")
    return document


def _read_info(path: Path, document: dict[str, Any]) -> KeyFileInfo:
    note = document.get("atesta")
    if not isinstance(note, dict):
        raise KeyFileDamaged(path, "says nothing of its purpose: `atesta` is missing")
    try:
        purpose = KeyPurpose(note.get("purpose"))
    except ValueError:
        raise KeyFileDamaged(path, "`atesta.purpose` is neither validator nor account") from None
    address = _parse_hex(path, document.get("address"), "address")
    if len(address) != 20:
        raise KeyFileDamaged(path, "`address` is not 20 bytes")
    binding = None
    if "chain_id" in note or purpose is KeyPurpose.VALIDATOR:
        chain_id = note.get("chain_id")
        genesis_hash = _parse_hex(path, note.get("genesis_hash"), "atesta.genesis_hash")
        if type(chain_id) is not int or chain_id < 0:
            raise KeyFileDamaged(path, "`atesta.chain_id` is not a number")
        if len(genesis_hash) != 32:
            raise KeyFileDamaged(path, "`atesta.genesis_hash` is not 32 bytes")
        binding = ChainBinding(chain_id=chain_id, genesis_hash=Hash32(genesis_hash))
    return KeyFileInfo(path=path, purpose=purpose, address=Address(address), binding=binding)


def _write_note(
    key: SigningKey, purpose: KeyPurpose, binding: ChainBinding | None
) -> dict[str, str | int]:
    note: dict[str, str | int] = {"purpose": purpose.value}
    if binding is not None:
        note["chain_id"] = binding.chain_id
        note["genesis_hash"] = "0x" + binding.genesis_hash.hex()
    note["proof"] = "0x" + key.sign_digest(_hash_note(purpose, binding)).hex()
    return note


def _hash_note(purpose: KeyPurpose, binding: ChainBinding | None) -> Hash32:
    parts = [_NOTE_DOMAIN, purpose.value.encode()]
    if binding is not None:
        parts += [str(binding.chain_id).encode(), binding.genesis_hash]
    # Every part but the last is free of the separator and the last has a fixed length.
    return Hash32(keccak(b"\x00".join(parts)))


def _parse_hex(path: Path, value: object, name: str) -> bytes:
    try:
        return bytes.fromhex(str(value).removeprefix("0x"))
    except ValueError:
        raise KeyFileDamaged(path, f"`{name}` is not hex") from None


def _dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=2, sort_keys=True).encode() + b"\n"

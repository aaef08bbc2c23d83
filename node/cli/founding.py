"""A node's folder before the network exists, and the step that ties it to the network.

A validator key is bound to one genesis, but genesis names the validators: which comes first? An
agency makes its keys, hands out what is public of them (`agency.toml`), the group makes a genesis
from all of these, and each agency then binds its key to it. Until then the founding key is stored
as an account key, which no node uses to sign blocks.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from eth_typing import Address, Hash32

from consensus.sign_state import SignIdentity
from node.chain.genesis import load_genesis
from node.errors import UserFault
from node.keys import (
    ChainBinding,
    KdfStrength,
    KeyPurpose,
    create_key_file,
    create_tls_identity,
    import_key_file,
    load_key_file,
    write_secret_file,
)
from node.validator.sign_store import FOLDER_NAME, create_sign_state, finish_sign_state

PASSPHRASE_FILE = Path("secrets/passphrase")
VAULT_KEY_FILE = Path("secrets/vault.key")
DATA_FOLDER = Path("data")
VALIDATOR_FILE = Path("keys/validator.json")
ACCOUNT_FILE = Path("keys/account.json")
TLS_KEY_FILE = Path("keys/tls.key")
TLS_CERTIFICATE_FILE = Path("keys/tls.crt")
SETTINGS_FILE = Path("node.toml")
AGENCY_FILE = Path("agency.toml")

_VAULT_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundedKeys:
    """What is public of a new node's keys."""

    validator: Address
    account: Address
    pin: Hash32
    """SHA-256 of the TLS key's SubjectPublicKeyInfo."""


def make_keys(folder: Path, *, strength: KdfStrength = KdfStrength.STRONG) -> FoundedKeys:
    """Make a node's keys and secrets in `folder`; raises KeyFileExists if there are some."""
    passphrase = secrets.token_urlsafe(24)
    write_secret_file(folder / PASSPHRASE_FILE, passphrase.encode() + b"\n")
    write_secret_file(folder / VAULT_KEY_FILE, secrets.token_bytes(_VAULT_KEY_BYTES))
    purpose = KeyPurpose.ACCOUNT  # see the module's docstring
    validator = create_key_file(
        folder / VALIDATOR_FILE, passphrase, purpose=purpose, strength=strength
    )
    account = create_key_file(folder / ACCOUNT_FILE, passphrase, purpose=purpose, strength=strength)
    identity = create_tls_identity(folder / TLS_KEY_FILE, folder / TLS_CERTIFICATE_FILE)
    return FoundedKeys(validator=validator.address, account=account.address, pin=identity.pin)


def bind_founding_key(
    path: Path,
    passphrase: str,
    genesis: Path,
    *,
    data_dir: Path,
    strength: KdfStrength = KdfStrength.STRONG,
) -> Address:
    """Turn a founding key into the validator key of one network and return its address.

    It also gets its first sign state, in the node's data folder; a binding that a crash cut off is
    done again. Raises what `load_key_file` raises (a key that is bound already is refused) and
    SignStateExists.
    """
    loaded = load_genesis(genesis)
    binding = ChainBinding(chain_id=loaded.chain_id, genesis_hash=loaded.genesis_hash)
    key = load_key_file(path, passphrase, purpose=KeyPurpose.ACCOUNT)
    # A founding key has signed nothing: its empty sign state is left by a binding that was cut off.
    finish_sign_state(data_dir / FOLDER_NAME, _make_identity(binding, key.address))
    bound = path.with_name(path.name + ".bound")
    bound.unlink(missing_ok=True)
    import_key_file(
        bound,
        passphrase,
        key.reveal_secret(),
        purpose=KeyPurpose.VALIDATOR,
        binding=binding,
        strength=strength,
    )
    bound.replace(path)
    return key.address


def make_first_sign_state(data_dir: Path, binding: ChainBinding, validator: Address) -> None:
    """Give a key that has never signed its empty sign state; raises SignStateExists."""
    create_sign_state(data_dir / FOLDER_NAME, _make_identity(binding, validator))


def write_settings(folder: Path, lines: list[str]) -> Path:
    """Write a node's settings file; raises UserFault if there is one."""
    path = folder / SETTINGS_FILE
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    except FileExistsError:
        raise UserFault(
            "already exists and is not overwritten",
            field=str(path),
            next_step="Choose another folder, or move the file away",
        ) from None
    return path


def format_settings(
    *,
    name: str,
    network_port: int,
    api_port: int,
    invites: list[str],
    is_validator: bool = True,
    log_file: str | None = None,
) -> list[str]:
    """Return the lines of a settings file for a folder made by `make_keys`."""
    lines = [
        "# Settings of this node; docs/settings.md explains every key.",
        "[node]",
        f'name = "{name}"',
        'data_dir = "data"',
        'genesis = "genesis.json"',
        "",
    ]
    if is_validator:
        lines += [
            "[validator]",
            f'key_file = "{VALIDATOR_FILE}"',
            f'passphrase_file = "{PASSPHRASE_FILE}"',
            "",
        ]
    lines += [
        "[network]",
        'host = "127.0.0.1"',
        f"port = {network_port}",
        f'tls_key_file = "{TLS_KEY_FILE}"',
        f'tls_certificate_file = "{TLS_CERTIFICATE_FILE}"',
        "bootstrap_peers = [" + ", ".join(f'"{invite}"' for invite in invites) + "]",
        "",
        "[api]",
        'host = "127.0.0.1"',
        f"port = {api_port}",
        f'account_key_files = ["{ACCOUNT_FILE}"]',
        f'account_passphrase_file = "{PASSPHRASE_FILE}"',
        f'vault_key_file = "{VAULT_KEY_FILE}"',
        "",
    ]
    if log_file is not None:
        lines += ["[log]", f'file = "{log_file}"', "stderr = false", ""]
    return lines


def _make_identity(binding: ChainBinding, validator: Address) -> SignIdentity:
    return SignIdentity(
        chain_id=binding.chain_id, genesis_hash=binding.genesis_hash, validator=validator
    )

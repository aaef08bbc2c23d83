"""The three keys of a node, each for one purpose only.

- The **validator key** (secp256k1) signs consensus messages, seals and the transport handshake.
  It serves one chain: the key file records chain id and genesis hash and is refused elsewhere.
- **Account keys** (secp256k1) sign an agency's transactions.
- The **TLS key** (EC P-256) secures connections; the registry lists the SHA-256 of its public key.

Secrets reach the node only as paths of files that nobody but their owner may read.
"""

from node.keys.errors import (
    ExposedSecret,
    KeyBoundElsewhere,
    KeyFileDamaged,
    KeyFileExists,
    KeyFileMissing,
    PublishedKey,
    WrongPassphrase,
)
from node.keys.keystore import (
    ChainBinding,
    KdfStrength,
    KeyFileInfo,
    KeyPurpose,
    change_passphrase,
    create_key_file,
    import_key_file,
    load_key_file,
    read_key_file_info,
)
from node.keys.published import refuse_published_keys
from node.keys.secret_files import read_passphrase_file, write_secret_file
from node.keys.signer import SigningKey, recover_signer
from node.keys.tls import (
    TlsIdentity,
    compute_pin,
    create_tls_identity,
    load_tls_identity,
    renew_tls_certificate,
)

__all__ = [
    "ChainBinding",
    "ExposedSecret",
    "KdfStrength",
    "KeyBoundElsewhere",
    "KeyFileDamaged",
    "KeyFileExists",
    "KeyFileInfo",
    "KeyFileMissing",
    "KeyPurpose",
    "PublishedKey",
    "SigningKey",
    "TlsIdentity",
    "WrongPassphrase",
    "change_passphrase",
    "compute_pin",
    "create_key_file",
    "create_tls_identity",
    "import_key_file",
    "load_key_file",
    "load_tls_identity",
    "read_key_file_info",
    "read_passphrase_file",
    "recover_signer",
    "refuse_published_keys",
    "renew_tls_certificate",
    "write_secret_file",
]

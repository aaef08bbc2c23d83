"""The tables of the settings file, one dataclass each, and the whole that they make.

Each is the whole truth about its table; `node.settings.fields` reads it by introspection. The
tables of the API and of other ledgers have modules of their own.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from node.settings.api import ApiSettings
from node.settings.fields import Rule
from node.settings.foreign import ForeignSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """What the node is called and where it keeps the chain."""

    name: Annotated[str, Rule("Name of this node in logs, metrics and the explorer.")] = "node"
    data_dir: Annotated[
        Path, Rule("Folder of the chain, the mempool journal, the sign state and the indexes.")
    ] = Path("data")
    genesis: Annotated[Path, Rule("The network's genesis file.")] = Path("genesis.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSettings:
    """How much of the past is kept. Blocks and receipts always are; states are what grows."""

    retain_blocks: Annotated[
        int,
        Rule(
            "States to keep, counted in blocks from the last one, at least 64; 0: all, an archive "
            "that proves anything at any block.",
            low=0,
            high=2**53,
        ),
    ] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidatorSettings:
    """The consensus key. Without one the node is an observer: it follows and never votes."""

    key_file: Annotated[
        Path | None,
        Rule("Encrypted keystore of the consensus key; absent: this node only observes."),
    ] = None
    passphrase_file: Annotated[
        Path | None, Rule("File that holds the passphrase of the consensus key's keystore.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """The connection to other nodes: mutual TLS, certificates pinned in the registry."""

    host: Annotated[str, Rule("Address on which other nodes reach this one.")] = "127.0.0.1"
    port: Annotated[
        int, Rule("Port for other nodes; 0 chooses a free one.", low=0, high=65_535)
    ] = 30400
    advertised_address: Annotated[
        str | None,
        Rule("`host:port` that other nodes are told, where it differs from the one above."),
    ] = None
    tls_key_file: Annotated[Path, Rule("Private TLS key (EC P-256, PEM).")] = Path("keys/tls.key")
    tls_certificate_file: Annotated[Path, Rule("Certificate of the TLS key (PEM).")] = Path(
        "keys/tls.crt"
    )
    bootstrap_peers: Annotated[
        tuple[Path, ...], Rule("Invite files (`atesta invite`) of the nodes to call first.")
    ] = ()
    tap: Annotated[
        Path | None,
        Rule("Development only: a file to which all decrypted traffic is appended."),
    ] = None
    max_frame_bytes: Annotated[
        int,
        Rule(
            "Largest message accepted from another node, bytes.",
            low=8 * 1024 * 1024,  # a proposal with the largest block that a node builds, twice
            high=64 * 1024 * 1024,
        ),
    ] = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class MempoolSettings:
    """Bounds of the transactions that wait. What was acknowledged is never thrown out."""

    max_transactions: Annotated[
        int, Rule("Transactions that may wait, all senders together.", low=1, high=1_000_000)
    ] = 20_000
    max_bytes: Annotated[
        int, Rule("Bytes of all waiting transactions.", low=1024, high=4 * 1024**3)
    ] = 64 * 1024 * 1024
    max_sender_transactions: Annotated[
        int, Rule("Transactions that one sender may have waiting.", low=1, high=1_000_000)
    ] = 5_000
    max_sender_bytes: Annotated[
        int, Rule("Bytes that one sender may have waiting.", low=1024, high=4 * 1024**3)
    ] = 16 * 1024 * 1024
    max_nonce_gap: Annotated[
        int,
        Rule("How many nonces a transaction may be ahead of its predecessor.", low=0, high=10_000),
    ] = 64
    max_transaction_gas: Annotated[
        int, Rule("Gas limit of one transaction.", low=21_000, high=1_000_000_000)
    ] = 3_000_000
    max_transaction_bytes: Annotated[
        int, Rule("Size of one encoded transaction.", low=1024, high=1024 * 1024)
    ] = 128 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """Structured logs: JSON lines of named events; never secrets or personal data."""

    level: Annotated[str, Rule("Least level that is written: debug, info, warning or error.")] = (
        "info"
    )
    file: Annotated[Path | None, Rule("File to append to; absent: standard error only.")] = None
    stderr: Annotated[bool, Rule("Whether events go to standard error as well.")] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One node's settings, complete; paths are absolute."""

    node: NodeSettings = field(default_factory=NodeSettings)
    chain: ChainSettings = field(default_factory=ChainSettings)
    validator: ValidatorSettings = field(default_factory=ValidatorSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    mempool: MempoolSettings = field(default_factory=MempoolSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    foreign: ForeignSettings = field(default_factory=ForeignSettings)
    log: LogSettings = field(default_factory=LogSettings)

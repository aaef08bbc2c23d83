"""The compiled code that this node relies on, checked at start.

Each of these libraries has a pure-Python twin that is taken silently when the compiled one is
missing, and each twin is slow enough to make a validator useless: signature recovery 80 times,
keccak ten times, blake2 hundreds of times. A node that would limp refuses to start instead.
"""

from importlib import import_module
from types import ModuleType

from eth_hash.auto import keccak

from node.chain.errors import SlowBackend

_REINSTALL = "Run scripts/setup again; it installs the pinned compiled libraries"


def assert_fast_backends() -> None:
    """Raise SlowBackend if a pure-Python fallback is in force."""
    keccak(b"")
    hasher = type(getattr(vars(keccak)["hasher"], "__self__", None)).__name__
    if hasher != "PySha3Backend":
        raise SlowBackend(
            f"keccak runs on {hasher}, not on PySha3Backend",
            field="ETH_HASH_BACKEND",
            next_step="Set ETH_HASH_BACKEND=pysha3 before the first import of eth_hash",
        )
    recovery = type(import_module("eth_keys").KeyAPI().backend).__name__
    if recovery != "CoinCurveECCBackend":
        raise SlowBackend(f"ECRECOVER runs on {recovery}", next_step=_REINSTALL)
    compress = import_module("eth.precompiles.blake2").blake2b_compress
    if not str(compress.__module__).startswith("blake2b"):
        raise SlowBackend("BLAKE2F does not run on blake2b-py", next_step=_REINSTALL)
    if not isinstance(vars(import_module("rlp.codec")).get("rusty_rlp"), ModuleType):
        raise SlowBackend("RLP does not run on rusty-rlp", next_step=_REINSTALL)

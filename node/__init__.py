"""The Atesta node: storage, chain, mempool, network, validator, command line.

The keccak backend is chosen by an environment variable that eth_hash reads at its first import,
so it is set here, before any module of this package can import it.
"""

import os

os.environ["ETH_HASH_BACKEND"] = "pysha3"

"""The ledger's law: Vyper sources, compiled artifacts, and what Python needs to speak with them.

Four contracts hold the ledger. `agency_registry` says who takes part and how they decide together;
`schemas` says which fields a document has and who may issue it; `attestations` holds what was
attested; `upgradeable_proxy` keeps each of them at a fixed address while a vote may replace its
code. Their interfaces are in `interfaces/`, the ABI and creation bytecode in `artifacts/`, so that
running a node needs no compiler.

The keccak backend is chosen by an environment variable that eth_hash reads at its first import, so
it is set here, before any module of this package can import it.
"""

import os

os.environ["ETH_HASH_BACKEND"] = "pysha3"

"""What the outside sees of a ledger: JSON-RPC, REST, the explorer, and the read model behind them.

Nothing here imports the node. `api.ports` declares what JSON-RPC needs from one; everything above
JSON-RPC reaches the chain through web3, so the same API runs in the node's process, beside it, or
in front of another EVM network.
"""

"""The network behind the API, where it is not a node of ours: Besu, geth, anvil, any EVM network.

A group that has a network keeps it. `atesta contracts deploy` puts the ledger's contracts there and
founds the ledger (`deploying`); the deployment file says where everything stands. From then on
`atesta api --rpc-url URL --contracts FILE` serves the same REST, explorer, index, vault and outbox
as a node does. Three things differ, and each has one place: the addresses and what the network
calls final (`network`), whether this is the right network at all (`guard`), and that a transaction
costs money there (`fees`).
"""

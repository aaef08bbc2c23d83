"""The chain: genesis, transactions, execution, state, blocks and their history.

`blockchain.Blockchain` is what the rest of the node uses; the other modules are its parts, each
about one thing. See its docstring for the way of a block through them.
"""

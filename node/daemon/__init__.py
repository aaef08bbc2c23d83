"""One node: storage, chain, mempool, network, validator and API in one process.

daemon.py      composes the parts, starts them in order, stops them in reverse
worker.py      the one thread that executes blocks
blocks.py      what consensus asks of chain and mempool: build, validate, import
directory.py   whom the network trusts: the registry's pins and the operator's invites
backend.py     what the API asks of the node
logs.py        structured logs without personal data
"""

"""What the node keeps on disk: an ordered key-value store, its key layout and its durable writes.

`kv` is the port, `level` the store of a running node, `memory` the one of tests and scratch work,
`keys` the only place that knows where things lie, `crashpoints` the number of every durable write.
"""

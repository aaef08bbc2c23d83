"""Snapshots: the state at one final block, with everything that shows it to be the network's.

A new node that replays a long history needs days; one that starts from a snapshot needs minutes and
believes no less. What it must trust is exactly its genesis file (and, better, a pinned checkpoint):

    genesis ─► first validators ─► header sealed by them that changes the set ─► next validators …
            ─► header of the snapshot, sealed by a quorum of the last set ─► its state root
            ─► every trie node and contract code below it

`exporter` writes such a file from a node's store, `reader` checks one against a genesis file, and
`importer` makes a store of it, which is usable only once all of it has been checked. A set whose
keys were stolen after it was replaced can forge a history from its time on, to those who know only
genesis; a checkpoint, a block hash that somebody trusted names, protects from that.
"""

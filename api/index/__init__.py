"""The index: what the chain says, arranged for lists and filters.

It is filled from the chain's events and from nothing else, block by block, rows and cursor in one
transaction; it can be thrown away and rebuilt. Nothing personal can be in it, because nothing
personal is on the chain. A single record that must be right is read from the contracts instead
(`api.records`).
"""

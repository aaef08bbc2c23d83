"""The execution engine on py-evm, Cancun rules.

py-evm gives the opcodes and their gas; the state, the way of a transaction and the limit on time
are ours: `state` keeps changes in memory with a journal, `computation` runs code, `precompiles`
bounds the slow ones in time, `executor` applies whole transactions and answers calls.
"""

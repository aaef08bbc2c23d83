"""Ethereum JSON-RPC over a `LedgerNode`: what web3.py needs to read, send and prove.

    bytes -> http      one POST, one call or a batch
             dispatcher   the envelope, the method table, errors into error objects
             params       reading arguments, each refusal naming its place
             methods      families of methods: blocks, transactions, state, logs, qbft, ...
             shapes       domain values into JSON, formatted by hand

A result is built as JSON-ready Python values once and used by both ways in: HTTP serialises it with
orjson, `api.web3_provider` hands it to web3 in the same process.
"""

"""The PII firewall: what may leave this agency for the chain, for peers, for logs and metrics.

On the ledger go fixed-size values only: uids, commitments, hashes of public texts, addresses,
codes, times, numbers. `kinds` says for every argument of every call of the ledger's contracts which
of these it is; `values` has one type for each; `calls` takes call data apart into such values and
refuses, by the name of the field, whatever is not one; `chance` is the commitment rule: 32 bytes
that read as text, digits, dates or padding are no commitment. `transactions` judges a whole signed
transaction, for `eth_sendRawTransaction` and for what peers pass on.

docs/privacy.md says what each exit lets through, and what is not covered.
"""

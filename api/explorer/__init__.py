"""The explorer: the public ledger for people who audit it, as pages and as JSON.

    chain ── web3 provider ──┐
                             ├─ readers ── facts ──┬─ /explorer/v1   JSON
    index ───────────────────┘                     └─ /explorer      pages

Readers gather facts (`facts.py`): plain frozen values with hexadecimal identifiers, in no language.
JSON gives them as they are; pages put them into words from one catalogue (`texts`). Nothing here
writes, and nothing here has a script: a page is complete when it arrives.
"""

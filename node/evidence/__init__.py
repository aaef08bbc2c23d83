"""Evidence of misbehaviour as a file that anybody can check without a node.

`exporter` makes the file from what a node has kept; `document` is its shape; `verifier` judges it
with nothing but genesis.json, and `trust` follows the validators from genesis to the height in
question; `witness` proves what a contract would answer on a past state; `wording` says the finding
in plain words.
"""

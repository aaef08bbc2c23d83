"""QBFT: how the validators of this chain agree on one block per height, for ever.

Everything in this package is a pure function or a state machine without input, output, clock or
chance: bytes and times come in as events, and what must be done goes out as effects. That makes the
same code run in a node, in a simulator and under a proof-reader's pencil.

Read `engine` for the protocol, `messages` for its words, `justification` for what makes a word
believable, `sign_state` for what may never be signed, and `header` for what is signed at all.
"""

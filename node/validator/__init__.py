"""The validator: hosts the consensus engine and keeps its word across crashes.

`host` is the thin asyncio shell, `core` the synchronous order of duties that a simulator drives as
well, `ports` what both need from their surroundings. `sign_files` and `sign_store` keep the sign
state in three copies, `resume` lets a validator sign again after it was lost, `evidence_store`
keeps proof of other validators' contradictions.
"""

"""Cases: what an agency asked others for under one case number, and whether all is in order.

A case number is private. The ledger has commitments to it, the vault knows which exchanges belong
to it. `register` keeps what a case needs; `facts` gathers everything about each exchange from
ledger, texts and vault; `rules` is the table of irregularities; `asking` tells what a case may ask.
"""

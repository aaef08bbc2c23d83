"""Deadlines: when an answer is due, reckoned from data and never from code.

A *calendar* says on which days an administration works, and until when. A *profile* says how one
legal time limit is counted on it. A *clock* is what happened to one case: started, paused for
missing documents, resumed, extended, closed. From the three follows the due time, with the reasons
in plain words. The rules read no clock and no disk; only `api.deadlines.loading` opens files.
"""

"""Pages about the ledger's law: its records, where they came from, decisions by vote, cases.

A page shows what REST answers and nothing else. `asking` calls the same handler that serves the
same question under `/v1`, with the same filters and for the same roles; `showing` turns the answer
into values to lay out, by the types of REST's models; `kinds` is the table of the kinds of records,
which drives their lists, their single pages and the navigation between them. To show another kind,
add it to `api/reading/table.py` and give it a line in `kinds.py` and its words in `texts`; there is
no template to write. `telling` puts events into sentences.
"""

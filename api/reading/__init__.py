"""The records of the ledger's law as REST shows them: lists, single records, histories.

Each kind of record is a `Collection` of `table.py`: its path, its model, the filters of its list
and the function that turns the facts of one record into the model. The routes and handlers are the
same for all of them. To show another kind, write its model and its view in a module of its own and
add it to the table; the index needs a line in `api/index/law_events.py`.

What a record was made with comes from the index, which has the creating event; what changes comes
from the index in lists, and from the contract at the last final block where one record is asked
for. Texts that the ledger has only a hash of are shown where this node has them.
"""

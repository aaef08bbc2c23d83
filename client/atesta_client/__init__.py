"""What an integrator installs to work with an Atesta node: commitments, credentials, presentations.

Atesta is a ledger of public agencies on which only commitments stand, never personal data. This
library holds everything that a program needs on its own side of that line, and nothing of the
node: it computes commitments from documents, reads and writes the file that a resident carries,
signs and checks what the resident shows, and speaks to a node's REST interface.

==================  ==============================================================================
module              what it is about
==================  ==============================================================================
``pointers``        RFC 6901 JSON pointers: the names of fields
``schemas``         the ordered fields of a kind of document, and cutting a document along them
``canonical``       strict JSON in, RFC 8785 out
``wire``            reading files member by member
``hashing``         the hash algorithms and their one-byte tags
``trees``           RFC 6962 Merkle trees: roots, inclusion paths
``commitments``     salted field leaves, the commitment to a document, batch leaves
``credentials``     the credential file that a resident carries
``holder_keys``     the resident's own key, and signatures by it
``disclosure``      some fields of a credential, each with its proof
``envelopes``       commitments to what is no document: requests, responses, persons, officers
``statements``      counting and comparing what standing and bulk exchanges delivered
``resident_keys``   a resident's fresh key, which consents and withdraws
``presentations``   a disclosure signed by the holder for one verifier and one nonce
``envelopes``       commitments to requests, answers, officers, persons: kind, salt and body
``statements``      what each side states on a period of deliveries
``resident_keys``   the fresh key by which a resident consents and withdraws
``requests``        requests to a node's REST interface, as values
``answers``         what a node answers, typed
``rest``            the client that sends them, asynchronous and blocking
``ledgers``         which of several ledgers a record belongs on
``streaming``       server-sent events, taken apart
``webhooks``        checking that a message to a webhook is the node's
``errors``          everything that can go wrong, by whose fault it is
==================  ==============================================================================
"""

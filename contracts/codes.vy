# pragma version 0.4.3
"""
@title Codes of the ledger
@license Apache-2.0
@notice The few numbers with which every contract of the ledger speaks: what a key may do, in which
        state a record is, for which reason it came there, and what kind of record it is.
@dev Only constants, so importing this module takes no storage. `contracts/codes.py` says the same
     to Python; a test compares the two files.
"""

# What a key may do for its agency (bits, so that one key may hold several).
ADMIN: constant(uint256) = 1  # rotates the agency's own keys and TLS pins
GOVERN: constant(uint256) = 2  # proposes and votes for the agency
ISSUE: constant(uint256) = 4  # attests, and changes the states of the agency's records
SCHEMA: constant(uint256) = 8  # describes: schemas and their issuers, datasets, notices, purposes
DEPLOY: constant(uint256) = 16  # deploys other contracts on this ledger
AUDIT: constant(uint256) = 32  # reads and reports; writes no record
SUPERVISE: constant(uint256) = 64  # the data-protection authority's decisions
EXCHANGE: constant(uint256) = 128  # asks for data, releases it, records consents and mandates
DECIDE: constant(uint256) = 256  # a data officer: decides on requests for the agency's data
ALL_ROLES: constant(uint256) = 511

# States of an agency.
AGENCY_ACTIVE: constant(uint8) = 1
AGENCY_SUSPENDED: constant(uint8) = 2

# States of a record; zero means that there is no such record.
ACTIVE: constant(uint8) = 1
SUSPENDED: constant(uint8) = 2
REVOKED: constant(uint8) = 3
SUPERSEDED: constant(uint8) = 4
ERASED: constant(uint8) = 5

# Reasons of a change of state; zero means that none is given.
NO_REASON: constant(uint8) = 0
REASON_ERROR: constant(uint8) = 1
REASON_SUPERSEDED: constant(uint8) = 2
REASON_LAW: constant(uint8) = 3
REASON_HOLDER: constant(uint8) = 4
REASON_SECURITY: constant(uint8) = 5
LAST_REASON: constant(uint8) = 5

# Kinds of records in the chained head of an agency.
KIND_ATTESTATION: constant(uint8) = 1
KIND_BATCH: constant(uint8) = 2
KIND_LEAF: constant(uint8) = 3
KIND_SCHEMA: constant(uint8) = 4
KIND_ACCREDITATION: constant(uint8) = 5
KIND_DATASET: constant(uint8) = 6
KIND_NOTICE: constant(uint8) = 7
KIND_PURPOSE: constant(uint8) = 8
KIND_BASIS: constant(uint8) = 9
KIND_INSTRUMENT: constant(uint8) = 10
KIND_STOP: constant(uint8) = 11
KIND_CONSENT: constant(uint8) = 12
KIND_EXCHANGE: constant(uint8) = 13
KIND_PERIOD: constant(uint8) = 14
KIND_MANDATE: constant(uint8) = 15
KIND_POLICY: constant(uint8) = 16
KIND_BINDING: constant(uint8) = 17
KIND_SUCCESSION: constant(uint8) = 18
KIND_POST: constant(uint8) = 19
KIND_TERM: constant(uint8) = 20
KIND_POST_KEY: constant(uint8) = 21

# Sharing classes of a dataset.
UNCONDITIONAL: constant(uint8) = 1  # released on a basis, without a decision
CONDITIONAL: constant(uint8) = 2  # released on a basis and a decision of the data officer
NOT_SHARED: constant(uint8) = 3  # never released, by the law that the dataset names

# Sensitivities of a dataset.
ORDINARY: constant(uint8) = 1
SENSITIVE: constant(uint8) = 2

# Kinds of consent: three separate records, none of which stands for another.
GENERAL_CONSENT: constant(uint8) = 1
SENSITIVE_CONSENT: constant(uint8) = 2
CROSS_BORDER_CONSENT: constant(uint8) = 3

# Hash algorithms of commitments.
SHA256: constant(uint8) = 1
SM3: constant(uint8) = 2

# A signer's clock may be ahead of the block's by this much: an event time is captured before the
# block is made, but the two clocks are two machines'.
EVENT_TIME_TOLERANCE_S: constant(uint256) = 60

# Times are seconds since 1970 in 48 bits, which lasts for nine million years.
LAST_TIME: constant(uint256) = 2**48 - 1

"""The few numbers with which the contracts speak, for Python; `codes.vy` is the source.

Each of them stands in calls, answers and events as a plain integer.
"""

from enum import IntEnum, IntFlag
from typing import Final


class Role(IntFlag):
    """What a key may do for its agency; a key may hold several."""

    ADMIN = 1
    """Rotates the agency's own keys and TLS pins."""
    GOVERN = 2
    """Proposes and votes for the agency."""
    ISSUE = 4
    """Attests, and changes the states of the agency's records."""
    SCHEMA = 8
    """Describes what there is: schemas and their issuers, datasets, notices, purposes."""
    DEPLOY = 16
    """Deploys other contracts on this ledger."""
    AUDIT = 32
    """Reads and reports; writes no record."""
    SUPERVISE = 64
    """The data-protection authority's decisions."""
    EXCHANGE = 128
    """Asks for data, releases it, records consents and mandates."""
    DECIDE = 256
    """A data officer: decides on requests for the agency's data."""


ALL_ROLES: Final = Role(511)


class AgencyStatus(IntEnum):
    """Whether an agency acts on this ledger; 0 means that there is no such agency."""

    ACTIVE = 1
    SUSPENDED = 2


class RecordState(IntEnum):
    """The state of a schema, an attestation, a batch or a leaf; 0 means that there is none."""

    ACTIVE = 1
    SUSPENDED = 2
    REVOKED = 3
    SUPERSEDED = 4
    ERASED = 5


class Reason(IntEnum):
    """Why a state changed: few and neutral, because everybody reads them for ever."""

    NONE = 0
    ERROR = 1
    SUPERSEDED = 2
    LAW = 3
    HOLDER = 4
    SECURITY = 5


class LateReason(IntEnum):
    """Why an act is posted late."""

    OUTAGE = 1
    """The ledger was out of reach."""
    PAPER = 2
    """It was captured on paper, or in the field."""
    OMISSION = 3
    """It was forgotten, and found later."""


class RecordKind(IntEnum):
    """What a uid in the chained head of an agency stands for."""

    ATTESTATION = 1
    BATCH = 2
    LEAF = 3
    SCHEMA = 4
    ACCREDITATION = 5
    DATASET = 6
    NOTICE = 7
    PURPOSE = 8
    BASIS = 9
    INSTRUMENT = 10
    STOP = 11
    CONSENT = 12
    EXCHANGE = 13
    PERIOD = 14
    MANDATE = 15
    POLICY = 16
    BINDING = 17
    SUCCESSION = 18
    POST = 19
    TERM = 20
    POST_KEY = 21


class Sharing(IntEnum):
    """Under which conditions a dataset is released."""

    UNCONDITIONAL = 1
    """On a basis, without a decision."""
    CONDITIONAL = 2
    """On a basis and a decision of the provider's data officer."""
    NOT_SHARED = 3
    """Never, by the law that the dataset names."""


class Sensitivity(IntEnum):
    """How much harm a dataset's fields can do."""

    ORDINARY = 1
    SENSITIVE = 2


class ConsentKind(IntEnum):
    """What a consent is for: three separate records, none of which stands for another."""

    GENERAL = 1
    SENSITIVE = 2
    CROSS_BORDER = 3


class ExchangeState(IntEnum):
    """Where an exchange stands; 0 means that there is none."""

    REQUESTED = 1
    APPROVED = 2
    REFUSED = 3
    RELEASED = 4
    RECEIVED = 5
    DISPUTED = 6
    """What arrived is not what was released."""
    VOID = 7
    CANCELLED = 8
    ENDED = 9
    VOID_SIGNED = 10
    """In heads and events only: one side has signed the void."""


class ConsentEntry(IntEnum):
    """What an entry of a consent in a head says beyond the states of records."""

    STOPPED = 11
    """A recipient has answered a withdrawal: it processes the data no longer."""
    DELETED = 12
    RETAINED = 13
    """For storage only, under a cited basis, until a date."""
    BOUND_ONWARD = 14
    """The data came to this agency onward: a withdrawal binds it too."""


class PeriodState(IntEnum):
    """Where a period of a standing or bulk exchange stands; 0 means that it was not begun."""

    BEGUN = 1
    AGREED = 2
    MISMATCHED = 3


class MandateKind(IntEnum):
    """For whom somebody acts, and why."""

    OFFICE = 1
    """For an association or company, as long as its board is in office."""
    POWER = 2
    """For whoever gave it; survives a change of board unless it is listed."""
    GUARDIANSHIP = 3
    """For a person who cannot act alone."""


class CommitmentAlgorithm(IntEnum):
    """The hash with which a commitment was made."""

    SHA256 = 1
    SM3 = 2


class ProposalStatus(IntEnum):
    """Where a proposal stands; 0 means that there is no such proposal."""

    OPEN = 1
    EXECUTED = 2
    WITHDRAWN = 3
    EXPIRED = 4
    PASSED = 5
    """Waits until it may be carried out."""


class Vote(IntEnum):
    """How an agency voted."""

    NONE = 0
    APPROVED = 1
    REJECTED = 2


EVENT_TIME_TOLERANCE_S: Final = 60
"""An event time may be ahead of its block's timestamp by this many seconds at most."""

"""What a node answers over REST, as frozen dataclasses, named as in the OpenAPI document.

Uids, hashes and addresses stay the hex texts of the interface; words (states, kinds, reasons) stay
texts, so that a newer node can have new ones; times are aware ``datetime``. ``SchemaAnswer`` and
``CredentialAnswer`` have names of their own, because ``Schema`` and ``Credential`` are what this
library computes with.
"""

from atesta_client.answers.acts import (
    ActSummary,
    Explanation,
    Import,
    PreparedAct,
    RejectedLine,
    Text,
)
from atesta_client.answers.attesting import (
    Accreditation,
    Attestation,
    Batch,
    CredentialAnswer,
    CredentialToken,
    Erasure,
    Event,
    Leaf,
    Publication,
    SchemaAnswer,
    SchemaPredicate,
)
from atesta_client.answers.bases import Basis, Instrument, Scope, Stop
from atesta_client.answers.cases import (
    Askable,
    CaseAnswer,
    CaseBasis,
    CaseConsent,
    CaseExchange,
    CaseFileView,
    ErasedPart,
    Irregularity,
    Need,
    RefusedBasis,
    StorageOnly,
    UsableBasis,
)
from atesta_client.answers.catalogue import Dataset, FieldItem, Notice, Purpose
from atesta_client.answers.checking import (
    Activity,
    Agent,
    Challenge,
    Entity,
    ErasedEntity,
    Finding,
    Provenance,
    ShownPredicate,
    Subject,
    Verification,
)
from atesta_client.answers.consents import (
    Answered,
    Consent,
    KeptEnvelope,
    KeyBinding,
    KnownSubject,
    Origin,
    ResidentMessage,
    Standing,
    Withdrawn,
)
from atesta_client.answers.deadlines import CalendarView, DueAnswer, ProfileView
from atesta_client.answers.erasing import PersonErasure, PersonPlan, PersonRecord
from atesta_client.answers.exchanges import Consents, Exchange, Period, Progress, Side
from atesta_client.answers.feeds import Actor, AlertView, LawEvent, WebhookMade, WebhookView
from atesta_client.answers.governance import Ballot, GoverningRules, Post, ProposalView, Term
from atesta_client.answers.law_record import LawRecord
from atesta_client.answers.mandates import Body, Mandate, MandateCheck, Policy
from atesta_client.answers.merging import Merge, MergeEntry
from atesta_client.answers.reading import Page, read_answer, read_object, read_page
from atesta_client.answers.reads import Read
from atesta_client.answers.service import (
    Accepted,
    Agency,
    EvidenceItem,
    FinalityFacts,
    Key,
    LedgerInfo,
    Operation,
    Status,
)

# fmt: off
__all__ = [
    "Accepted", "Accreditation", "ActSummary", "Activity", "Actor", "Agency", "Agent",
    "AlertView", "Answered", "Askable", "Attestation", "Ballot", "Basis", "Batch", "Body",
    "CalendarView", "CaseAnswer", "CaseBasis", "CaseConsent", "CaseExchange", "CaseFileView",
    "Challenge", "Consent", "Consents", "CredentialAnswer", "CredentialToken", "Dataset",
    "DueAnswer", "Entity",
    "ErasedEntity", "ErasedPart",
    "Erasure", "Event", "EvidenceItem", "Exchange", "Explanation", "FieldItem", "FinalityFacts",
    "Finding",
    "GoverningRules", "Import", "Instrument", "Irregularity", "KeptEnvelope", "Key",
    "KeyBinding", "KnownSubject", "LawEvent", "LawRecord", "Leaf", "LedgerInfo", "Mandate",
    "MandateCheck",
    "Merge", "MergeEntry", "Need", "Notice", "Operation", "Origin", "Page", "Period",
    "PersonErasure", "PersonPlan", "PersonRecord", "Policy", "Post", "PreparedAct",
    "ProfileView", "Progress", "ProposalView", "Provenance", "Publication", "Purpose",
    "Read", "RefusedBasis",
    "RejectedLine", "ResidentMessage", "SchemaAnswer", "SchemaPredicate", "Scope",
    "ShownPredicate", "Side", "Standing", "Status", "Stop",
    "StorageOnly", "Subject", "Term", "Text",
    "UsableBasis", "Verification", "WebhookMade", "WebhookView", "Withdrawn", "read_answer",
    "read_object", "read_page",
]
# fmt: on

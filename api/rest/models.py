"""The resources of REST `/v1`: what it answers with.

A write answers `Accepted`: the record's uid, the transaction, and where to follow it until it is
final. Lists answer a page with a cursor. Every field says what it is; examples are fictional.
"""

from pydantic import Field

from api.rest.ledger_words import describe_ledger
from api.rest.predicate_models import EXAMPLE_PREDICATES, SchemaPredicate
from api.rest.references import EXAMPLE_LABEL
from api.rest.requests import EXAMPLE_POINTERS
from api.rest.values import (
    EXAMPLE_ADDRESS,
    EXAMPLE_AGENCY,
    EXAMPLE_COMMITMENT,
    EXAMPLE_HASH,
    EXAMPLE_SCHEMA,
    EXAMPLE_TIME,
    EXAMPLE_UID,
    AddressText,
    Algorithm,
    JsonObject,
    Model,
    OperationState,
    Pointer,
    Reason,
    State,
    Time,
    Uid,
)


class Key(Model):
    """An account key of an agency."""

    address: AddressText = Field(description="The account's address.", examples=[EXAMPLE_ADDRESS])
    roles: list[str] = Field(
        description="What the key may do for its agency.", examples=[["attest", "admin"]]
    )
    valid_from: Time | None = Field(
        description="First moment at which the key may act.", examples=[EXAMPLE_TIME]
    )
    valid_until: Time | None = Field(
        description="Moment after which it makes no new record; null while open.", examples=[None]
    )


class Agency(Model):
    """A member agency as the registry has it at the last final block."""

    id: Uid = Field(description="The agency's identifier.", examples=[EXAMPLE_AGENCY])
    label: str | None = Field(
        description="The label in the identifier, which serves wherever an agency is named.",
        examples=[EXAMPLE_LABEL],
    )
    name: str | None = Field(
        description="Name from this node's own address book; names are not on the chain.",
        examples=["Example Health Bureau"],
    )
    jurisdiction: Uid = Field(
        description="Identifier of the jurisdiction.", examples=[EXAMPLE_COMMITMENT]
    )
    status: str = Field(description="`active` or `suspended`.", examples=["active"])
    roles: list[str] = Field(
        description="Roles that the registry grants the agency.", examples=[["issuer"]]
    )
    profile_hash: Uid = Field(
        description="Hash of the agency's published profile.", examples=[EXAMPLE_HASH]
    )
    attestations: int = Field(
        ge=0, description="Creations and state changes this agency has made.", examples=[77]
    )
    head: Uid = Field(
        description="Chained hash over all of them, for completeness proofs.",
        examples=[EXAMPLE_HASH],
    )
    keys: list[Key] = Field(
        description="Account keys, known from the registry's events.", examples=[[]]
    )
    block: int = Field(ge=0, description="Block at which this was read.", examples=[1200])


class Schema(Model):
    """A schema as registered."""

    uid: Uid = Field(description="The schema's identifier.", examples=[EXAMPLE_SCHEMA])
    owner: Uid = Field(description="Agency that registered it.", examples=[EXAMPLE_AGENCY])
    pointers_hash: Uid = Field(
        description="Hash of the ordered pointers, from the chain.", examples=[EXAMPLE_HASH]
    )
    tree_size: int = Field(description="Number of leaves of every commitment.", examples=[6])
    state: State = Field(description="`active` while new records may be attested under it.")
    title: str | None = Field(
        description="Name, if this node holds the text.", examples=["Vaccination certificate"]
    )
    pointers: list[Pointer] | None = Field(
        description="The ordered pointers, if this node holds them.", examples=[EXAMPLE_POINTERS]
    )
    reference: list[Pointer] = Field(
        description="Pointers that name one certificate.", examples=[["/certificate"]]
    )
    predicates: list[SchemaPredicate] = Field(
        description="Yes/no fields, if this node holds the text.", examples=[EXAMPLE_PREDICATES]
    )
    accredited: list[Uid] = Field(
        description="Agencies that may attest under it now.", examples=[[EXAMPLE_AGENCY]]
    )
    block: int = Field(ge=0, description="Block of registration.", examples=[12])
    time: Time = Field(description="Time of that block.", examples=[EXAMPLE_TIME])
    ledger: str = describe_ledger()


class Accreditation(Model):
    """One agency's right to attest under one schema."""

    schema_uid: Uid = Field(description="The schema.", examples=[EXAMPLE_SCHEMA])
    agency: Uid = Field(description="The agency.", examples=[EXAMPLE_AGENCY])
    since_block: int = Field(ge=0, description="Block of accreditation.", examples=[13])
    since: Time = Field(description="Time of that block.", examples=[EXAMPLE_TIME])
    until_block: int | None = Field(description="Block of withdrawal; null while live.")
    until: Time | None = Field(description="Time of withdrawal; null while live.")


class Credential(Model):
    """A credential made by this agency."""

    uid: Uid = Field(description="The record's identifier.", examples=[EXAMPLE_UID])
    schema_uid: Uid = Field(description="Its schema.", examples=[EXAMPLE_SCHEMA])
    commitment: Uid = Field(description="Root of the tree.", examples=[EXAMPLE_COMMITMENT])
    alg: Algorithm = Field(description="Hash of the tree.")
    valid_until: Time | None = Field(description="End of validity.", examples=[EXAMPLE_TIME])
    previous: Uid | None = Field(description="Record superseded.", examples=[None])
    created: Time = Field(description="When it was made.", examples=[EXAMPLE_TIME])
    attested: bool = Field(description="Whether attesting it has been accepted.", examples=[False])
    batch: Uid | None = Field(description="Batch that contains it.", examples=[None])
    credential: JsonObject | None = Field(
        description=(
            "The credential file for the resident, as `atesta_client.credentials` reads it:"
            " document, salts, schema pointers and commitment. Null in lists."
        ),
        examples=[{"type": "atesta-credential", "version": 1, "uid": EXAMPLE_UID}],
    )
    ledger: str = describe_ledger()


class Attestation(Model):
    """One attestation as the chain has it at the last final block."""

    uid: Uid = Field(description="The record's identifier.", examples=[EXAMPLE_UID])
    issuer: Uid = Field(description="Agency that attested.", examples=[EXAMPLE_AGENCY])
    schema_uid: Uid = Field(description="Its schema.", examples=[EXAMPLE_SCHEMA])
    commitment: Uid = Field(
        description="Commitment to the document.", examples=[EXAMPLE_COMMITMENT]
    )
    alg: Algorithm = Field(description="Hash of the tree.")
    state: State = Field(description="Its state now.")
    reason: Reason | None = Field(description="Why the state last changed; null if it never did.")
    valid_until: Time | None = Field(description="End of validity.", examples=[EXAMPLE_TIME])
    previous: Uid | None = Field(description="Record that this one superseded.", examples=[None])
    superseded_by: Uid | None = Field(description="Record that superseded it.", examples=[None])
    key: AddressText | None = Field(
        description="Key that signed it; null for a moment until the index has the block.",
        examples=[EXAMPLE_ADDRESS],
    )
    event_time: Time = Field(description="When it was captured.", examples=[EXAMPLE_TIME])
    block: int = Field(ge=0, description="Block of creation.", examples=[1200])
    block_time: Time = Field(description="Time of that block.", examples=[EXAMPLE_TIME])
    unopened: bool | None = Field(
        description="True if this node sent a bare commitment; null if another agency issued it.",
        examples=[False],
    )
    final: bool = Field(
        description=(
            "True: only final blocks are read. False in front of another network, which reports it."
        ),
        examples=[True],
    )
    read_at_block: int = Field(ge=0, description="Block at which it was read.", examples=[1250])
    ledger: str = describe_ledger()


class Batch(Model):
    """One sealed batch."""

    uid: Uid = Field(description="The batch's identifier.", examples=[EXAMPLE_UID])
    issuer: Uid = Field(description="Agency that sealed it.", examples=[EXAMPLE_AGENCY])
    schema_uid: Uid = Field(description="Schema of every member.", examples=[EXAMPLE_SCHEMA])
    root: Uid = Field(description="Root over the members.", examples=[EXAMPLE_COMMITMENT])
    count: int = Field(ge=1, description="Number of members.", examples=[1000])
    alg: Algorithm = Field(description="Hash of the tree.")
    state: State = Field(description="State of the batch as a whole.")
    reason: Reason | None = Field(description="Why the state last changed; null if it never did.")
    key: AddressText | None = Field(
        description="Key that signed it; null for a moment until the index has the block.",
        examples=[EXAMPLE_ADDRESS],
    )
    event_time: Time = Field(description="When it was captured.", examples=[EXAMPLE_TIME])
    block: int = Field(ge=0, description="Block of creation.", examples=[1200])
    block_time: Time = Field(description="Time of that block.", examples=[EXAMPLE_TIME])
    unopened: bool | None = Field(
        description="True if this node sent a bare root; null if another agency sealed it.",
        examples=[False],
    )
    changed_leaves: int = Field(
        ge=0, description="Members whose state was ever changed.", examples=[2]
    )
    read_at_block: int = Field(ge=0, description="Block at which it was read.", examples=[1250])
    ledger: str = describe_ledger()


class Leaf(Model):
    """One member of a batch."""

    batch: Uid = Field(description="The batch.", examples=[EXAMPLE_UID])
    index: int = Field(ge=0, description="The member's number in the batch.", examples=[7])
    state: State = Field(description="Its state now; no entry on the chain means active.")
    reason: Reason | None = Field(description="Why it last changed; null if it never did.")
    read_at_block: int = Field(ge=0, description="Block at which it was read.", examples=[1250])


class Accepted(Model):
    """A write is durable here and will be on the chain; follow the operation until it is final."""

    operation: str = Field(description="The operation's identifier.", examples=["op-1f0c2a"])
    uid: Uid = Field(description="The record concerned.", examples=[EXAMPLE_UID])
    transaction: Uid = Field(description="Hash of the signed transaction.", examples=[EXAMPLE_HASH])
    state: OperationState = Field(description="How far it has come.")
    unopened: bool = Field(
        default=False, description="True when a bare commitment was accepted.", examples=[False]
    )
    follow: str = Field(
        description="Path to follow until final.", examples=["/v1/operations/op-1f0c2a"]
    )
    record: str = Field(
        description="Path of the record.", examples=[f"/v1/attestations/{EXAMPLE_UID}"]
    )
    envelope: JsonObject | None = Field(
        default=None,
        description="What to hand to the other side, where the act has such a thing.",
        examples=[None],
    )


class Operation(Model):
    """One write of this agency and how far it has come."""

    id: str = Field(description="The operation's identifier.", examples=["op-1f0c2a"])
    kind: str = Field(description="What it does.", examples=["attestation.create"])
    uid: Uid = Field(description="The record concerned.", examples=[EXAMPLE_UID])
    state: OperationState = Field(description="How far it has come.")
    account: AddressText = Field(description="Account that signed.", examples=[EXAMPLE_ADDRESS])
    nonce: int = Field(ge=0, description="Nonce of the transaction.", examples=[41])
    transaction: Uid = Field(description="Hash of the signed transaction.", examples=[EXAMPLE_HASH])
    created: Time = Field(description="When it was accepted.", examples=[EXAMPLE_TIME])
    unopened: bool = Field(
        description="True for a bare commitment that this node has not seen opened.",
        examples=[False],
    )
    block: int | None = Field(description="Block that contains it, once final.", examples=[1200])
    block_time: Time | None = Field(description="Time of that block.", examples=[EXAMPLE_TIME])
    error: str | None = Field(
        description="Why it failed, as `module: reason`.", examples=["consent: withdrawn"]
    )
    refusal: JsonObject | None = Field(
        default=None,
        description=(
            "Of a write that its block refused, the problem document that a refusal at once would"
            " have been: `code`, `rule`, `detail`, `field`, `next_step`, `legal_reference`. Told"
            " with a single operation, null in lists."
        ),
        examples=[None],
    )
    record: str = Field(
        description="Path of the record.", examples=[f"/v1/attestations/{EXAMPLE_UID}"]
    )
    ledger: str = describe_ledger()


class Event(Model):
    """One entry of a record's history."""

    kind: str = Field(description="What happened.", examples=["attestation.state"])
    uid: Uid = Field(description="The record.", examples=[EXAMPLE_UID])
    related: Uid | None = Field(
        description="The record superseded, or the agency accredited.", examples=[None]
    )
    index: int | None = Field(description="Batch member, where it concerns one.", examples=[None])
    agency: Uid = Field(description="Who did it.", examples=[EXAMPLE_AGENCY])
    state: State | None = Field(description="State that it led to.")
    reason: Reason | None = Field(description="Neutral reason code.")
    event_time: Time | None = Field(description="When it was captured.", examples=[EXAMPLE_TIME])
    block: int = Field(ge=0, description="Block.", examples=[1200])
    block_time: Time = Field(description="Time of that block.", examples=[EXAMPLE_TIME])
    transaction: Uid = Field(description="Transaction.", examples=[EXAMPLE_HASH])
    log_index: int = Field(ge=0, description="Position in the block's log.", examples=[0])


class _Page(Model):
    next: str | None = Field(
        description="Give it as `cursor` for what follows; null at the end.", examples=[None]
    )
    indexed_block: int = Field(
        ge=-1, description="Last final block in the index that served this.", examples=[1250]
    )


class AgencyPage(_Page):
    """Agencies, in the registry's order."""

    items: list[Agency] = Field(description="The agencies.")


class SchemaPage(_Page):
    """Schemas, oldest first."""

    items: list[Schema] = Field(description="The schemas.")


class AccreditationPage(_Page):
    """Accreditations of one schema, oldest first, ended ones included."""

    items: list[Accreditation] = Field(description="The accreditations.")


class CredentialPage(_Page):
    """Credentials of this vault, newest first, without their contents."""

    items: list[Credential] = Field(description="The credentials.")


class AttestationPage(_Page):
    """Attestations, newest first."""

    items: list[Attestation] = Field(description="The attestations.")


class BatchPage(_Page):
    """Batches, newest first."""

    items: list[Batch] = Field(description="The batches.")


class OperationPage(_Page):
    """This agency's writes, newest first."""

    items: list[Operation] = Field(description="The operations.")


class History(_Page):
    """Everything that happened to one record, oldest first."""

    items: list[Event] = Field(description="The entries.")

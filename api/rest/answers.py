"""Answers to "who did what, when?" and about the node itself.

Provenance is shaped after W3C PROV: records are entities, acts are activities, agencies are agents.
"""

from typing import Literal

from pydantic import ConfigDict, Field

from api.rest.ledger_words import describe_ledger
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
    Reason,
    Time,
    Uid,
)


class FinalityFacts(Model):
    """Who vouches that what was read stays."""

    kind: Literal["quorum_seals", "as_reported"] = Field(
        description=(
            "`quorum_seals`: a quorum of the ledger's validators sealed the block. `as_reported`:"
            " another network's node says so, and nobody here has checked it."
        ),
        examples=["quorum_seals"],
    )
    block_tag: Literal["latest", "safe", "finalized"] = Field(
        description="The block of its node up to which this API reads.", examples=["latest"]
    )
    statement: str = Field(
        description="The same in one sentence.",
        examples=["final: a quorum of the ledger's validators sealed the block"],
    )


class Activity(Model):
    """One act on the chain (PROV activity)."""

    id: str = Field(description="Transaction and log position.", examples=[f"{EXAMPLE_HASH}#0"])
    type: str = Field(description="What happened.", examples=["attestation.created"])
    agent: Uid = Field(
        description="Agency that did it; of a resident, the uid of the binding of the key.",
        examples=[EXAMPLE_AGENCY],
    )
    key: AddressText | None = Field(
        description="Key that signed, where known.", examples=[EXAMPLE_ADDRESS]
    )
    used: list[Uid] = Field(
        description="Records it rested on: schema, previous.", examples=[[EXAMPLE_SCHEMA]]
    )
    generated: list[Uid] = Field(description="Records it made.", examples=[[EXAMPLE_UID]])
    invalidated: list[Uid] = Field(description="Records it ended.", examples=[[]])
    index: int | None = Field(
        description="Batch member, period, leaf or board concerned.", examples=[None]
    )
    state: str | None = Field(description="State that it led to.", examples=["active"])
    reason: Reason | None = Field(description="Neutral reason code.")
    event_time: Time | None = Field(description="When it was captured.", examples=[EXAMPLE_TIME])
    block: int = Field(ge=0, description="Block.", examples=[1200])
    block_hash: Uid = Field(description="Its hash.", examples=[EXAMPLE_HASH])
    block_time: Time = Field(description="Its time.", examples=[EXAMPLE_TIME])
    transaction: Uid = Field(description="Transaction.", examples=[EXAMPLE_HASH])
    final: bool = Field(
        description="True: the block has quorum seals. False: another network reports it.",
        examples=[True],
    )


class ErasedEntity(Model):
    """What the answering agency's vault has erased of a record."""

    time: Time = Field(description="When.", examples=[EXAMPLE_TIME])
    reason: Reason = Field(description="Why.", examples=["holder_request"])


class Entity(Model):
    """One record (PROV entity)."""

    id: Uid = Field(description="Its uid.", examples=[EXAMPLE_UID])
    type: str = Field(
        description="Kind of record, such as attestation, consent, exchange or dataset.",
        examples=["attestation"],
    )
    title: str | None = Field(
        default=None, description="Name for people, where a public text gives one.", examples=[None]
    )
    attributed_to: Uid = Field(description="Agency responsible.", examples=[EXAMPLE_AGENCY])
    schema_uid: Uid | None = Field(description="Its schema.", examples=[EXAMPLE_SCHEMA])
    commitment: Uid | None = Field(
        description="Commitment, root or pointers hash.", examples=[EXAMPLE_COMMITMENT]
    )
    alg: Algorithm | None = Field(description="Hash of the tree.")
    state: str | None = Field(description="State now.", examples=["active"])
    names: dict[str, list[Uid]] = Field(
        default_factory=dict,
        description="Other records that it names, by role, such as dataset, consent or basis.",
        examples=[{}],
    )
    derived_from: Uid | None = Field(description="Record that it superseded.", examples=[None])
    revised_by: Uid | None = Field(description="Record that superseded it.", examples=[None])
    erased: ErasedEntity | None = Field(
        default=None,
        description="Set where this agency's vault has erased what it had of it.",
        examples=[None],
    )


class Agent(Model):
    """One agency, or one resident's key (PROV agent)."""

    id: Uid = Field(
        description="The agency, or the binding of a resident's key.", examples=[EXAMPLE_AGENCY]
    )
    name: str | None = Field(
        description="From the address book, else the label in its id; null for a resident's key.",
        examples=["mo-health-bureau"],
    )
    jurisdiction: Uid | None = Field(description="Its jurisdiction.", examples=[EXAMPLE_HASH])


class Provenance(Model):
    """Who did what to a record, when, under which schema; complete up to `block`."""

    uid: Uid = Field(description="The record asked for.", examples=[EXAMPLE_UID])
    entities: list[Entity] = Field(description="The record and those tied to it.")
    activities: list[Activity] = Field(description="Acts, oldest first.")
    agents: list[Agent] = Field(description="Agencies named above.")
    block: int = Field(ge=0, description="Last final block read.", examples=[1250])
    block_time: Time = Field(description="Its time.", examples=[EXAMPLE_TIME])
    ledger: str = describe_ledger()


class ProvDocument(Model):
    """The same as W3C PROV-JSON: an exchange is an activity, datasets and consents are entities.

    Its members are those of the W3C member submission; many programs read it.
    """

    model_config = ConfigDict(extra="allow")

    prefix: dict[str, str] = Field(
        description="Namespaces.", examples=[{"atesta": "https://atesta.example/ns#"}]
    )


class Status(Model):
    """This node's service at a glance."""

    agency: Uid | None = Field(
        description="The agency that runs it; null while the registry does not list its account.",
        examples=[EXAMPLE_AGENCY],
    )
    account: AddressText | None = Field(
        description="Account that signs; null where the node has none.", examples=[EXAMPLE_ADDRESS]
    )
    chain_id: int = Field(ge=1, description="The ledger.", examples=[713715])
    genesis_hash: Uid = Field(description="Hash of its genesis block.", examples=[EXAMPLE_HASH])
    block: int = Field(ge=0, description="Last final block.", examples=[1250])
    block_time: Time = Field(description="Its time.", examples=[EXAMPLE_TIME])
    behind_s: int = Field(ge=0, description="Seconds since that block.", examples=[1])
    indexed_block: int = Field(
        ge=-1, description="Last block in the index; -1 while it is empty.", examples=[1250]
    )
    pending: int = Field(ge=0, description="Writes not yet final.", examples=[0])
    finality: FinalityFacts = Field(description="Who vouches for what this node answers.")


class Problem(Model):
    """An RFC 9457 problem document, as `api.errors.as_problem` writes it."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    type: str = Field(
        description="Stable name of the kind of problem.",
        examples=["urn:atesta:problem:uid_exists"],
    )
    title: str = Field(description="The kind in plain words.", examples=["uid exists"])
    status: int = Field(ge=400, le=599, description="HTTP status.", examples=[409])
    detail: str = Field(
        description="What is wrong with this request; never repeats a value that was sent.",
        examples=["a record with this uid exists already"],
    )
    code: str = Field(description="Stable code for programs.", examples=["uid_exists"])
    field: str | None = Field(
        default=None,
        description="Field concerned, as a dotted path; a document's field by its pointer.",
        examples=["uid"],
    )
    next_step: str | None = Field(
        default=None, description="What to do.", examples=["choose another random uid"]
    )
    rule: str | None = Field(
        default=None,
        description="The rule of the ledger that refuses it, as the contract states it.",
        examples=["attestation: uid already used"],
    )
    legal_reference: JsonObject | None = Field(
        default=None,
        description=(
            "The law behind it: `hash` on the ledger and `text` if it is here, of the basis or"
            " dataset concerned; `laws`, by jurisdiction, that ask for the rule."
        ),
        examples=[None],
    )
    instance: str | None = Field(
        default=None,
        description="Identifier of this request in the server's log.",
        examples=["urn:atesta:request:7f3a"],
    )


class EvidenceItem(Model):
    """An act of another participant that this node can prove."""

    id: Uid = Field(description="Names the act in lists, logs and files.", examples=[EXAMPLE_HASH])
    kind: str = Field(
        description=(
            "`conflicting_proposals`, `conflicting_prepares`, `conflicting_commits`, "
            "`conflicting_round_changes`, `unpermitted_sender` or `unvoted_code`."
        ),
        examples=["conflicting_prepares"],
    )
    height: int = Field(ge=0, description="Height of the act.", examples=[1200])
    round: int | None = Field(description="Round of the messages; null for a block.", examples=[0])
    offender: AddressText = Field(description="Validator that did it.", examples=[EXAMPLE_ADDRESS])


class EvidencePage(Model):
    """Evidence, newest height first; of at most the newest 1,000 acts."""

    items: list[EvidenceItem] = Field(description="The acts.")
    next: str | None = Field(
        description="Give it as `cursor` for what follows; null at the end.", examples=[None]
    )


class EvidenceFile(Model):
    """A file that `atesta evidence verify` checks with nothing but genesis.json.

    The members that carry the proof depend on the kind; docs/evidence.md has them all.
    """

    model_config = ConfigDict(extra="allow")

    format: str = Field(description="`atesta-evidence`.", examples=["atesta-evidence"])
    version: int = Field(description="Version of the format.", examples=[1])
    id: Uid = Field(description="The act's id.", examples=[EXAMPLE_HASH])
    chain_id: int = Field(description="Chain id of the ledger.", examples=[20260])
    genesis_hash: Uid = Field(description="Hash of its first block.", examples=[EXAMPLE_HASH])
    kind: str = Field(description="Kind of the act.", examples=["conflicting_prepares"])
    offender: AddressText = Field(description="Validator that did it.", examples=[EXAMPLE_ADDRESS])
    height: int = Field(ge=0, description="Height of the act.", examples=[1200])
    round: int | None = Field(description="Round, for messages.", examples=[0])
    trail: list[JsonObject] = Field(
        description="Headers that lead from genesis to the validators of the height.",
        examples=[[]],
    )
    codes: list[str] = Field(description="Code of contracts that answer.", examples=[["0x60"]])

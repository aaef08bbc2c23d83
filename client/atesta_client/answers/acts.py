"""Acts, their explanations, prepared acts; imports; public texts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ActSummary:
    """One thing that an agency can do."""

    act: str
    """Its name."""
    method: str = "POST"
    """The HTTP method of its route."""
    path: str
    """The path of its route."""
    summary: str
    """What it does."""
    roles: tuple[str, ...]
    """Tokens with one of these may ask for it."""
    key_roles: tuple[str, ...]
    """The signing key needs one of these."""
    contract: str
    """Contract that it calls."""
    function: str
    """Function that it calls."""
    signed_elsewhere: bool
    """Whether ``prepared-acts`` takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What would become of an act if it were done now."""

    act: str
    """The act."""
    allowed: bool
    """Whether it would be taken."""
    refusal: dict[str, Any] | None
    """If not: the refusal that the act's own route would answer."""
    uid: str | None
    """The record concerned; ``None`` if it was refused before one was found."""
    facts: dict[str, Any]
    """What the ledger says of it, such as what a legal basis asks for."""
    block: int
    """Last settled block, on which it was tried."""
    block_time: datetime
    """Its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedAct:
    """An act that waits for its signature."""

    id: str
    """Name it in ``signed-acts``."""
    act: str
    """The act."""
    uid: str
    """The record concerned."""
    record: str
    """Path of the record."""
    signer: str
    """Who is to sign."""
    contract: str
    """The contract that it calls."""
    call: str
    """The call, as it is signed."""
    nonce: int
    """Used once by this signer."""
    deadline: datetime
    """Until when it may be handed in."""
    event_time: datetime
    """The event time inside."""
    digest: str
    """What is signed, for devices that sign hashes."""
    typed_data: dict[str, Any]
    """The message for ``eth_signTypedData_v4``; numbers are decimal texts."""
    envelope: dict[str, Any] | None = None
    """What to hand to the other side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A bulk import and how far it is."""

    id: str
    """Its identifier."""
    act: str
    """The act that each line is one of."""
    state: str
    """``done`` when no line is open."""
    lines: int
    """Lines of the file."""
    waiting: int
    """Lines not promised yet."""
    promised: int
    """Lines on their way to the ledger."""
    done: int
    """Lines that are settled on the ledger."""
    rejected: int
    """Lines that made nothing."""
    problem: str | None
    """What stops it for now; it goes on by itself when that is mended."""
    created: datetime
    """When it was accepted."""
    finished: datetime | None
    """When it ended; ``None`` before."""
    follow: str
    """Path to follow."""
    rejects: str
    """Path of the rejected lines."""
    ledger: str = ""
    """Name of the ledger that it is for, as ``list_ledgers`` has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedLine:
    """A line that made nothing, and why; its content is not repeated."""

    line: int
    """Its number in the file, from 1."""
    uid: str | None
    """The uid that it had."""
    field: str | None
    """Field at fault."""
    code: str
    """Stable code for programs."""
    reason: str
    """Plain words for people."""
    rule: str | None
    """Rule of the ledger that refused it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A public text; its hash is SHA-256 over a tag and RFC 8785 of kind, language and body."""

    hash: str
    """What the ledger keeps of it."""
    kind: str
    """What it is for."""
    language: str | None
    """Its language; ``None`` for all."""
    body: dict[str, Any]
    """The text's members."""

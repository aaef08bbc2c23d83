"""What an act is: its description, and one performance of it ready to be promised."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from api.access.callers import Role
from api.rest.lateness import LATE, Late
from api.rest.values import EXAMPLE_TIME, EXAMPLE_UID, Model, Time, Uid
from api.texts.text import PublicText
from contracts.codes import Role as KeyRole

if TYPE_CHECKING:
    from api.acts.context import ActContext
    from api.rest.services import RestServices

DEFAULT_GAS: Final = 1_000_000
"""Gas limit of an act that names none."""

MAX_GAS: Final = 3_000_000
"""A node admits no more for one transaction."""


class ActBody(Model):
    """What every act may carry besides its own fields."""

    event_time: Time | None = Field(
        default=None,
        description="When it was captured or decided; now when absent.",
        examples=[EXAMPLE_TIME],
    )
    late: Late = LATE


class CreationBody(ActBody):
    """The body of an act that makes a record."""

    uid: Uid | None = Field(
        default=None,
        description="32 random bytes chosen by the caller; made here when absent.",
        examples=[EXAMPLE_UID],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedAct:
    """One performance of an act, ready to be tried, promised or signed elsewhere."""

    uid: bytes
    """The record concerned, 32 bytes."""
    args: Mapping[str, Any]
    """The call's arguments by ABI name; structs as mappings; without `event_time`."""
    record: str | None = None
    """Path of the record in REST; from the act's path and the uid if None."""
    gas: int | None = None
    """Gas limit of this performance, where it depends on the body."""
    texts: tuple[PublicText, ...] = ()
    """Public texts to store with the promise."""
    keep: Callable[[], Awaitable[None]] | None = None
    """Stores private materials just before the promise; may be called again."""
    envelope: Mapping[str, Any] | None = None
    """What the caller hands to the other side, as a JSON object."""
    answer_role: str | None = None
    """Role of the kept material that is this envelope; None if it is something of its own."""
    unopened: bool = False
    """True if the caller handed in a commitment that nobody here computed or saw opened; it needs
    the role `unopened`, and the operation says so."""
    basis: bytes | None = None
    """The legal basis that it rests on."""
    dataset: bytes | None = None
    """The dataset that it is about."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What `explain` adds, known without asking further; JSON values."""


Prepare = Callable[["ActContext", Any], Awaitable[PreparedAct]]
Inspect = Callable[["ActContext", PreparedAct], Awaitable[Mapping[str, Any]]]
Recall = Callable[["RestServices", bytes], Awaitable[Mapping[str, Any] | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """The description of an act."""

    name: str
    """`noun.verb`, such as `exchange.request`; stable, as it stands in operations."""
    path: str
    """Below `/v1`; its first part names the collection of the record."""
    summary: str
    contract: str
    function: str
    key_role: KeyRole
    """What the signing key must be allowed; one of several if several are given."""
    roles: tuple[Role, ...]
    """Tokens with one of these may ask for it; the first is the usual one."""
    model: type[ActBody]
    prepare: Prepare
    """Turns a checked body into arguments; raises `UserFault`."""
    is_creation: bool = False
    """True if it makes the record with its uid, so that only one promise may stand for it."""
    gas: int = DEFAULT_GAS
    """Gas limit, with room above what docs/contracts.md measures."""
    facts: Inspect | None = None
    """Adds to the answer of `explain`; a refusal inside it is no refusal of the act."""
    recall: Recall | None = None
    """Returns the envelope of an act that was promised before, by uid, where the record's
    materials tell it; otherwise the answer itself is kept (`api.acts.answers`)."""

    @property
    def operation(self) -> str:
        """The operation id and handler's name, `request_exchange`."""
        noun, verb = self.name.split(".")
        if verb == "state":
            return f"change_{noun}_state"
        return f"{verb}_{noun}"

    @property
    def noun(self) -> str:
        """What it is about."""
        return self.name.split(".")[0]

    @property
    def collection(self) -> str:
        """The collection of its record, `exchanges`."""
        return self.path.split("/")[1]

    def name_record(self, prepared: PreparedAct) -> str:
        """Return the record's path in REST."""
        return prepared.record or f"/v1/{self.collection}/0x{prepared.uid.hex()}"

    def name_claim(self, prepared: PreparedAct) -> str | None:
        """Return what only one live promise may hold; None for what creates nothing."""
        return f"{self.noun}:{prepared.uid.hex()}" if self.is_creation else None

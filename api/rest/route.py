"""What a route of REST is: its path, its models, its role and its problems."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from api.access.callers import Role
from api.access.limits import Operation
from api.access.purposes import RECORD
from api.rest.cursors import CURSOR_PATTERN
from api.rest.references import REFERENCE_PATTERN
from api.rest.values import Model, State

ALWAYS_VOLATILE: Final = ("indexed_block", "read_at_block")
"""Members that say when something was read, wherever they stand."""

Method = Literal["GET", "POST", "PUT", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One query parameter."""

    name: str
    description: str
    schema: Mapping[str, object]
    is_required: bool = False

    @property
    def is_list(self) -> bool:
        """Whether it is given with commas between its items."""
        return self.schema.get("type") == "array"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation."""

    name: str
    """Operation id and name of its handler."""
    method: Method
    path: str
    tag: str
    summary: str
    role: Role
    """The usual role of a caller; every caller needs it or one of `also`."""
    response: type[Model]
    also: tuple[Role, ...] = ()
    """Other roles that are let in."""
    alternatives: tuple[type[Model], ...] = ()
    """Other answers that a query parameter asks for."""
    media_type: str = "application/json"
    """Content type of the answer."""
    status: int = 200
    request: type[Model] | None = None
    upload: tuple[str, ...] = ()
    """Content types of a file that it takes as the body, instead of a request."""
    query: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()
    """Statuses of problem documents besides the common 400, 401, 403, 413, 500, 503."""
    writes: bool = False
    """True if it needs an Idempotency-Key and answers with an operation to follow."""
    opens: bool = False
    """True if it hands out personal data of the vault: the caller must say for what purpose."""
    takes_purpose: bool = False
    """True if it may hand some out, and a purpose may be stated."""
    purpose: str = RECORD
    """For what it opens the vault where the caller need not say."""
    operation: Operation | None = None
    """What it counts as against a caller's limits; None: GET reads, all else writes."""
    volatile: tuple[str, ...] = ()
    """Members that say when it was read, not what, besides `ALWAYS_VOLATILE`; also of the items of
    a list. The ETag leaves them out."""

    @property
    def has_etag(self) -> bool:
        """Whether the answer has an ETag, and `If-None-Match` may give 304: whatever is read."""
        return self.method == "GET" and self.media_type == "application/json"

    @property
    def roles(self) -> tuple[Role, ...]:
        """All roles that are let in."""
        return (self.role, *self.also)


_UID: Final = {"type": "string", "pattern": "^0x[0-9a-fA-F]{64}$"}
_TIME: Final = {"type": "string", "format": "date-time"}
LIMIT: Final = Parameter(
    name="limit",
    description="At most so many items, 1 to 500; 50 when absent.",
    schema={"type": "integer", "minimum": 1, "maximum": 500, "default": 50},
)
CURSOR: Final = Parameter(
    name="cursor",
    description="`next` of the page before; opaque.",
    schema={"type": "string", "pattern": CURSOR_PATTERN},
)
PAGING: Final = (LIMIT, CURSOR)


def uid_parameter(name: str, description: str) -> Parameter:
    """Return a query parameter of 32 bytes."""
    return Parameter(name=name, description=description, schema=_UID)


def agency_parameter(name: str, description: str) -> Parameter:
    """Return a query parameter that names an agency by its label or 32 bytes."""
    return Parameter(
        name=name, description=description, schema={"type": "string", "pattern": REFERENCE_PATTERN}
    )


FROM: Final = Parameter(name="from", description="Block time not before this.", schema=_TIME)
UNTIL: Final = Parameter(name="until", description="Block time before this.", schema=_TIME)
STATE: Final = Parameter(
    name="state",
    description="Only this state.",
    schema={"type": "string", "enum": [state.value for state in State]},
)

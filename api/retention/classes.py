"""Classes of retention, read from TOML: what they cover, how long, counted from when.

    [[class]]
    name = "vaccination-certificates"
    years = 5                       # and months, days; together the duration
    start = "valid_until"           # or "created", also where there is no end of validity
    legal_reference = "…"
    checked = true
    schemas = ["0x…"]               # credentials of these schemas
    roles = ["request"]             # materials in these roles, all of their parts

What no class covers is kept. Durations are counted by the calendar in UTC, and a day that a month
does not have becomes the first of the next, so that nothing ends early.
"""

import datetime as dt
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from api.acts.forgetting import ANSWER_PREFIX
from api.errors import InvalidField
from api.rest.faults import Contradiction

_MONTHS: Final = 12
_LAST_YEAR: Final = 9999


class RetentionClass(BaseModel):
    """How long one kind of thing is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    years: Annotated[int, Field(ge=0, le=200)] = 0
    months: Annotated[int, Field(ge=0, le=1200)] = 0
    days: Annotated[int, Field(ge=0, le=36_500)] = 0
    start: Literal["created", "valid_until"]
    legal_reference: Annotated[str, Field(min_length=3, max_length=500)]
    checked: bool
    schemas: list[Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]] = []
    roles: list[Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,31}$")]] = []

    @model_validator(mode="after")
    def _check(self) -> "RetentionClass":
        if not (self.years or self.months or self.days):
            raise Contradiction("the class needs a duration", "years", "months", "days")
        if not (self.schemas or self.roles):
            raise Contradiction("the class covers nothing: name one", "schemas", "roles")
        if self.roles and self.start != "created":
            raise Contradiction(
                "materials have no end of validity: start must be created", "start", "roles"
            )
        return self

    def compute_end(self, start_s: int) -> int:
        """Return when what began at a time in seconds is kept no longer."""
        start = dt.datetime.fromtimestamp(start_s, dt.UTC)
        months = start.month - 1 + self.months
        year, month = start.year + self.years + months // _MONTHS, months % _MONTHS + 1
        if year >= _LAST_YEAR:
            return int(dt.datetime(_LAST_YEAR, 12, 31, tzinfo=dt.UTC).timestamp())
        try:
            end = start.replace(year=year, month=month)
        except ValueError:
            # The month has no such day.
            following = (year + 1, 1) if month == _MONTHS else (year, month + 1)
            end = start.replace(year=following[0], month=following[1], day=1)
        return int((end + dt.timedelta(days=self.days)).timestamp())


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPlan:
    """All classes, and what each covers."""

    classes: tuple[RetentionClass, ...]

    def find_for_schema(self, schema_uid: bytes) -> RetentionClass | None:
        """Return the class of a schema's credentials; None if they are kept."""
        text = "0x" + schema_uid.hex()
        return next((one for one in self.classes if text in one.schemas), None)

    def find_for_role(self, role: str) -> RetentionClass | None:
        """Return the class of materials in a role; None if they are kept."""
        plain = name_kind(role)
        return next((one for one in self.classes if role in one.roles or plain in one.roles), None)


def name_kind(role: str) -> str:
    """Return what all parts of a kind of material are called: `response` of `response_2`."""
    if role.startswith(ANSWER_PREFIX):
        return ANSWER_PREFIX.removesuffix("-")
    return role.rstrip("0123456789").removesuffix("_")


def load_plan(file: Path | None = None) -> RetentionPlan:
    """Read the shipped classes and an operator's file.

    Raises `InvalidField` that names the class at fault, also where two cover the same.
    """
    shipped = (resources.files("api.retention") / "data" / "classes.toml").read_text("utf-8")
    found = {one.name: one for one in _parse(shipped, "classes.toml")}
    if file is not None:
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidField(str(file), "the classes of retention cannot be read") from error
        found |= {one.name: one for one in _parse(text, str(file))}
    covered: dict[str, str] = {}
    for one in found.values():
        for thing in (*one.schemas, *one.roles):
            if thing in covered:
                raise InvalidField(one.name, f"{thing} is covered by {covered[thing]} as well")
            covered[thing] = one.name
    return RetentionPlan(classes=tuple(found.values()))


def _parse(text: str, place: str) -> list[RetentionClass]:
    try:
        content: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidField(place, "is not TOML") from error
    entries = content.pop("class", [])
    if content or not isinstance(entries, list):
        raise InvalidField(place, "holds [[class]] tables and nothing else")
    classes = []
    for number, entry in enumerate(entries, 1):
        try:
            classes.append(RetentionClass.model_validate(entry))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InvalidField(
                f"{place}: class {number} {where}".rstrip(), str(first["msg"])
            ) from None
    return classes

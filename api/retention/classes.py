"""Classes of retention, read from TOML: what they cover, how long, counted from when.

    [[class]]
    name = "vaccination-certificates"
    years = 5                       # and months, days; together the duration
    start = "valid_until"           # or "created", also where there is no end of validity
    legal_reference = "…"
    checked = true
    schemas = ["0x…"]               # credentials of these schemas
    roles = ["request"]             # materials in these roles, all of their parts
    tables = ["reads"]              # lines of the record of reads
    action = "erase"                # or "restrict": from then on for storage only
    obligatory_years = 3            # a law asks for so many; a person's request does not shorten it
    basis = "0x…"                   # the legal basis on the ledger that asks for it, if it is there

What no class covers is kept. One thing may be in one class of each action. Durations are counted by
the calendar in UTC, and a day that a month does not have becomes the first of the next, so that
nothing ends early.
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
from api.vault.holdings import Holding

Action = Literal["erase", "restrict"]
"""What becomes of a thing when its time is over."""

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
    tables: list[Literal["reads"]] = []
    action: Action = "erase"
    obligatory_years: Annotated[int, Field(ge=0, le=200)] = 0
    basis: Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")] | None = None

    @model_validator(mode="after")
    def _check(self) -> "RetentionClass":
        if not (self.years or self.months or self.days):
            raise Contradiction("the class needs a duration", "years", "months", "days")
        if not (self.schemas or self.roles or self.tables):
            raise Contradiction("the class covers nothing: name one", "schemas", "roles", "tables")
        if (self.roles or self.tables) and self.start != "created":
            raise Contradiction(
                "only credentials have an end of validity: start must be created", "start", "roles"
            )
        if self.tables and self.action != "erase":
            raise Contradiction("lines of a table are erased or kept", "action", "tables")
        return self

    def find_start(self, created_s: int, valid_until_s: int) -> int:
        """Return from when a thing's time is counted."""
        is_by_validity = self.start == "valid_until" and valid_until_s
        return valid_until_s if is_by_validity else created_s

    def compute_end(self, start_s: int) -> int:
        """Return when what began at a time in seconds is kept no longer."""
        return _add(start_s, years=self.years, months=self.months, days=self.days)

    def compute_duty_end(self, start_s: int) -> int:
        """Return until when a law asks to keep what began then, whoever wants it gone."""
        return _add(start_s, years=self.obligatory_years)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPlan:
    """All classes, and what each covers."""

    classes: tuple[RetentionClass, ...]

    def find_for_schema(self, schema_uid: bytes, action: Action = "erase") -> RetentionClass | None:
        """Return the class of a schema's credentials; None if they are kept as they are."""
        text = "0x" + schema_uid.hex()
        return next((one for one in self._list(action) if text in one.schemas), None)

    def find_for_role(self, role: str, action: Action = "erase") -> RetentionClass | None:
        """Return the class of materials in a role; None if they are kept as they are."""
        plain = name_kind(role)
        return next(
            (one for one in self._list(action) if role in one.roles or plain in one.roles), None
        )

    def find_for_table(self, name: Literal["reads"]) -> RetentionClass | None:
        """Return the class of a table's lines; None if they are kept."""
        return next((one for one in self.classes if name in one.tables), None)

    def find_for(self, holding: Holding, action: Action = "erase") -> RetentionClass | None:
        """Return the class of a thing in the vault; None if it is kept as it is."""
        if holding.schema_uid is not None:
            return self.find_for_schema(holding.schema_uid, action)
        assert holding.role is not None, "a material has a role"
        return self.find_for_role(holding.role, action)

    def _list(self, action: Action) -> list[RetentionClass]:
        return [one for one in self.classes if one.action == action]


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
    covered: dict[tuple[Action, str], str] = {}
    for one in found.values():
        for thing in (*one.schemas, *one.roles, *one.tables):
            other = covered.setdefault((one.action, thing), one.name)
            if other != one.name:
                raise InvalidField(one.name, f"{thing} is covered by {other} as well")
    return RetentionPlan(classes=tuple(found.values()))


def _add(start_s: int, *, years: int, months: int = 0, days: int = 0) -> int:
    start = dt.datetime.fromtimestamp(start_s, dt.UTC)
    passed = start.month - 1 + months
    year, month = start.year + years + passed // _MONTHS, passed % _MONTHS + 1
    if year >= _LAST_YEAR:
        return int(dt.datetime(_LAST_YEAR, 12, 31, tzinfo=dt.UTC).timestamp())
    try:
        end = start.replace(year=year, month=month)
    except ValueError:
        # The month has no such day.
        following = (year + 1, 1) if month == _MONTHS else (year, month + 1)
        end = start.replace(year=following[0], month=following[1], day=1)
    return int((end + dt.timedelta(days=days)).timestamp())


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

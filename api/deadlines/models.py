"""Due times over REST: profiles, calendars, and what happened to a case."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.deadlines.due import Due
from api.deadlines.profiles import Profile, Unit
from api.rest.values import EXAMPLE_TIME, Model, Time, parse_time

EXAMPLE_PROFILE = "mo-request-decision"
ProfileName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


class ProfileView(Model):
    """One legal time limit, as data."""

    name: str = Field(description="Its name.", examples=[EXAMPLE_PROFILE])
    version: int = Field(ge=1, description="Its version.", examples=[1])
    title: str = Field(description="What it is for.", examples=["Decision on a request"])
    jurisdiction: str = Field(description="Whose law.", examples=["MO"])
    calendar: str = Field(description="On which calendar it is counted.", examples=["macao"])
    unit: Unit = Field(description="What is counted: days, hours or months.")
    amount: int = Field(ge=1, description="How many.", examples=[10])
    extension: int = Field(
        ge=0, description="Longest extension, allowed once; 0 for none.", examples=[0]
    )
    pause_reasons: list[str] = Field(
        description="Why the clock may be paused.", examples=[["missing_documents"]]
    )
    to_check: list[str] = Field(
        description="What is not certain in the law; empty where it was read in the source.",
        examples=[["to check"]],
    )


class ProfileList(Model):
    """All profiles of this node."""

    items: list[ProfileView] = Field(description="By name.")


class CalendarView(Model):
    """One calendar of working days."""

    name: str = Field(description="Its name.", examples=["macao"])
    version: int = Field(ge=1, description="Its version.", examples=[1])
    years: list[int] = Field(description="The years that it covers.", examples=[[2026]])
    closures: int = Field(ge=0, description="Closures entered here.", examples=[0])


class CalendarList(Model):
    """All calendars of this node."""

    items: list[CalendarView] = Field(description="By name.")


class HappeningItem(Model):
    """Something that happened to a case after its start."""

    kind: Literal["paused", "resumed", "extended", "closed"] = Field(
        description="What.", examples=["paused"]
    )
    at: Time = Field(description="When.", examples=[EXAMPLE_TIME])
    reason: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None, description="Of a pause or an extension.", examples=["missing_documents"]
    )
    by: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="Post that extended.", examples=[None]
    )
    amount: Annotated[int, Field(ge=1, le=1_000)] | None = Field(
        default=None, description="Of an extension; all that is allowed if null.", examples=[None]
    )


class DueQuestion(Model):
    """Ask when a case is due."""

    profile: ProfileName = Field(description="Which time limit.", examples=[EXAMPLE_PROFILE])
    started: Time = Field(description="When it began.", examples=[EXAMPLE_TIME])
    happenings: Annotated[list[HappeningItem], Field(max_length=63)] = Field(
        default_factory=list, description="What happened since, in order."
    )
    known_at: Time | None = Field(
        default=None,
        description="Reckon with what was known then: calendars, profiles, closures.",
        examples=[None],
    )


class DueAnswer(Model):
    """When a case is due, and how that came about."""

    due: Time = Field(description="The last second in time.", examples=[EXAMPLE_TIME])
    day: str = Field(description="Its local date.", examples=["2026-12-04"])
    counted: int = Field(ge=0, description="Units counted.", examples=[10])
    unit: Unit = Field(description="Days, hours or months.")
    profile_version: int = Field(ge=1, description="Version of the profile.", examples=[1])
    calendar: str = Field(description="The calendar.", examples=["macao"])
    calendar_version: int = Field(ge=1, description="Its version.", examples=[1])
    paused: bool = Field(
        description="The clock stands still; this is the earliest due time.", examples=[False]
    )
    extended: bool = Field(description="Whether it was extended.", examples=[False])
    alerts: dict[str, Time] = Field(
        description="When alerts are told, by percent.", examples=[{"80": EXAMPLE_TIME}]
    )
    explanation: list[str] = Field(
        description="A sentence for each step.", examples=[["10 working days"]]
    )
    to_check: list[str] = Field(description="What is not certain.", examples=[[]])


def view_profile(profile: Profile) -> ProfileView:
    """Return a profile."""
    return ProfileView(
        name=profile.name,
        version=profile.version,
        title=profile.title,
        jurisdiction=profile.jurisdiction,
        calendar=profile.calendar,
        unit=profile.unit,
        amount=profile.amount,
        extension=profile.extension,
        pause_reasons=sorted(profile.pause_reasons),
        to_check=[profile.to_check] if profile.to_check else [],
    )


def view_due(due: Due) -> DueAnswer:
    """Return a due time."""
    return DueAnswer(
        due=parse_time(due.due_s),
        day=due.day.isoformat(),
        counted=due.counted,
        unit=due.unit,
        profile_version=due.profile_version,
        calendar=due.calendar,
        calendar_version=due.calendar_version,
        paused=due.is_paused,
        extended=due.is_extended,
        alerts={str(alert.percent): parse_time(alert.at_s) for alert in due.alerts},
        explanation=list(due.explanation),
        to_check=list(due.to_check),
    )

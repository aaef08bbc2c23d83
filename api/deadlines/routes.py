"""The routes of due times, and their handlers."""

from collections.abc import Awaitable, Callable
from typing import Final

from api.access.callers import Role
from api.deadlines.clocks import Closed, Extended, Happening, Paused, Resumed
from api.deadlines.models import (
    CalendarList,
    CalendarView,
    DueAnswer,
    DueQuestion,
    HappeningItem,
    ProfileList,
    view_due,
    view_profile,
)
from api.errors import InvalidField
from api.rest.call import Call, Reply
from api.rest.route import Route
from api.rest.values import encode_time


async def list_profiles(call: Call) -> Reply:
    """List the time limits that this node knows."""
    profiles = call.services.deadlines.list_profiles()
    return Reply(model=ProfileList(items=[view_profile(profile) for profile in profiles]))


async def list_calendars(call: Call) -> Reply:
    """List the calendars that this node knows."""
    return Reply(
        model=CalendarList(
            items=[
                CalendarView(
                    name=calendar.name,
                    version=calendar.version,
                    years=sorted({source.year for source in calendar.sources}),
                    closures=len(calendar.closures),
                )
                for calendar in call.services.deadlines.list_calendars()
            ]
        )
    )


async def reckon_due(call: Call) -> Reply:
    """Reckon when a case is due."""
    body: DueQuestion = call.body
    happenings = [_read(place, item) for place, item in enumerate(body.happenings)]
    due = call.services.deadlines.due(
        body.profile,
        encode_time(body.started),
        happenings,
        known_at_s=None if body.known_at is None else encode_time(body.known_at),
    )
    return Reply(model=view_due(due))


def _read(place: int, item: HappeningItem) -> Happening:
    at_s = encode_time(item.at)
    match item.kind:
        case "paused":
            return Paused(at_s=at_s, reason=_need(item.reason, f"happenings.{place}.reason"))
        case "resumed":
            return Resumed(at_s=at_s)
        case "closed":
            return Closed(at_s=at_s)
        case "extended":
            return Extended(
                at_s=at_s,
                reason=_need(item.reason, f"happenings.{place}.reason"),
                by=_need(item.by, f"happenings.{place}.by"),
                amount=item.amount,
            )


def _need(value: str | None, field: str) -> str:
    if value is None:
        raise InvalidField(field, "this field is needed")
    return value


DEADLINE_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        name="list_deadline_profiles",
        method="GET",
        path="/deadlines/profiles",
        tag="deadlines",
        summary="List the time limits that requests may name",
        role=Role.READER,
        response=ProfileList,
    ),
    Route(
        name="list_deadline_calendars",
        method="GET",
        path="/deadlines/calendars",
        tag="deadlines",
        summary="List the calendars of working days",
        role=Role.READER,
        response=CalendarList,
    ),
    Route(
        name="reckon_due",
        method="POST",
        path="/deadlines/due",
        tag="deadlines",
        summary="Reckon when a case is due",
        role=Role.READER,
        request=DueQuestion,
        response=DueAnswer,
        problems=(404, 422),
    ),
)
"""In the order of the documentation."""

DEADLINE_HANDLERS: Final[dict[str, Callable[[Call], Awaitable[Reply]]]] = {
    "list_deadline_profiles": list_profiles,
    "list_deadline_calendars": list_calendars,
    "reckon_due": reckon_due,
}
"""By operation id."""

"""Deadlines: legal time limits, calendars of working days, and when something is due."""

from collections.abc import Sequence
from datetime import datetime

from atesta_client.answers import CalendarView, DueAnswer, Page, ProfileView
from atesta_client.requests.parts import HappeningItem
from atesta_client.requests.request import Request, list_page, send


def list_deadline_profiles() -> Request[Page[ProfileView]]:
    """List the time limits that requests may name."""
    return list_page(ProfileView, "/deadlines/profiles", {})


def list_deadline_calendars() -> Request[Page[CalendarView]]:
    """List the calendars of working days."""
    return list_page(CalendarView, "/deadlines/calendars", {})


def reckon_due(
    *,
    profile: str,
    started: datetime,
    happenings: Sequence[HappeningItem] = (),
    known_at: datetime | None = None,
) -> Request[DueAnswer]:
    """Ask when a case is due, and how that comes about.

    - ``profile``: which time limit;
    - ``started``: when it began;
    - ``happenings``: what happened since, in order;
    - ``known_at``: reckon with what was known then: calendars, profiles, closures.
    """
    body = {
        "profile": profile,
        "started": started,
        "happenings": happenings,
        "known_at": known_at,
    }
    return send(DueAnswer, "POST", "/deadlines/due", body)

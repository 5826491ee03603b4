"""Times as their reader wants them: in which zone, and by which clock.

What the person chose comes first. Else the browser names its zone in a cookie (static/page.js); else it is UTC, and
24 hours.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from accounts.models import User
from accounts.models.preferences import Clock

COOKIE = "timezone"

_has_half_days: ContextVar[bool] = ContextVar("has_half_days", default=False)

has_half_days: Callable[[], bool] = _has_half_days.get
"""Whether times are written by the 12-hour clock."""


class ZoneMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith("/api/"):  # writes UTC to everybody
            return self.get_response(request)
        person = request.user
        clock = person.clock if isinstance(person, User) else Clock.HOURS_24
        with timezone.override(zone_of(request, person)), clocked(clock):
            return self.get_response(request)


def zone_of(request: HttpRequest, person: User | AnonymousUser) -> ZoneInfo | None:
    """The zone that the person chose, else the one the browser named; None for none."""
    return _zone(getattr(person, "time_zone", "")) or _zone(request.COOKIES.get(COOKIE, ""))


@contextmanager
def clocked(clock: str) -> Iterator[None]:
    """Times are written by that clock inside, whatever other requests do meanwhile."""
    token = _has_half_days.set(clock == Clock.HOURS_12)
    try:
        yield
    finally:
        _has_half_days.reset(token)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # no such zone, or none any more
        return None

"""How pages write moments, numbers and ids."""

from datetime import date, datetime
from functools import lru_cache

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from accounts.ids import short
from config.storage.counting import AtLeast
from config.storage.moments import now
from config.zone import has_half_days
from conversations.models.queries import COUNTED

register = template.Library()


@register.filter
def ago(moment: datetime) -> str:
    """A moment as a list shows it: ``4 min``, ``2 h``, ``yesterday``, then its date."""
    return _ago(timezone.localtime(moment), timezone.localtime(now()))


@register.filter
def when(moment: datetime) -> SafeString:
    """A ``<time>`` that says how long ago, and the exact moment on hover. A list has one a row."""
    zone = timezone.get_current_timezone()
    local, today = moment.astimezone(zone), now().astimezone(zone)
    html = f'<time datetime="{machine(moment)}" title="{_full(local)}">{_ago(local, today)}</time>'
    return mark_safe(html)  # noqa: S308 - digits, and names of days, months and zones


def _ago(local: datetime, today: datetime) -> str:
    minutes = int((today - local).total_seconds() // 60)
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min"
    if local.date() == today.date() or minutes < 6 * 60:
        return f"{minutes // 60} h"
    days = (today.date() - local.date()).days
    if days == 1:
        return "yesterday"
    if days < 7:
        return f"{date_format(local, 'D')} {_time(local)}"
    return _day(local.date(), get_language(), with_year=local.year != today.year)


@register.filter
def exact(moment: datetime) -> str:
    """A moment in full, with its zone: ``Thu 12 March 2026, 14:02:11 UTC``."""
    return _full(timezone.localtime(moment))


@register.filter
def machine(moment: datetime) -> str:
    """A moment for the ``datetime`` attribute."""
    return moment.isoformat(timespec="milliseconds")


@register.filter
def many(number: int) -> str:
    """A count in a tab: exact to 10,000, then ``10k+``; ``120+`` where counting stopped earlier."""
    if number > COUNTED:
        return "10k+"
    if isinstance(number, AtLeast):
        return f"{number:,}+" if number else "…"
    return f"{number:,}"


@register.filter
def short_id(value: str) -> str:
    return short(value)


@register.filter
def number(value: int) -> str:
    return f"{value:,}"


@register.filter
def day(moment: datetime) -> str:
    """A moment's date, without the year where it is this one: ``12 Mar``."""
    local, today = timezone.localtime(moment), timezone.localtime(now())
    return _day(local.date(), get_language(), with_year=local.year != today.year)


@register.filter
def clock(moment: datetime) -> str:
    """A moment's time of day: ``14:02``, or ``2:02 PM`` for who wants that."""
    return _time(timezone.localtime(moment))


@register.filter
def stamp(moment: datetime) -> SafeString:
    """A ``<time>`` that shows the clock. In one piece and without date_format: a thread has thousands of them."""
    local = timezone.localtime(moment)
    html = f'<time datetime="{machine(moment)}" title="{_full(local)}">{_time(local)}</time>'
    return mark_safe(html)  # noqa: S308 - digits, and names of days, months and zones


@lru_cache(maxsize=1024)
def _day(local: date, language: str | None, *, with_year: bool) -> str:
    return date_format(local, "j M Y" if with_year else "j M")


def _time(local: datetime) -> str:
    if has_half_days():
        return f"{local.hour % 12 or 12}:{local:%M} {'AM' if local.hour < 12 else 'PM'}"
    return f"{local:%H:%M}"


def _full(local: datetime) -> str:
    if has_half_days():
        half = "AM" if local.hour < 12 else "PM"
        return f"{local:%a} {local.day} {local:%B %Y}, {local.hour % 12 or 12}:{local:%M:%S} {half} {local:%Z}"
    return f"{local:%a} {local.day} {local:%B %Y, %H:%M:%S %Z}"

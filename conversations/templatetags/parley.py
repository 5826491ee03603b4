"""How pages write moments, numbers and ids."""

from datetime import date, datetime, timedelta

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from accounts.ids import short
from config import formats
from config.formats import grouped
from config.storage.counting import AtLeast
from config.storage.moments import now
from config.zone import has_half_days
from conversations.highlight import marked
from conversations.models.queries import COUNTED

register = template.Library()


@register.simple_tag
def all_languages() -> list[tuple[str, str]]:
    """Each by its own name, where Django's own tag says ``Inglés``: whoever looks for it reads that language."""
    return settings.LANGUAGES


@register.filter
def ago(moment: datetime) -> str:
    """A moment as a list shows it: ``4 min``, ``2 h``, ``yesterday``, then its date."""
    present = now()
    return _ago(timezone.localtime(moment), timezone.localtime(present), present - moment)


@register.filter
def when(moment: datetime) -> SafeString:
    """A ``<time>`` that says how long ago, and the exact moment on hover. A list has one a row."""
    zone = timezone.get_current_timezone()
    present = now()
    local, today = moment.astimezone(zone), present.astimezone(zone)
    html = f'<time datetime="{machine(moment)}" title="{_full(local)}">{_ago(local, today, present - moment)}</time>'
    return mark_safe(html)  # noqa: S308 - digits, and names of days, months and zones


def _ago(local: datetime, today: datetime, passed: timedelta) -> str:
    """``passed`` is not the difference of the other two, which forgets that the zone's clock may have been changed."""
    minutes = passed // timedelta(minutes=1)
    known = formats.words()
    if minutes < 1:
        return known.now
    if minutes < 60:
        return known.minutes % minutes
    if local.date() == today.date() or minutes < 6 * 60:
        return known.hours % (minutes // 60)
    days = (today.date() - local.date()).days
    if days == 1:
        return known.yesterday
    if days < 7:
        return f"{known.weekdays_short[local.weekday()]} {_time(local)}"
    return formats.short_date(local.date(), with_year=local.year != today.year)


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
        return f"{grouped(number)}+" if number else "…"
    return grouped(number)


@register.filter
def in_order(text: str) -> SafeString:
    """A text whose phones keep their order between words that are written from right to left."""
    return marked(text, [])


@register.filter
def short_id(value: str) -> str:
    return short(value)


@register.filter
def number(value: int) -> str:
    return grouped(value)


@register.filter
def day(moment: datetime) -> str:
    """A moment's date, without the year where it is this one: ``12 Mar``."""
    local, today = timezone.localtime(moment), timezone.localtime(now())
    return formats.short_date(local.date(), with_year=local.year != today.year)


@register.filter
def short_date(moment: datetime) -> str:
    """A moment's date: ``12 Mar 2026``."""
    return formats.short_date(timezone.localtime(moment).date())


@register.filter
def long_date(day: date) -> str:
    """``Thursday 12 March 2026``."""
    return formats.long_date(day)


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


def _time(local: datetime, pattern: str = "%H:%M") -> str:
    if not has_half_days():
        return f"{local:{pattern}}"
    known = formats.words()
    time = f"{local.hour % 12 or 12}{local:{pattern.removeprefix('%H')}}"
    return known.clock_12.format(time=time, half=known.am if local.hour < 12 else known.pm)


def _full(local: datetime) -> str:
    known = formats.words()
    return known.moment.format(
        weekday=known.weekdays_short[local.weekday()],
        day=local.day,
        month=known.months[local.month],
        year=local.year,
        time=_time(local, "%H:%M:%S"),
        zone=local.tzname(),
    )

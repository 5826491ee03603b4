"""How a person wants the dashboard."""

from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.validators import EachIn


class Theme(models.TextChoices):
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class Clock(models.TextChoices):
    HOURS_24 = "24", _("24-hour (14:05)")
    HOURS_12 = "12", _("12-hour (2:05 PM)")


class Density(models.TextChoices):
    COMFORTABLE = "comfortable", _("Comfortable")
    COMPACT = "compact", _("Compact")


class Column(models.TextChoices):
    """What a list of conversations can show beside the lead, in the order it shows them."""

    CHANNEL = "channel", _("Channel")
    STATUS = "status", _("Status")
    STAGE = "stage", _("Stage")
    QUALIFIED = "qualified", _("Qualified")
    AGENT = "agent", _("Agent")
    CAMPAIGN = "campaign", _("Campaign")
    LAST_MESSAGE = "last_message", _("Last message")
    MESSAGES = "messages", _("Messages")
    STARTED = "started", _("Started")
    UPDATED = "updated", _("Last activity")


DEFAULT_COLUMNS = (
    Column.CHANNEL,
    Column.STATUS,
    Column.STAGE,
    Column.QUALIFIED,
    Column.LAST_MESSAGE,
    Column.UPDATED,
)


def known_zones() -> set[str]:
    """Without two files that lie among zones on some machines: this machine's own zone, and the lack of one."""
    return available_timezones() - {"localtime", "Factory"}


def validate_zone(name: str) -> None:
    if name not in known_zones():
        raise ValidationError(_("Is not a time zone, such as America/Sao_Paulo."))


def is_offered(language: str) -> bool:
    return any(language == code for code, _name in settings.LANGUAGES)


def validate_language(code: str) -> None:
    if not is_offered(code):
        raise ValidationError(_("Is not a language that Parley speaks."))


def default_columns() -> list[str]:
    return list(map(str, DEFAULT_COLUMNS))


class Preferences(models.Model):
    """Fields of the person, who is read on every page anyway. What is empty, the browser decides."""

    language = models.CharField(max_length=10, blank=True, validators=[validate_language])
    time_zone = models.CharField(max_length=64, blank=True, validators=[validate_zone])
    theme = models.CharField(max_length=5, choices=Theme.choices, blank=True)
    clock = models.CharField(max_length=2, choices=Clock.choices, default=Clock.HOURS_24)
    density = models.CharField(max_length=11, choices=Density.choices, default=Density.COMFORTABLE)
    shortcuts = models.BooleanField(_("keyboard shortcuts"), default=True)
    columns = models.JSONField(default=default_columns, blank=True, validators=[EachIn(Column)])

    class Meta:
        abstract = True

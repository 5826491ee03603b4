"""How a person wants the dashboard."""

from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models

from accounts.validators import EachIn


class Theme(models.TextChoices):
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class Clock(models.TextChoices):
    HOURS_24 = "24", "24-hour (14:05)"
    HOURS_12 = "12", "12-hour (2:05 PM)"


class Density(models.TextChoices):
    COMFORTABLE = "comfortable", "Comfortable"
    COMPACT = "compact", "Compact"


class Column(models.TextChoices):
    """What a list of conversations can show beside the lead, in the order it shows them."""

    CHANNEL = "channel", "Channel"
    STATUS = "status", "Status"
    STAGE = "stage", "Stage"
    QUALIFIED = "qualified", "Qualified"
    AGENT = "agent", "Agent"
    CAMPAIGN = "campaign", "Campaign"
    LAST_MESSAGE = "last_message", "Last message"
    MESSAGES = "messages", "Messages"
    STARTED = "started", "Started"
    UPDATED = "updated", "Last activity"


DEFAULT_COLUMNS = (
    Column.CHANNEL,
    Column.STATUS,
    Column.STAGE,
    Column.QUALIFIED,
    Column.LAST_MESSAGE,
    Column.UPDATED,
)


def validate_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError("Is not a time zone, such as America/Sao_Paulo.")


def default_columns() -> list[str]:
    return list(map(str, DEFAULT_COLUMNS))


class Preferences(models.Model):
    """Fields of the person, who is read on every page anyway. What is empty, the browser decides."""

    time_zone = models.CharField(max_length=64, blank=True, validators=[validate_zone])
    theme = models.CharField(max_length=5, choices=Theme.choices, blank=True)
    clock = models.CharField(max_length=2, choices=Clock.choices, default=Clock.HOURS_24)
    density = models.CharField(max_length=11, choices=Density.choices, default=Density.COMFORTABLE)
    shortcuts = models.BooleanField("keyboard shortcuts", default=True)
    columns = models.JSONField(default=default_columns, blank=True, validators=[EachIn(Column)])

    class Meta:
        abstract = True

"""Moments as every store keeps them: UTC, to the millisecond."""

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """The present, to the millisecond: the precision of the wire and of MongoDB's dates."""
    return to_milliseconds(timezone.now())


def to_milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

"""Components that a list repeats: rendered from their templates once, not once a row."""

from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from conversations.models import Channel, Status

register = template.Library()

QUALIFIED = {True: "Qualified", False: "Not qualified", None: "Not decided yet"}


@lru_cache(maxsize=256)
def component(name: str, value: object, label: str) -> SafeString:
    html = render_to_string(f"components/{name}.html", {"value": value, "label": label})
    return mark_safe(" ".join(html.split()))  # noqa: S308 - a template's, which escapes


@register.filter
def pill(status: str) -> SafeString:
    """A status as word, icon and colour."""
    return component("pill", status, str(Status(status).label) if status in Status.values else status)


@register.filter
def channel(value: str) -> SafeString:
    return component("channel", value, str(Channel(value).label) if value in Channel.values else value)


@register.filter
def qualified(value: bool | None) -> SafeString:
    return component("qualified", value, QUALIFIED[value])

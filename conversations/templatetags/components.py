"""Components that a list repeats: rendered from their templates once, not once a row."""

from datetime import datetime
from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from conversations.models import Channel, Status
from conversations.templatetags.parley import ago, exact, machine

register = template.Library()


@lru_cache(maxsize=256)
def _rendered(name: str, value: object, label: str, language: str | None) -> SafeString:
    html = render_to_string(f"components/{name}.html", {"value": value, "label": label})
    return mark_safe(" ".join(html.split()))  # noqa: S308 - a template's, which escapes


def component(name: str, value: object, label: str = "") -> SafeString:
    return _rendered(name, value, label, get_language())


@register.filter
def pill(status: str) -> SafeString:
    """A status as word, icon and colour."""
    return component("pill", status, str(Status(status).label) if status in Status.values else status)


@register.filter
def channel(value: str) -> SafeString:
    return component("channel", value, str(Channel(value).label) if value in Channel.values else value)


@register.filter
def qualified(value: bool | None) -> SafeString:
    return component("qualified", value)


@register.filter
def when(moment: datetime) -> SafeString:
    """A ``<time>`` that says how long ago, and the exact moment on hover."""
    return format_html('<time datetime="{}" title="{}">{}</time>', machine(moment), exact(moment), ago(moment))

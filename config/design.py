"""``/design/``: the stylesheet's tokens and components in every state and both themes. While developing only."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

COLOURS = {
    _("Ground"): ("canvas", "surface", "raised", "hover", "line", "line-strong", "text", "muted"),
    _("Accent"): ("accent", "accent-strong", "accent-soft", "on-accent", "mark", "mark-text"),
    _("Status"): (
        "active", "active-soft", "completed", "completed-soft", "handed-off", "handed-off-soft", "dropped",
        "dropped-soft",
    ),
    _("Warnings and people"): ("bad", "bad-soft", "test", "on-test", "human", "human-soft"),
}  # fmt: skip
"""Tokens of the stylesheet by what they are for."""

SECTIONS = {
    _("Type"): "type",
    _("Controls"): "controls",
    _("Fields"): "fields",
    _("States"): "states",
    _("Moving about"): "navigation",
    _("Telling"): "telling",
    _("Rows"): "rows",
    _("Transcript"): "transcript",
}
"""Title → its template under ``design/``."""

WIDE = {"rows"}
"""Sections whose themes stand below each other."""


@require_safe
@login_not_required
def design(request: HttpRequest) -> HttpResponse:
    if not settings.DEBUG:
        raise Http404
    sections = [(title, f"design/_{name}.html", name in WIDE) for title, name in SECTIONS.items()]
    context = {"colours": COLOURS, "sections": sections, "themes": ("light", "dark")}
    return render(request, "design.html", context)

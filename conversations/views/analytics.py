"""Figures, charts and tables: what came of the conversations of a period."""

from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import tables
from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from config.formats import FILE_LANGUAGE
from config.storage.moments import now
from conversations.analytics.asked import FILTERS, Asked
from conversations.analytics.numbers import FEW, Links
from conversations.analytics.period import BadPeriod, Period
from conversations.analytics.report import Report, report
from conversations.analytics.sheets import SHEETS
from conversations.analytics.started import Started
from conversations.filters import PageFilter
from conversations.names import Names

AGENTS_SHOWN = 12
AGENTS_BEHIND = 100
"""And so many more that are a click away; the file has all."""


@require_safe
@scope_required(Scope.DASHBOARD_VIEW)
def analytics(request: AccountRequest) -> HttpResponseBase:
    """``csv`` names one of the page's tables to download. What cannot be counted leads to the page, which says why."""
    asked, names = Asked.read(request.GET), Names.of(request.account, request.environment)
    filterset = PageFilter(asked.filters, request.account.conversations.none(), request=request)  # for its faults
    faults = {str(FILTERS[name]): list(texts) for name, texts in filterset.errors.items()}
    period = None
    try:
        period = Period.read(asked.values, now())
    except BadPeriod as error:
        faults[_("Period")] = [str(error)]
    sheet = request.GET.get("csv", "")
    found = None
    # Programs read the files: they are the same in every language.
    with translation.override(FILE_LANGUAGE if sheet else translation.get_language()):
        if period and not faults:
            links = Links(asked.within(period), may_read=request.membership.has_scope(Scope.CONVERSATIONS_VIEW))
            owner = (request.account.pk, str(request.environment))
            found = report(Started(owner, asked.narrowed), period, names, links)
        if sheet:
            return _sheet(request, sheet, found, asked)
    return render(request, "analytics/page.html", _context(asked, names, period, found, faults))


def _context(
    asked: Asked, names: Names, period: Period | None, found: Report | None, faults: dict[str, list[str]]
) -> dict[str, Any]:
    agents = found.agents if found else []
    return {
        "asked": asked,
        "period": period,
        "zone": timezone.get_current_timezone_name(),
        "errors": faults,
        "period_errors": period is None,
        "fields": asked.fields(names),
        "chips": asked.chips(names, period),
        "clear_link": asked.clear_link,
        "longest_link": asked.link(**{"from": "", "to": "", "range": "90d"}),
        "report": found,
        "agents": agents[:AGENTS_SHOWN],
        "more_agents": agents[AGENTS_SHOWN : AGENTS_SHOWN + AGENTS_BEHIND],
        "agents_left_out": len(agents[AGENTS_SHOWN + AGENTS_BEHIND :]),
        "few": FEW,
        "csv_link": f"{asked.link()}{'&' if asked.values else '?'}csv=",
    }


def _sheet(request: AccountRequest, name: str, found: Report | None, asked: Asked) -> HttpResponseBase:
    if found is None or name not in SHEETS:
        return redirect(asked.link())
    header, rows = SHEETS[name](found)
    pieces = tables.separated(header, rows)
    return tables.download(request, pieces, content_type=tables.CSV, name=f"analytics-{name}.csv")

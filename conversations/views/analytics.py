"""Figures, charts and tables: what came of the conversations of a period, and what was said last in them."""

from dataclasses import dataclass
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
from config.storage.moments import now, parse_moment
from conversations.analytics.asked import FILTERS, Asked, AskedLastWords
from conversations.analytics.last_words import LastWords, last_words
from conversations.analytics.lines import MOST_COMMON
from conversations.analytics.numbers import FEW, Links
from conversations.analytics.period import BadPeriod, Period
from conversations.analytics.report import report
from conversations.analytics.said import LOOKED_AT
from conversations.analytics.sheets import LINES, SHEETS, Sheet, lines_sheet
from conversations.analytics.started import Started
from conversations.filters import PageFilter
from conversations.names import Names

AGENTS_SHOWN = 12
AGENTS_BEHIND = 100
"""And so many more that are a click away; the file has all."""

LINES_SHOWN = 20
LINES_BEHIND = 80


@dataclass(frozen=True)
class Question:
    """What a page of figures is asked for, and why that cannot be counted, if it cannot: then nothing is."""

    asked: Asked
    names: Names
    period: Period | None
    faults: dict[str, list[str]]
    sheet: str
    """The table to download, if one is asked for."""
    started: Started
    links: Links

    @classmethod
    def read(cls, request: AccountRequest, asked: Asked) -> "Question":
        filterset = PageFilter(asked.filters, request.account.conversations.none(), request=request)  # for its faults
        faults = {str(FILTERS[name]): list(texts) for name, texts in filterset.errors.items()}
        period = None
        try:
            period = Period.read(asked.values, now())
        except BadPeriod as error:
            faults[_("Period")] = [str(error)]
        within = asked.within(period) if period else {}
        return cls(
            asked,
            Names.of(request.account, request.environment),
            period,
            faults,
            request.GET.get("csv", ""),
            Started((request.account.pk, str(request.environment)), asked.narrowed),
            Links(within, may_read=request.membership.has_scope(Scope.CONVERSATIONS_VIEW)),
        )

    @property
    def language(self) -> Any:
        """Programs read the files: they are the same in every language."""
        return translation.override(FILE_LANGUAGE if self.sheet else translation.get_language())

    @property
    def context(self) -> dict[str, Any]:
        asked = self.asked
        return {
            "asked": asked,
            "period": self.period,
            "zone": timezone.get_current_timezone_name(),
            "errors": self.faults,
            "period_errors": self.period is None,
            "fields": asked.fields(self.names),
            "chips": asked.chips(self.names, self.period),
            "clear_link": asked.clear_link,
            "longest_link": asked.link(**{"from": "", "to": "", "range": "90d"}),
            "csv_link": f"{asked.link()}{'&' if asked.values else '?'}csv=",
        }

    def file(self, request: AccountRequest, sheet: Sheet | None) -> HttpResponseBase:
        """What cannot be counted leads to the page, which says why."""
        if sheet is None:
            return redirect(self.asked.link())
        pieces = tables.separated(*sheet)
        return tables.download(request, pieces, content_type=tables.CSV, name=f"analytics-{self.sheet}.csv")


@require_safe
@scope_required(Scope.DASHBOARD_VIEW)
def analytics(request: AccountRequest) -> HttpResponseBase:
    """``csv`` names one of the page's tables to download."""
    question = Question.read(request, Asked.read(request.GET))
    found = None
    with question.language:
        if question.period and not question.faults:
            found = report(question.started, question.period, question.names, question.links)
        if question.sheet:
            write = SHEETS.get(question.sheet)
            return question.file(request, write(found) if write and found else None)
    agents = found.agents if found else []
    shown = {
        "report": found,
        "agents": agents[:AGENTS_SHOWN],
        "more_agents": agents[AGENTS_SHOWN : AGENTS_SHOWN + AGENTS_BEHIND],
        "agents_left_out": len(agents[AGENTS_SHOWN + AGENTS_BEHIND :]),
        "few": FEW,
        "last_words_link": AskedLastWords(question.asked.values).link(),
    }
    return render(request, "analytics/page.html", question.context | shown)


@require_safe
@scope_required(Scope.CONVERSATIONS_VIEW)
def last_words_page(request: AccountRequest) -> HttpResponseBase:
    """The agent's lines after which leads fell silent. ``csv``: all of them as a file."""
    question = Question.read(request, AskedLastWords.read(request.GET))
    most = LOOKED_AT if question.sheet else LINES_SHOWN + LINES_BEHIND
    found: LastWords | None = None
    with question.language:
        if question.period and not question.faults:
            found = last_words(
                question.started,
                question.period,
                question.names,
                question.links,
                is_masked=request.account.masks_contacts,
                most=most,
            )
        if question.sheet:
            return question.file(request, lines_sheet(found) if found and question.sheet == LINES else None)
    lines = found.lines if found else []
    shown = {
        "found": found,
        "since": parse_moment(found.since) if found and found.since else None,
        "lines": lines[:LINES_SHOWN],
        "more_lines": lines[LINES_SHOWN:],
        "most": LOOKED_AT,
        "characters": MOST_COMMON,
        "analytics_link": Asked(question.asked.values).link(),
    }
    return render(request, "analytics/last_words.html", question.context | shown)

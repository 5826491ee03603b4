"""What people call agents, their stages and campaigns: one page to read, one form for each."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from config.storage.fields import find
from conversations.forms import AgentForm, CampaignForm
from conversations.models.naming import Named, NamedQuerySet
from conversations.names import Names


@require_safe
@scope_required(Scope.CONVERSATIONS_VIEW)
def names(request: AccountRequest) -> HttpResponse:
    known = Names.of(request.account, request.environment)
    context = {
        "agents": _unnamed_first(known.agents.values()),
        "campaigns": _unnamed_first(known.campaigns.values()),
        "may_rename": request.membership.has_scope(Scope.CONVERSATIONS_EDIT),
        "scope": Scope.CONVERSATIONS_EDIT,
    }
    return render(request, "settings/names.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@scope_required(Scope.CONVERSATIONS_EDIT)
def name_agent(request: AccountRequest, pk: str) -> HttpResponse:
    """An agent's name, and those of its stages."""
    return _name(request, request.account.agents.all(), pk, AgentForm)


@require_http_methods(["GET", "HEAD", "POST"])
@scope_required(Scope.CONVERSATIONS_EDIT)
def name_campaign(request: AccountRequest, pk: str) -> HttpResponse:
    return _name(request, request.account.campaigns.all(), pk, CampaignForm)


def _name(request: AccountRequest, queryset: NamedQuerySet, pk: str, form_class: Any) -> HttpResponse:
    named = find(queryset.within(request.environment), pk)
    if named is None:
        raise Http404
    is_agent = form_class is AgentForm
    unnamed = _("Name agent %s") if is_agent else _("Name campaign %s")
    title = (_("Rename %s") if named.name else unnamed) % named
    form = form_class(request.POST if request.method == "POST" else None, instance=named)
    if form.is_valid():
        named.rename(by=request.user, **form.changes())
        messages.success(request, _("%s was saved.") % named)
        return redirect(f"{reverse('names:list')}#{named._meta.model_name}-{named.pk}")
    context = {"form": form, "named": named, "title": title, "kind": named._meta.model_name}
    return render(request, "settings/name.html", context, status=400 if form.is_bound else 200)


def _unnamed_first(known: Iterable[Named]) -> list[Named]:
    return sorted(known, key=lambda named: (bool(named.name), named.name.casefold(), named.named_id))

"""How leads' data is shown and kept: who sees contacts masked, and when conversations are deleted."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from config.storage.moments import format_moment, now
from conversations import listing
from conversations.models import Status, several
from conversations.privacy_forms import MaskingForm, RetentionForm


@require_http_methods(["GET", "HEAD", "POST"])
@scope_required(Scope.TEAM_MANAGE)
def privacy(request: AccountRequest) -> HttpResponse:
    """``part`` says which of the two forms was sent."""
    account, environment = request.account, request.environment
    part = request.POST.get("part") if request.method == "POST" else ""
    kept: Any = cast(Any, account).retention_rules
    rules = {rule.status: rule for rule in kept.within(environment)}
    days = {status: rule.days for status, rule in rules.items()}
    masking = MaskingForm(request.POST if part == "masking" else None, roles=account.masked_roles)
    retention = RetentionForm(request.POST if part == "retention" else None, days=days)
    if masking.is_valid():
        account.mask_roles(masking.cleaned_data["roles"], by=request.user)
    elif retention.is_valid():
        kept.set_days(retention.cleaned_data, account=account, environment=environment, by=request.user)
    if masking.is_valid() or retention.is_valid():
        messages.success(request, _("Saved."))
        return redirect("privacy:settings")
    due = [_shown(rules[status].preview(now())) for status in Status.values if status in rules]
    context = {"masking": masking, "retention": retention, "due": due}
    return render(request, "settings/privacy.html", context, status=400 if request.method == "POST" else 200)


def _shown(due: Any) -> dict[str, Any]:
    """With the list of exactly these."""
    query = listing.Query({"status": due.rule.status, "updatedBefore": format_moment(due.before)})
    return {
        "label": several(due.rule.status),
        "days": due.rule.days,
        "number": due.number,
        "oldest": due.oldest,
        "link": query.link(),
    }

"""Changing many conversations at once: what is about to happen, the change, and its undoing."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from config.formats import grouped
from config.storage.fields import find, is_object_id
from conversations import listing
from conversations.models import CLOSED_STATUSES, MAX_CHANGED, BulkChange, ConversationQuerySet, Status

MAX_PICKED = 200
"""Conversations that can be ticked one by one: more do not fit into an address."""


@dataclass(frozen=True)
class Selection:
    """The conversations that were ticked, or all that the list shows, and the status they are to have."""

    query: listing.Query
    ids: list[str]
    is_all: bool
    status: str

    @classmethod
    def read(cls, data: QueryDict) -> "Selection":
        """Raises Http404 for what no form of ours sends."""
        ids = [pk for pk in data.getlist("id") if is_object_id(pk)]
        status = data.get("to", "")
        if status not in CLOSED_STATUSES or len(ids) > MAX_PICKED:
            raise Http404
        return cls(listing.Query.read(data), ids, bool(data.get("all")), status)

    def of(self, request: AccountRequest) -> ConversationQuerySet:
        conversations: ConversationQuerySet = request.account.conversations.within(request.environment)
        if not self.is_all:
            return conversations.picked(self.ids)
        filterset = self.query.filterset(request, conversations)
        if not filterset.is_valid():
            raise Http404
        return filterset.qs


@require_http_methods(["GET", "HEAD", "POST"])
@scope_required(Scope.CONVERSATIONS_CHANGE_STATUS)
def change_many(request: AccountRequest) -> HttpResponse:
    """GET says how many conversations it is about; POST changes them, if they are still as many."""
    selection = Selection.read(request.POST if request.method == "POST" else request.GET)
    chosen = selection.of(request)
    by_status = chosen.count_by_status()
    total = sum(by_status.values())
    already = by_status[selection.status]
    if not total:
        messages.info(request, _("No conversation was selected."))
        return redirect(selection.query.link())
    expected = request.POST.get("expected")
    if request.method == "POST" and expected == str(total - already):
        unread = _unread(request, chosen.exclude(status=selection.status))
        try:
            change = request.account.bulk_changes.change_status(
                chosen, selection.status, account=request.account, environment=request.environment, by=request.user
            )
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect(selection.query.link())
        # What one has done oneself is no news: who had read them has.
        request.user.read_marks.mark_all([pk for pk in change.before if pk not in unread], by=request.user)
        return redirect(with_parameter(selection.query.link(), "changed", change.pk))
    context = {
        "selection": selection,
        "label": Status(selection.status).label,
        "total": total,
        "already": already,
        "different": total - already,
        "too_many": total - already > MAX_CHANGED,
        "most": MAX_CHANGED,
        "from_active": by_status[Status.ACTIVE],
        "has_moved": request.method == "POST",
        "by_status": [(Status(status).label, status, number) for status, number in by_status.items() if number],
        "back": selection.query.link(),
    }
    return render(request, "conversations/bulk.html", context)


@require_POST
@scope_required(Scope.CONVERSATIONS_CHANGE_STATUS)
def undo_many(request: AccountRequest, pk: str) -> HttpResponse:
    change = own_change(request, pk)
    if change is None:
        raise Http404
    unread = _unread(request, request.account.conversations.within(request.environment).picked(change.before))
    number = change.undo(by=request.user)
    request.user.read_marks.mark_all([pk for pk in change.before if pk not in unread], by=request.user)
    left = change.number - number
    if number:
        text = ngettext("Undone: %s conversation as before.", "Undone: %s conversations as before.", number)
        more = ngettext("%s had been changed since.", "%s had been changed since.", left) if left else ""
        messages.success(request, " ".join([text % grouped(number), more and more % grouped(left)]).strip())
    else:
        messages.info(request, _("Nothing was left to undo."))
    return redirect(listing.Query.parse(request.POST.get("query", "").removeprefix("?")).link())


def _unread(request: AccountRequest, conversations: ConversationQuerySet) -> set[str]:
    seen_at = request.account.last_looks.moment_of(request.membership, request.environment)
    return set(conversations.order_by().unread_by(request.user, seen_at).values_list("pk", flat=True)[:MAX_CHANGED])


def own_change(request: AccountRequest, pk: str) -> BulkChange | None:
    """The person's change of that id, to be told of and undone."""
    change: BulkChange | None = find(request.account.bulk_changes.within(request.environment), pk)
    return change if change and change.user_id == request.user.pk else None


def with_parameter(link: str, name: str, value: str) -> str:
    return f"{link}{'&' if '?' in link else '?'}{name}={value}"

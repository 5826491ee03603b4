"""What is new: since a list was shown, and since a person has seen everything."""

from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from config.etags import conditional
from config.formats import grouped
from config.storage.moments import now, parse_moment
from conversations import listing


@require_safe
@scope_required(Scope.CONVERSATIONS_VIEW)
def conversation_news(request: AccountRequest) -> HttpResponseBase:
    """How many conversations of the list have changed after ``since``; 304 while that number stays.

    Its page asks every half minute, and says ``of`` which account and environment it shows: in another tab, the person
    may have gone on to another one.
    """
    if request.GET.get("of", (seen := f"{request.account.pk}.{request.environment}")) != seen:
        return JsonResponse({"error": "You look at another account or environment now."}, status=403)
    query = listing.Query.read(request.GET)
    filterset = query.filterset(request, request.account.conversations.within(request.environment))
    try:
        since = parse_moment(request.GET.get("since"))
    except ValueError as error:
        return JsonResponse({"error": f"since: {error}"}, status=400)
    if not filterset.is_valid():
        return JsonResponse({"error": _("The filters are not those of a list.")}, status=400)
    number = filterset.qs.updated_since(since).count()
    text = ngettext("%s new or changed conversation", "%s new or changed conversations", number) % grouped(number)
    return conditional(request, lambda: JsonResponse({"count": number, "text": text}), f"{number} {get_language()}")


@require_POST
@scope_required(Scope.CONVERSATIONS_VIEW)
def mark_seen(request: AccountRequest) -> HttpResponse:
    """Nothing up to ``until``, when the page was shown, is new to the person any more; then back to the list."""
    try:
        until = min(parse_moment(request.POST.get("until")), now())
    except ValueError:
        until = now()
    request.account.last_looks.mark_seen(request.membership, request.environment, until=until)
    return redirect(listing.Query.parse(request.POST.get("query", "").removeprefix("?")).link())

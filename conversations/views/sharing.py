"""The brief of one conversation for somebody who has no account here (``conversations.transcript.sharing``)."""

from typing import Any, cast

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import mail
from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from config.errors import bad_request, failure
from conversations.transcript.address import Address
from conversations.transcript.brief import brief_of
from conversations.transcript.page import Reading
from conversations.transcript.sharing import DAYS, Share
from conversations.views.transcript import conversation_of

KEY = "shared"
"""In the session: conversation → who shared it, and until when. The link itself is kept nowhere."""

MOST = 20
"""Links of a session; the oldest make room."""


@require_POST
@scope_required(Scope.CONVERSATIONS_CHANGE_STATUS)
def share_brief(request: AccountRequest, pk: str) -> HttpResponse:
    """For who may hand a conversation over. The link is shown this once."""
    conversation = conversation_of(request, pk, messages=False)
    days = request.POST.get("days", "")
    if days not in map(str, DAYS) or conversation.is_erased:
        return bad_request(request, ValueError("days"))
    share = Share.of(conversation, request.membership, int(days))
    conversation.share(days=int(days), by=request.user)
    context = {
        "conversation": conversation,
        "link": mail.link(reverse("open-shared-brief", args=[share.token])),
        "until": share.until,
        "brief_link": Address.read(pk, request.GET).link(route="brief"),
    }
    return render(request, "conversations/shared.html", context)


@login_not_required
@require_safe
def open_shared_brief(request: HttpRequest, token: str) -> HttpResponse:
    """The link. The page itself has no secret in its address, which browsers remember and pass on."""
    share = Share.of_token(token)
    if share is None:
        return _gone(request)
    opened: dict[str, Any] = request.session.get(KEY, {})
    opened.pop(share.conversation_id, None)
    request.session[KEY] = {**dict(list(opened.items())[1 - MOST :]), share.conversation_id: share.kept}
    return redirect("shared-brief", pk=share.conversation_id)


@login_not_required
@require_safe
def shared_brief(request: HttpRequest, pk: str) -> HttpResponse:
    share = Share.of_kept(pk, request.session.get(KEY, {}).get(pk))
    found = share and share.find()
    if not (share and found):
        return _gone(request)
    conversation, guest = found
    # A brief asks its reader for nothing else.
    reading = Reading(cast(AccountRequest, guest), conversation, Address.read(pk, QueryDict()))
    shown = {"is_shared": True, "shared_by": guest.account.name, "until": share.until}
    return render(request, "conversations/brief.html", brief_of(reading) | shown)


def _gone(request: HttpRequest) -> HttpResponse:
    title, advice = _("This link leads nowhere any more"), _("It has ended. Ask who sent it to you for a new one.")
    return failure(request, 404, "Not found", message=advice, title=title)

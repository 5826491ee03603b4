"""Coming into an account by an invitation. Looking at one never uses it up: mail programs look at links too."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.middleware import look_at
from accounts.models import Invitation, User
from accounts.models.invitation import InvitationGone
from accounts.scopes import Role
from accounts.team_forms import NAME_LENGTH, JoinForm

KEY = "invitation"
"""The digest of the invitation that was opened; the secret itself is kept nowhere."""


@login_not_required
def open_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The link in the mail. The page itself has no secret in its address, which browsers remember and pass on."""
    found = Invitation.of_token(token)
    if found:
        request.session[KEY] = found.digest
    else:
        request.session.pop(KEY, None)
    return redirect("invitation")


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest) -> HttpResponse:
    found = Invitation.of_digest(request.session.get(KEY, ""))
    if found is None:
        return _gone(request)
    try:
        if not isinstance(request.user, User):
            return _of_stranger(request, found)
        if request.user.email != found.email:
            return _of_another(request, found)
        return _of_person(request, found, request.user)
    except InvitationGone:  # used or withdrawn a moment ago
        return _gone(request)


def _of_person(request: HttpRequest, found: Invitation, person: User) -> HttpResponse:
    if request.method != "POST":
        return _page(request, found, "accept")
    found.accept(by=person)
    return _arrive(request, found)


def _of_another(request: HttpRequest, found: Invitation) -> HttpResponse:
    """Signed in, and not who is invited: nothing but to sign out, and to be here again."""
    if request.method != "POST":
        return _page(request, found, "another")
    logout(request)
    request.session[KEY] = found.digest
    return redirect("invitation")


def _of_stranger(request: HttpRequest, found: Invitation) -> HttpResponse:
    """Nobody is signed in. Who is known here signs in first; who is not becomes a person here."""
    sign_in = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': reverse('invitation')})}"
    if found.person:
        return redirect(sign_in) if request.method == "POST" else _page(request, found, "sign-in", sign_in=sign_in)
    form = JoinForm(request.POST if request.method == "POST" else None, email=found.email)
    if form.is_valid():
        try:
            person = found.join(**form.cleaned_data)
        except (ValidationError, IntegrityError):  # the same person at once, in another window
            return redirect("invitation")
        login(request, person, backend=settings.AUTHENTICATION_BACKENDS[0])
        return _arrive(request, found)
    return _page(request, found, "join", form=form, max_name_length=NAME_LENGTH, status=400 if form.is_bound else 200)


def _arrive(request: HttpRequest, found: Invitation) -> HttpResponse:
    request.session.pop(KEY, None)
    look_at(request, found.account)
    messages.success(request, _("Welcome to %(account)s.") % {"account": found.account.name})
    return redirect("home")


def _page(request: HttpRequest, found: Invitation, step: str, *, status: int = 200, **context: Any) -> HttpResponse:
    roles = [Role(role) for role in found.roles if role in Role.values]
    context |= {"invitation": found, "step": step, "roles": roles}
    return render(request, "accounts/invitation.html", context, status=status)


def _gone(request: HttpRequest) -> HttpResponse:
    """One page for what was used, withdrawn or replaced, has expired, or never was."""
    request.session.pop(KEY, None)
    return render(request, "accounts/invitation_gone.html", status=404)

"""The people of an account: who is in it, who is invited, and what each may do."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import mail
from accounts.middleware import look_at
from accounts.models import Invitation, Membership
from accounts.models.invitation import LIFETIME, InvitationGone, InvitationRefused
from accounts.models.key import ScopeNotHeld
from accounts.models.person import LAST_OWNER, LastOwner
from accounts.permissions import lacks, scope_required
from accounts.request import AccountRequest
from accounts.scopes import Role, Scope
from accounts.team_forms import InviteForm, RolesForm
from accounts.team_rows import invitations_of, keys_of, labels_of, members_of
from config.storage.fields import find


@require_safe
@scope_required(Scope.TEAM_VIEW)
def people(request: AccountRequest) -> HttpResponse:
    context = {
        "members": members_of(request.account, request.membership),
        "invitations": invitations_of(request.account, request.membership),
        "may_manage": request.membership.has_scope(Scope.TEAM_MANAGE),
        "scope": Scope.TEAM_MANAGE,
    }
    return render(request, "accounts/people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@scope_required(Scope.TEAM_MANAGE)
def invite(request: AccountRequest) -> HttpResponse:
    form = InviteForm(request.POST if request.method == "POST" else None, held=request.membership.scopes)
    if form.is_valid():
        try:
            invited = request.account.invitations.invite(account=request.account, by=request.user, **form.cleaned_data)
        except InvitationRefused as error:
            form.add_error("email", str(error))
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            return _send(request, *invited)
    return render(request, "accounts/invite.html", {"form": form}, status=400 if form.is_bound else 200)


@require_POST
@scope_required(Scope.TEAM_MANAGE)
def send_invitation(request: AccountRequest, pk: str) -> HttpResponse:
    """Once more, with another secret: the mail of before opens nothing any more."""
    invitation = _invitation(request, pk)
    if not invitation.may_be_sent:
        messages.info(request, _("It was sent a moment ago. Give the mail a minute to arrive."))
        return redirect("settings:people")
    try:
        return _send(request, invitation, invitation.send_again(by=request.user))
    except ScopeNotHeld as error:
        raise lacks(error.scope) from None
    except InvitationGone:
        raise Http404 from None


@require_POST
@scope_required(Scope.TEAM_MANAGE)
def withdraw_invitation(request: AccountRequest, pk: str) -> HttpResponse:
    """Taking away needs no more than the scope."""
    invitation = _invitation(request, pk)
    invitation.withdraw(by=request.user)
    text = _("The invitation of %(email)s is withdrawn. Its link opens nothing any more.")
    messages.success(request, text % {"email": invitation.email})
    return redirect("settings:people")


@require_http_methods(["GET", "HEAD", "POST"])
@scope_required(Scope.TEAM_MANAGE)
def change_roles(request: AccountRequest, pk: str) -> HttpResponse:
    member = _member(request, pk)
    _check_reach(request, member)
    is_sent = request.method == "POST"
    form = RolesForm(request.POST if is_sent else None, held=request.membership.scopes, roles=member.roles)
    if form.is_valid():
        try:
            member.change_roles(form.cleaned_data["roles"], by=request.user)
        except LastOwner:
            form.add_error("roles", str(LAST_OWNER))
        except ScopeNotHeld as error:
            raise lacks(error.scope) from None
        except Membership.DoesNotExist:  # removed by somebody else a moment ago
            raise Http404 from None
        else:
            roles = ", ".join(labels_of(member.roles))
            messages.success(request, _("%(name)s: %(roles)s.") % {"name": member.user, "roles": roles})
            return _to_list(member)
    context = {"form": form, "member": member, "is_self": member.user == request.user}
    return render(request, "accounts/roles.html", context, status=400 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@scope_required(Scope.TEAM_MANAGE)
def remove_member(request: AccountRequest, pk: str) -> HttpResponse:
    member = _member(request, pk)
    if member.user == request.user:
        return redirect("settings:leave")
    _check_reach(request, member)
    if request.method != "POST":
        return _ask(request, member)
    try:
        member.remove(by=request.user)
    except LastOwner:
        return _ask(request, member, status=400)
    except ScopeNotHeld as error:
        raise lacks(error.scope) from None
    except Membership.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("%(name)s is not in the team any more.") % {"name": member.user})
    return redirect("settings:people")


@require_http_methods(["GET", "HEAD", "POST"])
@scope_required(Scope.TEAM_VIEW)
def leave(request: AccountRequest) -> HttpResponse:
    """Everybody may go, except the last owner. The form names its account: another one is not left by mistake."""
    member = request.membership
    if request.method != "POST":
        return _ask(request, member)
    if request.POST.get("account") != request.account.pk:
        return redirect("settings:leave")
    try:
        member.remove(by=request.user)
    except LastOwner:
        return _ask(request, member, status=400)
    messages.success(request, _("You left %(name)s.") % {"name": request.account.name})
    remaining = [one for one in request.memberships if one.pk != member.pk]
    if remaining:
        look_at(request, remaining[0].account)
    return redirect("home")


def _member(request: AccountRequest, pk: str) -> Membership:
    """One of the account's. Another account's is as unknown as one that never was."""
    members = request.account.memberships.select_related("user")
    member = find(members, pk)
    if member is None:
        raise Http404
    return member


def _invitation(request: AccountRequest, pk: str) -> Invitation:
    found: Invitation | None = find(request.account.invitations, pk)
    if found is None:
        raise Http404
    return found


def _check_reach(request: AccountRequest, member: Membership) -> None:
    """Who holds more than oneself is not for oneself to change."""
    for scope in sorted(member.scopes - request.membership.scopes):
        raise lacks(scope)


def _to_list(member: Membership) -> HttpResponse:
    return redirect(f"{reverse('settings:people')}#member-{member.pk}")


def _ask(request: AccountRequest, member: Membership, *, status: int = 200) -> HttpResponse:
    """The page that asks whether to remove somebody or to leave; of the last owner, why that cannot be done."""
    context = {
        "member": member,
        "is_self": member.user == request.user,
        "why_not": LAST_OWNER if member.is_last_owner else "",
        "keys": keys_of(request.account, member.user),
        "roles": labels_of(member.roles),
    }
    return render(request, "accounts/remove_member.html", context, status=status)


def _send(request: AccountRequest, invitation: Invitation, token: str) -> HttpResponse:
    """The mail, and back to the list, which still has the invitation where the mail failed."""
    context: dict[str, Any] = {
        "inviter": f"{request.user.name} ({request.user.email})" if request.user.name else request.user.email,
        "account": request.account.name,
        "roles": [Role(role) for role in invitation.roles],
        "link": mail.link(reverse("open-invitation", args=[token])),
        "email": invitation.email,
        "days": LIFETIME.days,
    }
    about, person = {"email": invitation.email}, invitation.person
    try:
        mail.send("invitation", to=invitation.email, context=context, language=getattr(person, "language", ""))
    except mail.MailFailed:
        stays = _("The invitation of %(email)s stays below.") % about
        messages.error(request, f"{mail.FAILED} {stays}")
    else:
        invitation.mark_sent()
        if mail.goes_out():
            messages.success(request, _("%(email)s is invited, and has a mail with the link.") % about)
        else:
            text = _("%(email)s is invited. No mail server is set up: the mail is in the server’s own output.")
            if mail.is_filed():
                text = _("%(email)s is invited. No mail server is set up: the mail is a file on the server.")
            messages.warning(request, text % about)
    return redirect("settings:people")

"""Security: a person's password, second factor and sessions; and the pages of allauth that change them."""

from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as second_factor
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import own_page
from accounts.second_factor import factors_of
from accounts.sessions import end_every_session, end_session, sessions_of


@require_safe
@own_page
def security(request: HttpRequest) -> HttpResponse:
    context = {"sessions": sessions_of(request), **factors_of(request.user)}
    return render(request, "accounts/security.html", context)


@require_POST
@own_page
def sign_out_session(request: HttpRequest, pk: str) -> HttpResponse:
    if not end_session(request, pk):
        raise Http404
    if not request.user.is_authenticated:
        return redirect("account_login")
    messages.success(request, _("That session has ended."))
    return redirect("mfa_index")


@require_POST
@own_page
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    end_every_session(request)
    messages.success(request, _("You are signed out everywhere."))
    return redirect("account_login")


class PasswordChange(account.PasswordChangeView):
    """For who has none, because a provider signs them in, the way to one is a mail."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not request.user.has_usable_password():
            return redirect("account_reset_password")
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response


def _form(view: Any) -> Any:
    return require_http_methods(["GET", "HEAD", "POST"])(own_page(view))


change_password = _form(PasswordChange.as_view())
confirm_password = _form(account.reauthenticate)
confirm_code = _form(second_factor.reauthenticate)
add_authenticator = _form(totp.activate_totp)
remove_authenticator = _form(totp.deactivate_totp)
view_recovery_codes = require_safe(own_page(recovery_codes.view_recovery_codes))
new_recovery_codes = _form(recovery_codes.generate_recovery_codes)

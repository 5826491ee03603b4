"""How django-allauth works here: by e-mail, without sign-up, with our limits, words, mails and addresses."""

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.contrib import messages
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from accounts import guesses, later, mail, security_log
from accounts.devices import NO_ADDRESS, device_of
from accounts.encryption import cipher
from accounts.models import User
from accounts.models.person import normalize_email
from accounts.origin import current_origin

log = logging.getLogger(__name__)

WRONG = _("That e-mail and password do not match. Check both and try again.")
TOO_OFTEN = _("Too many attempts. Try again in a few minutes.")

SAID = {
    "account/messages/logged_out.txt": _("You are signed out."),
    "account/messages/password_changed.txt": _("Your password was changed. Your other sessions have ended."),
    "mfa/messages/totp_activated.txt": _("Your authenticator app is set up. From now on it is asked for at sign-in."),
    "mfa/messages/totp_deactivated.txt": _("The second factor is off. Your password alone signs you in."),
}
"""What people are told, by the name that allauth has for it. Of everything else they see for themselves."""


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": WRONG,
        "incorrect_code": _("That code is not right, or was used already. Wait for the next one and try again."),
        "incorrect_password": _("That is not your password."),
        "enter_current_password": _("That is not your present password."),
        "too_many_login_attempts": TOO_OFTEN,
        "rate_limited": TOO_OFTEN,
    }

    # Who signs in

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The person with that e-mail and password, if there is one. Raises ValidationError beyond the limit."""
        try:
            guess = guesses.guess(request, credentials.get("email", ""))
        except guesses.TooManyGuesses as refusal:
            later.do(security_log.guessed_too_often, credentials.get("email", ""))
            raise ValidationError(
                refusal.sentence, code="limited", params={"retry_after": refusal.retry_after}
            ) from None
        person = authenticate(request, **credentials)
        if person is not None:
            guess.was_right()
        return person

    def reauthenticate(self, user: Any, password: str) -> bool:
        return self.authenticate(self.request, email=user.email, password=password) == user

    def post_login(self, request: HttpRequest, user: Any, **details: Any) -> HttpResponse:
        response = super().post_login(request, user, **details)
        user.log("user.signed_in", by=user)
        guesses.know(response, user.email)
        return response

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        messages.error(request, WRONG)
        return redirect("account_login")

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    # Where from, and where to

    def get_client_ip(self, request: HttpRequest) -> str:
        return current_origin().address or NO_ADDRESS

    def is_safe_url(self, url: str) -> bool:
        return is_ours(self.request, url)

    def is_ajax(self, request: HttpRequest) -> bool:
        return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("mfa_index")

    def get_reset_password_from_key_url(self, key: str) -> str:
        uid, _dash, token = key.partition("-")
        return mail.link(reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token}))

    # What is said

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        if message_template == "account/messages/password_changed.txt" and not request.user.is_authenticated:
            return  # it was reset: the page says so
        if text := message or SAID.get(message_template or ""):
            messages.add_message(request, level, text, extra_tags)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """``account/email/password_changed`` is our mail ``password_changed``.

        Where it fails the page says nothing of it: it would tell strangers who has an account. The log does.
        """
        try:
            name, language = template_prefix.rpartition("/")[2], context["user"].language
            mail.send(name, to=email, context=context, language=language)
        except mail.MailFailed:
            log.warning("A person was not told by mail: %s", template_prefix)

    def send_notification_mail(
        self, template_prefix: str, user: Any, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        known = {
            "user": user,
            "device": device_of(self.get_http_user_agent(self.request)),
            "security_url": mail.link(reverse("mfa_index")),
        }
        super().send_notification_mail(template_prefix, user, {**known, **(context or {})}, user.email)


class MFAAdapter(DefaultMFAAdapter):
    """Secrets of the second factor are encrypted at rest, by the secret key."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
    }

    def encrypt(self, text: str) -> str:
        return cipher("second-factor").encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return cipher("second-factor").decrypt(encrypted_text.encode()).decode()


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """The provider says who somebody is; that they may come in is said here. Nothing of it is stored.

    People are found by the e-mail that the provider has verified, each time anew. It makes nobody, and changes nobody.
    """

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Raises ImmediateHttpResponse for whom there is no person, back to the sign-in page."""
        if sociallogin.state.get("process") != "login":
            raise _refused(request, _("That is not for signing in."))
        said = sociallogin.account.extra_data
        claims = said.get("userinfo") or said.get("id_token") or {}
        if "id_token" in said and said["id_token"].get("sub") != claims.get("sub"):
            raise _refused(request, _("The provider contradicted itself about who you are. Try again."))
        if claims.get("email_verified") not in (True, "true") or not isinstance(claims.get("email"), str):
            raise _refused(request, _("Your provider has not verified your e-mail address, so it cannot sign you in."))
        person = User.objects.filter(email=normalize_email(claims["email"]), is_active=True).first()
        if person is None:
            raise _refused(
                request, _("Nobody here has the e-mail address that your provider named. Ask an owner to invite you.")
            )
        sociallogin.user = person

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        if exception:
            log.warning("Single sign-on failed: %s", type(exception).__name__)
        raise _refused(request, _("Signing in there did not work, or was cancelled. Try again, or use your password."))


def is_ours(request: HttpRequest, target: str) -> bool:
    """Whether an address stays on this site: where somebody may be sent without being asked."""
    return url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )


def _refused(request: HttpRequest, why: Any) -> ImmediateHttpResponse:
    messages.error(request, why)
    return ImmediateHttpResponse(redirect("account_login"))

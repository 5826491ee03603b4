"""What people fill in to sign in."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm, ResetPasswordForm, default_token_generator
from allauth.account.internal.flows.password_reset import request_password_reset
from allauth.account.internal.userkit import filter_users_by_email
from django.core.exceptions import ValidationError

from accounts import later


class SignInForm(LoginForm):
    """Says the same of an unknown e-mail, a wrong password and a closed account."""

    @property
    def retry_after(self) -> int | None:
        """Seconds after which a password is looked at again; None where there was no limit in the way."""
        found = (error for error in self.errors.as_data().get("__all__", ()) if error.code == "limited")
        refusal: ValidationError | None = next(found, None)
        return refusal.params["retry_after"] if refusal and refusal.params else None


class ResetForm(ResetPasswordForm):
    """A mail with a link, for who is here. For everybody the request does the same: who that is, is asked later."""

    def clean_email(self) -> str:
        email: str = get_adapter().clean_email(self.cleaned_data["email"].lower())
        return email

    def save(self, request: Any, **kwargs: Any) -> str:
        email: str = self.cleaned_data["email"]
        later.do(_send_link, request, email)
        return email


def _send_link(request: Any, email: str) -> None:
    people = filter_users_by_email(email, is_active=True, prefer_verified=True, for_login=True)
    request_password_reset(request, email, people, default_token_generator)

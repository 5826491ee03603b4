"""What people do about their own signing in, in the log of each of their accounts. Receivers of allauth's signals."""

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.core.cache import cache

from accounts.models import User
from accounts.models.person import normalize_email

ONCE_IN = 300
"""Seconds: who guesses for hours must not fill the log."""


def connect() -> None:
    password_changed.connect(_password_changed)
    password_set.connect(_password_changed)
    password_reset.connect(_password_reset)
    authenticator_added.connect(_factor_added)
    authenticator_removed.connect(_factor_removed)
    authenticator_reset.connect(_factor_added)


def guessed_too_often(email: str) -> None:
    """Passwords of somebody who is here were guessed beyond the limit."""
    person = User.objects.filter(email=normalize_email(email)).first()
    if person and cache.add(f"guessed:{person.pk}", 1, ONCE_IN):
        person.log("user.sign_in_limited", by=None)


def _password_changed(user: User, **kwargs: Any) -> None:
    user.log("user.password_changed", by=user)


def _password_reset(user: User, **kwargs: Any) -> None:
    user.log("user.password_reset", by=user)


def _factor_added(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    is_app = authenticator.type == Authenticator.Type.TOTP
    user.log("user.second_factor_added" if is_app else "user.recovery_codes_made", by=user)


def _factor_removed(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:  # the codes go with it
        user.log("user.second_factor_removed", by=user)

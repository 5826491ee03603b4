"""The second factor of a person, and its codes: each is taken once, on every store."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.cache import cache
from django.utils.crypto import salted_hmac

from accounts.models import User
from config.storage.transaction import atomic

MOMENT = 120
"""Seconds for which a code is remembered that was sent: longer than any is good, which is for three steps of 30."""


def factors_of(user: Any) -> dict[str, Any]:
    """What a page tells of them: since when there is an app, and how many recovery codes are left."""
    found = {each.type: each for each in Authenticator.objects.filter(user=user)}
    codes = found.get(Authenticator.Type.RECOVERY_CODES)
    return {
        "authenticator": found.get(Authenticator.Type.TOTP),
        "codes_left": len(RecoveryCodes(codes).get_unused_codes()) if codes else 0,
    }


@atomic
def take_away(person: User, *, by: User) -> bool:
    """Without app and codes from now on, because they were lost; whether there were any."""
    had_any = bool(Authenticator.objects.filter(user=person).delete()[0])
    if had_any:
        person.log("user.second_factor_taken_away", by=by)
    return had_any


class _Once:
    """A code that was sent twice at the same moment is looked at once.

    allauth marks a recovery code as used under a lock of its row, which MongoDB does not have.
    """

    user: Any
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        digest = salted_hmac("accounts.second-factor", f"{self.user.pk}:{self.cleaned_data['code']}").hexdigest()
        if not cache.add(f"code:{digest}", 1, MOMENT):
            raise get_adapter().validation_error("incorrect_code")
        code: str = super().clean_code()  # type: ignore[misc]
        return code


class CodeForm(_Once, AuthenticateForm):
    """At sign-in."""


class ConfirmCodeForm(_Once, ReauthenticateForm):
    """To confirm who it is before something that matters."""

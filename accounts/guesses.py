"""How often somebody may guess a password.

A guess is counted before the password is looked at, and given back where it was right: so of a hundred at once exactly
as many are looked at as are left. It counts

* on its address: so that one client cannot try one password on everybody;
* and on the e-mail, whether or not anybody has it. All strangers share what may be guessed of one e-mail. A browser in
  which its person has signed in before is no stranger, and has guesses of its own: so whoever guesses from elsewhere,
  for as long as they like, keeps nobody out of the browser that they use.

Where the counters do not answer, nobody signs in: a broken limiter must not open the door.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models.person import normalize_email
from accounts.origin import current_origin
from accounts.throttling import milliseconds, network_of
from config.storage.counters import CountersUnavailable, Use, Window, counters
from config.storage.counters.window import LONGEST, SPAN

PER_EMAIL, PER_ADDRESS = 5, 20
"""Wrong passwords: of one e-mail in five minutes, and from one address (IPv6: /64) in one minute."""

COOKIE, SALT, YEAR = "known", "accounts.known-browser", 365 * 24 * 3600


class TooManyGuesses(Exception):
    """Not looked at; ``retry_after`` are seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after

    @property
    def sentence(self) -> str:
        """When to try again, for the person who reads it."""
        if self.retry_after <= 60:
            wait = ngettext("%(count)d second", "%(count)d seconds", self.retry_after) % {"count": self.retry_after}
        else:
            minutes = -(-self.retry_after // 60)
            wait = ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
        return _("Too many attempts. Nothing was checked; try again in %(wait)s.") % {"wait": wait}


@dataclass(frozen=True)
class Guess:
    """One that may be looked at."""

    uses: Sequence[Use]

    def was_right(self) -> None:
        """It does not count."""
        counters().give_back(self.uses)


def guess(request: HttpRequest, email: str) -> Guess:
    """Count one guess at the password of ``email``. Raises TooManyGuesses."""
    windows = [
        Window(f"sign-in:{_whose(request, email)}", PER_EMAIL, LONGEST),
        Window(f"sign-in:address:{network_of(current_origin().address)}", PER_ADDRESS, SPAN),
    ]
    try:
        uses = counters().take(windows, milliseconds())
    except CountersUnavailable:
        raise TooManyGuesses(retry_after=10) from None
    if not uses[-1].admitted:
        raise TooManyGuesses(uses[-1].retry_after)
    return Guess(uses)


def know(response: HttpResponseBase, email: str) -> None:
    """From now on this browser is no stranger to the person of ``email``."""
    value = signing.dumps([_digest(email), secrets.token_hex(8)], salt=SALT)
    secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(COOKIE, value, max_age=YEAR, httponly=True, samesite="Lax", secure=secure)


def _whose(request: Any, email: str) -> str:
    """Who guesses, in one word: a person who is signed in, a browser that is known, or all others together."""
    email = normalize_email(email)
    if request.user.is_authenticated and request.user.email == email:
        return f"person:{request.user.pk}"
    try:
        digest, browser = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=YEAR)
    except (signing.BadSignature, ValueError, TypeError):
        return f"stranger:{_digest(email)}"
    return f"browser:{browser}" if constant_time_compare(digest, _digest(email)) else f"stranger:{_digest(email)}"


def _digest(email: str) -> str:
    return salted_hmac(SALT, normalize_email(email), algorithm="sha256").hexdigest()[:32]

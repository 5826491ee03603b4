"""The language that a page is written in.

What the person chose comes first, then what somebody who is not signed in chose on the sign-in page, then what the
browser asks for. The API speaks English to everybody: its texts are part of its contract.
"""

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers

from accounts.models import User
from accounts.models.preferences import is_offered

API_LANGUAGE = "en"


class LanguageMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith("/api/"):
            if translation.get_language() == API_LANGUAGE:
                return self.get_response(request)
            with translation.override(API_LANGUAGE):
                return self.get_response(request)
        language = language_of(request, request.user)
        with translation.override(language):
            response = self.get_response(request)
        patch_vary_headers(response, ("Accept-Language",))
        response.headers.setdefault("Content-Language", language)
        return response


def language_of(request: HttpRequest, person: User | AnonymousUser) -> str:
    """Always one that is offered: what was chosen once may not be any more."""
    chosen = getattr(person, "language", "")
    return chosen if is_offered(chosen) else translation.get_language_from_request(request)

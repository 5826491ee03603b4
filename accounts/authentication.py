"""Who calls the API: the key in ``X-API-Key`` or ``Authorization: Bearer`` (contract, section 5)."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from accounts.models import ApiKey
from accounts.models.key import PREFIX

NO_KEY = "Authentication required. Provide an API key via X-API-Key header or Authorization: Bearer header."
BAD_KEY = "Invalid or expired API key"
SUSPENDED = "The account is suspended."


class ApiKeyAuthentication(BaseAuthentication):
    """``request.auth`` becomes the key; ``request.user`` stays anonymous, for a key is not a person."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        token = token_of(request)
        if token is None:
            return None
        key = ApiKey.objects.authenticate(token, getattr(request, "key_found", None))
        if key is None:
            raise AuthenticationFailed(BAD_KEY)
        if key.account.suspended_at:
            raise PermissionDenied(SUSPENDED)
        key.touch()
        key.account.masks_contacts = key.contacts_masked
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        """Makes DRF answer 401, where it would answer 403."""
        return "Bearer"


def token_of(request: HttpRequest | Request) -> str | None:
    """The key that was sent, whatever it is worth; None when none was."""
    if token := request.headers.get("X-API-Key", "").strip():
        return token
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token.startswith(f"{PREFIX}_") else None

"""The limit: a text of the same length, ready in memory, behind Parley's own key check. No middleware, no limits."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django
from django.conf import settings

django.setup()
settings.MIDDLEWARE = []  # now, for apps look for theirs while they are set up
settings.ROOT_URLCONF = __name__

from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

from accounts.authentication import token_of
from accounts.models import ApiKey

CONTENT = b"x" * int(os.environ["RIVAL_LENGTH"])


def constant(request: Any) -> HttpResponse:
    token = token_of(request)
    key = ApiKey.objects.authenticate(token) if token else None
    if key is None or not key.has_scope("conversations:view"):
        return HttpResponse(status=401)
    return HttpResponse(CONTENT, content_type="application/json")


urlpatterns = [path("api/conversations", constant)]
application = get_wsgi_application()

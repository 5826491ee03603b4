"""The WSGI application that granian serves."""

import gc
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from wsgiref.util import setup_testing_defaults

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponseBase

from config.turns import InTurn

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

pages = get_wsgi_application()


class ApiHandler(WSGIHandler):
    """Django's, with the middleware that the API needs: a request goes through half of them in half the time.

    The full list answers the same, and slower; a test compares the two.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        from django.conf import settings

        full, settings.MIDDLEWARE = settings.MIDDLEWARE, settings.API_MIDDLEWARE
        try:
            super().load_middleware(is_async)
        finally:
            settings.MIDDLEWARE = full


api = ApiHandler()
PAGES_OF_API = ("/api/docs", "/api/schema")


def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> HttpResponseBase:
    path = environ["PATH_INFO"]
    is_api = path.startswith("/api/") and not path.startswith(PAGES_OF_API)
    return (api if is_api else pages)(environ, start_response)


application = InTurn(answer) if connection.vendor == "sqlite" else answer


def warm_up() -> None:
    """Do what the first request would wait for: load the URLs with all that they import, and ask what requests ask."""
    from django.conf import settings

    from accounts.models import Account, ApiKey
    from config.access import NOBODY_ASKED
    from conversations import wire
    from conversations.models import Totals
    from conversations.ready import standing

    logging.disable()  # nobody was refused: there is no key yet
    for path in ("/healthz", "/api/conversations"):
        environ: dict[str, object] = {"PATH_INFO": path, "HTTP_HOST": settings.ALLOWED_HOSTS[0], NOBODY_ASKED: True}
        setup_testing_defaults(environ)
        application(environ, lambda *args: lambda data: None).close()
    logging.disable(logging.NOTSET)
    # A store that is not there, or not migrated yet, is said where it is asked for.
    with suppress(Exception):
        nobody = Account()
        ApiKey.objects.authenticate(f"nl_live_{64 * '0'}")
        standing(64 * "0")
        Totals.of(nobody, "live")
        for row in wire.first_rows(nobody.pk, "live", 1):
            wire.shown(row)
    gc.collect()
    gc.freeze()  # what is loaded now stays: nobody's request looks through it again


warm_up()

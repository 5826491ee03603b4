"""The WSGI application that granian serves."""

import os
from contextlib import suppress
from wsgiref.util import setup_testing_defaults

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()


def warm_up() -> None:
    """Load what the first request would wait for: the URLs with all that they import, and what requests ask often."""
    from django.conf import settings

    from accounts.models import Account, ApiKey
    from conversations import wire
    from conversations.models import Totals

    environ: dict[str, object] = {"PATH_INFO": "/healthz", "HTTP_HOST": settings.ALLOWED_HOSTS[0]}
    setup_testing_defaults(environ)
    application(environ, lambda *args: lambda data: None).close()
    # A store that is not there, or not migrated yet, is said where it is asked for.
    with suppress(Exception):
        nobody = Account()
        ApiKey.objects.authenticate(f"nl_live_{64 * '0'}")
        Totals.of(nobody, "live")
        for row in wire.first_rows(nobody.pk, "live", 1):
            wire.shown(row)


warm_up()

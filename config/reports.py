"""Reports of failures to Sentry, or to what speaks its protocol, where ``SENTRY_DSN`` is set.

A report is made of an entry of the log from ERROR on, or of what ends a command. Sentry's own integrations with Django
are left out: they wrap every request, and collect headers, addresses and bodies. What is sent is built here anew from
what is known to be harmless: so what a later release of the SDK adds stays here.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config import __version__

KEPT = ("event_id", "timestamp", "level", "platform", "release", "environment", "server_name", "logger", "sdk")
OF_A_FRAME = ("filename", "abs_path", "function", "module", "lineno", "in_app", "context_line")
"""And not ``vars``, the values of the moment; they are never collected either."""


def report_to(dsn: str) -> None:
    """From now on. Raises ImproperlyConfigured."""
    if find_spec("sentry_sdk") is None:
        raise ImproperlyConfigured(
            "SENTRY_DSN is set, but sentry-sdk is not installed. Run: ./requirements/install.sh sentry "
            "(or pip install 'parley[sentry]')"
        )
    import sentry_sdk
    from sentry_sdk.integrations.atexit import AtexitIntegration
    from sentry_sdk.integrations.dedupe import DedupeIntegration
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration
    from sentry_sdk.utils import BadDsn

    try:
        sentry_sdk.init(
            dsn,
            release=f"parley@{__version__}",
            send_default_pii=False,
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[
                LoggingIntegration(level=None),
                ExcepthookIntegration(),
                DedupeIntegration(),
                AtexitIntegration(callback=lambda pending, timeout: None),
            ],
            before_send=harmless,
        )
    except BadDsn as error:
        raise ImproperlyConfigured(f"SENTRY_DSN is malformed: {error}") from None


def harmless(event: Any, hint: dict[str, Any]) -> Any:
    """What may leave this machine of ``event``. Nothing where it is told twice: of an answer, and of why it is one."""
    from accounts.origin import current_origin
    from config.access import method_of
    from config.logs import cleaned, shown_path

    if event.get("logger") == "django.request" and not event.get("exception"):
        return None
    sent = {name: event[name] for name in KEPT if name in event}
    sent["tags"] = {"request_id": current_origin().request_id}
    if record := hint.get("log_record"):
        sent["logentry"] = {"formatted": cleaned(record.getMessage())}
        if request := getattr(record, "request", None):
            sent["tags"] |= {"method": method_of(request), "path": shown_path(request.path)}
    if raised := event.get("exception"):
        sent["exception"] = {"values": list(_raised(raised.get("values", ())))}
    return sent


def _raised(values: Any) -> Iterator[dict[str, Any]]:
    from config.logs import unquoted

    for value in values:
        frames = (value.get("stacktrace") or {}).get("frames", ())
        yield {
            "type": value.get("type"),
            "module": value.get("module"),
            "value": unquoted(str(value.get("value") or "")),
            "stacktrace": {"frames": [{name: frame.get(name) for name in OF_A_FRAME} for frame in frames]},
        }

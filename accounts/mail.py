"""Mail to people: always as text and as HTML, from the templates in ``templates/mail``.

A mail ``NAME`` is ``NAME.subject.txt``, ``NAME.txt`` and ``NAME.html``; the last two fill the block ``body`` of
``base.txt`` and ``base.html``.
"""

import logging
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context
from django.template.loader import get_template
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _

log = logging.getLogger(__name__)

FAILED = _("The mail could not be sent: the mail server did not take it. Try again, or tell who runs this server.")
"""What people read where a mail failed; the log has the cause."""

INWARD = ("console", "filebased", "dummy")
"""Django's backends that keep mail on this machine."""


class MailFailed(Exception):
    """The mail server cannot be reached, or does not take the mail."""


def send(name: str, *, to: str, context: dict[str, Any], language: str = "") -> None:
    """Send the mail ``name`` to one person, in their language or else that of the page.

    Raises MailFailed, and writes the cause to the log.

    Never call it in a transaction: a slow mail server would hold the store, and a conflict would send it twice.
    """
    values = {**context, "base_url": settings.BASE_URL}
    with override(language or get_language()):
        mail = EmailMultiAlternatives(
            subject=" ".join(_render(f"mail/{name}.subject.txt", values).split()),
            body=f"{_render(f'mail/{name}.txt', values).strip()}\n",
            to=[to],
            headers={"Auto-Submitted": "auto-generated"},
        )
        mail.attach_alternative(_render(f"mail/{name}.html", values), "text/html")
    try:
        mail.send()
    except (OSError, ValueError) as error:  # SMTPException is an OSError; a forged header or address a ValueError
        # The text of an error may hold the address, which is not for logs.
        code = getattr(error, "smtp_code", getattr(error, "errno", None))
        log.error("The mail %s was not sent: %s %s", name, type(error).__name__, code or "")
        raise MailFailed(type(error).__name__) from None


def link(path: str) -> str:
    """The whole address of a page of ours: under BASE_URL, whatever host a request claims to ask."""
    return f"{settings.BASE_URL}{path}"


def goes_out() -> bool:
    """Whether mail leaves this machine. Without EMAIL_URL it is written to the server's output."""
    return not any(f".{name}." in str(settings.EMAIL_BACKEND) for name in INWARD)


def is_filed() -> bool:
    """Whether each mail is written to a file instead."""
    return ".filebased." in str(settings.EMAIL_BACKEND)


def _render(path: str, values: dict[str, Any]) -> str:
    """Text is not escaped, and HTML is."""
    template: Any = get_template(path)
    rendered: str = template.template.render(Context(values, autoescape=path.endswith(".html")))
    return rendered

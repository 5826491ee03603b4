"""Mail: what is really sent, in both parts, and what happens when a server does not take it."""

import socket
from typing import Any

import pytest
from django.core import mail as outbox
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives

from accounts import mail

CONTEXT: dict[str, Any] = {
    "inviter": "Alice <b>&</b>",
    "account": "Acme\r\nBcc: eve@example.com",
    "roles": [{"label": "Operator", "help": "reads & answers"}],
    "link": "https://parley.example.com/invitations/x/",
    "email": "new@example.com",
    "days": 7,
}


def sent() -> EmailMultiAlternatives:
    [message] = outbox.outbox
    assert isinstance(message, EmailMultiAlternatives)
    return message


def test_a_mail_server_that_is_not_there_is_told_in_words_and_without_the_address(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = listener.getsockname()[1]
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1"
    with pytest.raises(mail.MailFailed):
        mail.send("invitation", to="new@example.com", context=CONTEXT)
    assert "The mail invitation was not sent: ConnectionRefusedError" in caplog.text
    assert "new@example.com" not in caplog.text


def test_a_subject_adds_no_header() -> None:
    mail.send("invitation", to="new@example.com", context=CONTEXT)
    assert sent().subject == "Alice <b>&</b> invites you to Acme Bcc: eve@example.com on Parley"
    assert sent().message()["Bcc"] is None


def test_an_address_adds_no_header() -> None:
    with pytest.raises(mail.MailFailed):
        mail.send("invitation", to="new@example.com\nBcc: eve@example.com", context=CONTEXT)
    assert outbox.outbox == []


def test_text_is_written_as_it_is_and_html_escaped() -> None:
    mail.send("invitation", to="new@example.com", context=CONTEXT)
    [(html, kind)] = sent().alternatives
    text, html = str(sent().body), str(html)
    assert kind == "text/html"
    assert "Alice <b>&</b> invites you" in text
    assert "- Operator: reads & answers" in text
    assert "Alice &lt;b&gt;&amp;&lt;/b&gt;</strong> invites you" in html
    assert "<b>" not in html
    for part in (text, html):
        assert CONTEXT["link"] in part
        assert "for new@example.com, and for 7 days" in part
        assert "Sent by Parley at http://127.0.0.1:8000" in part


def test_a_mail_says_that_a_program_sent_it() -> None:
    mail.send("invitation", to="new@example.com", context=CONTEXT)
    assert sent().message()["Auto-Submitted"] == "auto-generated"
    assert sent().from_email == "Parley <parley@127.0.0.1>"


@pytest.mark.parametrize("url", ["http://mail.example.com", "smtp://mail.example.com:port", "mail.example.com"])
def test_a_malformed_address_of_the_server_names_its_variable(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    from config.settings import read

    monkeypatch.setenv("EMAIL_URL", url)
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL is malformed"):
        read("EMAIL_URL", "email_url", "consolemail://")

"""Work does not grow with what is stored: every address without an id takes as many statements for a hundred rows as
for one, and what is asked for in bad faith is answered in time."""

import time
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, User
from accounts.scopes import Role
from tests.config.test_conventions import routes
from tests.conftest import Api, client_of
from tests.factories import message

ROWS = 100
PATIENCE = 5.0
"""Seconds, on a busy machine; what is not bounded takes minutes."""


def addresses() -> list[str]:
    """Those of the API and of pages. The admin has a test of its own."""
    plain = [path for path, _ in routes() if not path.startswith("admin/") and not set("<(^") & set(path)]
    asks = [f"/{path}" for path in plain if path not in ("logout/", "api/", "api/schema", "metrics")]
    more = ("?limit=50", "?search=Hello&limit=100", "?status=active&limit=50", "/export?format=csv")
    pages = ("?search=Hello", "?status=active", "?page=2", "export/?format=csv")
    return [
        *asks,
        *(f"/api/conversations{query}" for query in more),
        *(f"/conversations/{query}" for query in pages),
        "/analytics/?range=90d",
        "/analytics/last-words/?range=90d",
        "/api/analytics/overview?range=90d",
        "/settings/audit/?search=acme",
    ]


def fill(acme: Account, alice: User, record: Any, numbers: range) -> None:
    for number in numbers:
        conversation = record(messages=[message("Hello"), message("Hello you", role="agent")])
        conversation.notes.write(conversation, "Call back", by=alice)
        person = User.objects.create_user(f"p{number}@example.com", name=f"Person {number}")
        acme.memberships.create(user=person, roles=[Role.ANALYST])
        acme.invitations.invite(account=acme, email=f"i{number}@example.com", roles=[Role.ANALYST], by=alice)
        Api(acme)


def counted(api: Api, page: Any) -> dict[str, tuple[int, int]]:
    """Address → status and number of statements, the answer read to its end.

    The fewest of two: once a minute, one request marks its key and its session as used.
    """
    found = {}
    for path in addresses():
        client, headers = (api.client, {"X-API-Key": api.token}) if path.startswith("/api/") else (page, {})
        taken = []
        for _ in range(3):  # the first time, things are marked as seen
            with CaptureQueriesContext(connection) as captured:
                answer = client.get(path, headers=headers)
                _read = answer.getvalue() if answer.streaming else answer.content
            taken.append(len(captured))
        found[path] = (answer.status_code, min(taken[1:]))
    return found


def test_statements_do_not_grow_with_rows(acme: Account, alice: User, record: Any) -> None:
    api, page = Api(acme), client_of(alice)
    fill(acme, alice, record, range(1))
    few = counted(api, page)
    fill(acme, alice, record, range(1, ROWS))
    many = counted(api, page)
    assert sum(status == 200 for status, _ in many.values()) >= 25
    grown = {path: (few[path], many[path]) for path in many if many[path][1] > few[path][1]}
    assert grown == {}


BAD_FAITH = ("%" * 100, "_" * 100, "\\" * 100, "a%" * 50, "(a+)+" * 20, "\u202e" * 100, "\u0301" * 100, " " * 99)


@pytest.mark.parametrize("words", BAD_FAITH)
def test_searches_in_bad_faith_are_answered_in_time(api: Api, alice: User, record: Any, words: str) -> None:
    for index in range(20):
        record(messages=[message(f"{'a' * 4_000}%_\\ {index}")])
    began = time.monotonic()
    assert api.get(search=words, limit=50).status_code in (200, 400)
    page = client_of(alice).get("/conversations/", {"search": words})
    assert page.status_code == 200
    assert time.monotonic() - began < PATIENCE


@pytest.mark.parametrize("skip", [10_000, 2**31, 2**63 - 1, 2**63])
def test_pages_far_beyond_the_end_are_empty_or_refused_at_once(api: Api, alice: User, record: Any, skip: int) -> None:
    record()
    api.get(limit=1)
    began = time.monotonic()
    with CaptureQueriesContext(connection) as captured:
        answer = api.get(limit=50, skip=skip)
    assert (answer.status_code, answer.json()) == (200, []) or answer.status_code == 400
    assert len(captured) <= 4
    assert client_of(alice).get("/conversations/", {"page": skip}).status_code in (200, 302, 404)
    assert time.monotonic() - began < PATIENCE

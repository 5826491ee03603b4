"""gzip on the API and on pages."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, User
from conversations.models import Conversation
from tests.conftest import Api, json_of
from tests.factories import message

Record = Callable[..., Conversation]


@pytest.mark.parametrize("accepted", ["", "br", "identity", "gzip;q=0", "br, gzip; q=0", "*;q=0.0"])
def test_answer_is_plain_where_gzip_is_not_accepted(api: Api, record: Record, accepted: str) -> None:
    record(messages=[message("x" * 5_000)])
    response = api.get(headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in response.headers
    assert json_of(response)


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP;q=0.5", "*", "deflate, gzip"])
@pytest.mark.parametrize("query", [{}, {"limit": "10"}])
def test_large_answer_is_compressed_streamed_or_not(api: Api, record: Record, accepted: str, query: Any) -> None:
    record(messages=[message("x" * 5_000)])
    plain = api.get(**query)
    response = api.get(headers={"Accept-Encoding": accepted}, **query)
    assert response.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response.headers["Vary"]
    packed = response.getvalue()
    assert len(packed) < 1_000
    assert gzip.decompress(packed) == plain.getvalue()
    assert response.headers["ETag"] == f"W/{plain.headers['ETag']}"
    unchanged = api.get(headers={"If-None-Match": response.headers["ETag"]}, **query)
    assert unchanged.status_code == 304


def test_small_answer_stays_as_it_is(api: Api) -> None:
    response = api.get(limit="10", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in response.headers


def test_a_page_is_compressed_to_a_length_that_tells_nothing_exact(record: Record, alice: User, acme: Account) -> None:
    record()
    client = Client(headers={"Accept-Encoding": "gzip"})
    client.force_login(alice)
    answers = [client.get("/conversations/") for _ in range(6)]
    assert {answer.headers["Content-Encoding"] for answer in answers} == {"gzip"}
    assert "<h1" in gzip.decompress(answers[0].content).decode()
    assert len({len(answer.content) for answer in answers}) > 1


def test_what_is_compressed_already_stays_as_it_is(record: Record, alice: User, acme: Account) -> None:
    record(messages=[message("x" * 5_000)])
    client = Client(headers={"Accept-Encoding": "gzip"})
    client.force_login(alice)
    for path in ("/conversations/export/?format=xlsx", "/static/parley.css"):
        response = client.get(path)
        assert response.getvalue()  # read to its end, which closes the file
        assert "Content-Encoding" not in response.headers, path

"""gzip on the API."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest

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

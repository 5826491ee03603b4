"""What ``search`` finds (contract, section 2): on every store the same."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.models import Conversation
from conversations.search import fold, phone_digits, search_text, terms
from tests.conftest import Api, json_of
from tests.factories import message

Record = Callable[..., Conversation]


@pytest.mark.parametrize(
    ("content", "query"),
    [
        ("What is the PRICE?", "price"),
        ("what is the price?", "PRICE"),
        ("Kein ÄRGER bitte", "ärger"),
        ("kein ärger bitte", "ÄRGER"),
        ("Straße 7", "STRASSE"),
        ("STRASSE 7", "straße"),
        ("Сколько СТОИТ", "стоит"),
        ("сколько стоит", "СКОЛЬКО"),
        ("Η ΤΙΜΉ ΠΟΣΟΣ", "ποσος"),
        ("İstanbul", "i̇stanbul"),
        ("价格是多少？", "价格"),
        ("いくらですか", "いくら"),
        ("कितना है", "कितना"),
        ("كم السعر", "السعر"),
        ("ﬁne", "FINE"),
        ("ｆｕｌｌ width", "full"),
        ("cafe\u0301", "café"),
        ("100% sure", "100%"),
        ("a_b", "A_B"),
        ("regex .* here", ".*"),
        ("back\\slash", "k\\s"),
        ('it\'s "quoted"', "'s \""),
        ("a [b] (c) {d} ^e$ |f", "] (c) {d} ^e$ |"),
        ("two  spaces", "two  spaces"),
        ("line\nbreak", "e\nb"),
        ("👋🏽 hello", "👋🏽"),
        ("$where: 1", "$where"),
        ("5", "5"),
    ],
)
def test_content_is_found_caseless_and_literal(api: Api, record: Record, content: str, query: str) -> None:
    found = record(messages=[message("Hi"), message(content)]).pk
    record(messages=[message("Something else")], leadPhone="+1 (222) 222-2222")
    assert api.ids(search=query) == [found]


@pytest.mark.parametrize("query", ["%", "_", ".*", "^", "a%c", "a_c", "\\", "*", "a.c", "[a-z]"])
def test_wildcards_mean_themselves(api: Api, record: Record, query: str) -> None:
    record(messages=[message("abc")])
    assert api.ids(search=query) == []


@pytest.mark.parametrize(
    "query", ["role", "content", "agent", "timestamp", "2026-03", "aaaaaaaa", "whatsapp", "active"]
)
def test_only_phone_email_and_content_are_searched(api: Api, record: Record, query: str) -> None:
    record(messages=[message("Hi", role="agent")])
    assert api.ids(search=query) == []


@pytest.mark.parametrize(
    "query",
    [
        "5550102",
        "+1 (555) 01",
        "+1 (555) 010-2247",
        "15550102247",
        "555-0102",
        "(555)010 22",
        "2247",
        "10",
        "５５５０１０２",
        "+1 555.010.2247",
        "1/555/0102247",
        "+1–555–010‑2247",
        "+1\u00a0555\u00a0010",
        "001 (555) 010-22",
        "0015550102247",
        "00 1 555 01",
        "+1 (0) 555 010",
    ],
)
def test_phone_is_found_as_given_and_by_its_digits(api: Api, record: Record, query: str) -> None:
    found = record(leadPhone="+1 (555) 010-2247").pk
    record(leadPhone="+34 688 888 888")
    assert api.ids(search=query) == [found]


def test_phone_stored_without_punctuation_is_found_with_it(api: Api, record: Record) -> None:
    found = record(leadPhone="+15550102247").pk
    assert api.ids(search="+1 (555) 010-22") == [found]


@pytest.mark.parametrize("query", ["0010", "00102247", "00 10", "(0) 10", "00", "5550112", "+1 (555) 010-2248"])
def test_other_digits_are_no_part_of_a_phone(api: Api, record: Record, query: str) -> None:
    """Zeros are left out where they are dialled before a country or a town, and not of an order's number."""
    record(leadPhone="+1 (555) 010-2247")
    assert api.ids(search=query) == []


def test_digits_are_not_gathered_across_a_messages_words(api: Api, record: Record) -> None:
    record(messages=[message("call 555 or 0102")], leadPhone="+34 6")
    assert api.ids(search="5550102") == []


def test_email_is_found_in_any_case(api: Api, record: Record) -> None:
    found = record(leadEmail="Ana.Lima@Example.com").pk
    assert api.ids(search="ana.lima@EXAMPLE") == [found]


def test_no_match_spans_two_fields_or_messages(api: Api, record: Record) -> None:
    record(leadPhone="+1", leadEmail="a@b.co", messages=[message("one"), message("two")])
    for query in ("onetwo", "one two", "one\x1ftwo", "1a@b", "coone", "one\ntwo"):
        assert api.ids(search=query) == []


def test_search_combines_with_filters(api: Api, record: Record) -> None:
    record(status="active")
    found = record(status="dropped").pk
    assert api.ids(search="price", status="dropped") == [found]


def test_100_characters_are_allowed_of_any_kind(api: Api, record: Record) -> None:
    for text in ("x" * 100, "👋" * 100, "e\u0301" * 50, "%" * 100, "ﷺ" * 100):
        found = record(messages=[message(f"- {text} -")]).pk
        assert api.ids(search=text) == [found]


def test_appended_message_is_found_at_once(api: Api, record: Record) -> None:
    conversation = record()
    conversation.append([message("Und ÄRGER gab es auch")], by=None)
    assert api.ids(search="ärger") == [conversation.pk]


def test_plus_sign_and_invalid_utf8_in_the_address_are_no_errors(api: Api, record: Record) -> None:
    found = record(leadPhone="+1 555").pk
    headers = {"X-API-Key": api.token}
    encoded = api.client.get(f"/api/conversations?search={quote('+1 5')}", headers=headers)
    assert [conversation["_id"] for conversation in json_of(encoded)] == [found]
    assert json_of(api.client.get("/api/conversations?search=%ff%fe", headers=headers)) == []


# The fold itself


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet=st.characters(categories=["Lu", "Ll", "Nd", "Zs", "Po"])))
def test_upper_and_lower_case_meet(text: str) -> None:
    assert fold(text.lower().upper()) == fold(text.upper())


@given(st.text(min_size=1))
def test_every_message_is_found_by_its_own_text(text: str) -> None:
    stored = search_text(phone="+1", email="", contents=["before", text, "after"])
    assert any(term in stored for term in terms(text))


def test_phone_digits_are_kept_apart_from_digits_in_text() -> None:
    assert phone_digits("+1 (5)") not in search_text(
        phone="+2", email="", contents=["15", "+1 (5)", phone_digits("15")]
    )

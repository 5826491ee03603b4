"""What is marked is what the search finds, and nothing in a text becomes markup."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.highlight import hits, linked, marked, phone_hits, pieces, snippet
from conversations.search import fold, phone_digits, terms

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "vbscript:x",
        "ftp://example.com",
        "//evil.example",
    ],
)
def test_other_schemes_are_no_links(text: str) -> None:
    assert "<a " not in linked(text, [])


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "<svg/onload=alert(1)>", "</textarea>", "&lt;"],
)
def test_markup_is_shown_not_obeyed(text: str) -> None:
    for html in (linked(text, []), marked(text, hits(text, text)), snippet(text, hits(text, text))):
        assert "<" not in re.sub(r"</?mark>", "", html)
        assert '"' not in html


def test_a_quote_ends_an_address() -> None:
    assert 'href="https://example.com/" ' in linked('https://example.com/"onmouseover=alert(1)//', [])


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("See https://example.com/a?b=1&c=2, please", "https://example.com/a?b=1&amp;c=2"),
        ("(http://example.org/x)", "http://example.org/x"),
        ("http://example.org/y_(z).", "http://example.org/y_(z)"),
        ("mailto:jo@acme.com!", "mailto:jo@acme.com"),
        ("HTTPS://EXAMPLE.COM", "HTTPS://EXAMPLE.COM"),
        ("https://example.com/\u202egnp.exe", "https://example.com/"),
    ],
)
def test_an_address_is_a_link_without_the_sentence_around_it(text: str, address: str) -> None:
    html = linked(text, [])
    assert f'<a href="{address}" dir="ltr" target="_blank" rel="noopener nofollow ugc">{address}</a>' in html


def test_a_hit_inside_an_address_is_marked_and_the_address_stays_whole() -> None:
    text = "at https://example.com/price now"
    html = linked(text, hits(text, "example.com/PRICE now"))
    assert 'href="https://example.com/price"' in html
    assert "https://<mark>example.com/price</mark></a><mark> now</mark>" in html


@pytest.mark.parametrize(
    ("text", "query", "found"),
    [
        ("What is the PRICE?", "price", ["PRICE"]),
        ("Großer ÄRGER", "ärger", ["ÄRGER"]),
        ("Straße", "STRASSE", ["Straße"]),
        ("Straße", "as", ["aß"]),
        ("cafe\u0301 latte", "café", ["cafe\u0301"]),
        ("ﬁne", "f", ["ﬁ"]),
        ("ｶﾞｽ", "ガス", ["ｶﾞｽ"]),
        ("ПРИВЕТ", "привет", ["ПРИВЕТ"]),
        ("100% of a_b", "100%", ["100%"]),
        ("aaaa", "aa", ["aa", "aa"]),
        ("nothing", "price", []),
        ("nothing", "", []),
    ],
)
def test_hits_are_those_of_the_search(text: str, query: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in hits(text, query)] == found


@given(TEXTS, st.data())
def test_a_text_the_search_finds_has_a_hit(text: str, data: st.DataObject) -> None:
    folded = fold(text)
    start = data.draw(st.integers(0, len(folded)))
    query = folded[start : data.draw(st.integers(start, len(folded)))]
    spans = hits(text, query)
    assert bool(spans) == bool(fold(query) and fold(query) in folded)
    assert "".join(piece.text for piece in pieces(text, spans)) == text
    assert all(fold(query) in fold(text[first:last]) for first, last in spans)


@pytest.mark.parametrize(
    ("phone", "query", "found"),
    [
        ("+1 (555) 010-2000", "5550102", ["555) 010-2"]),
        ("+1 (555) 010-2000", "+1-555 01", ["1 (555) 01"]),
        ("+1 (555) 010-2000", "(555)", ["(555)"]),
        ("+1 (555) 010-2000", "price", []),
        ("+1 (555) 010-2000", "", []),
    ],
)
def test_a_phone_is_marked_as_written_or_by_its_digits(phone: str, query: str, found: list[str]) -> None:
    assert [phone[start:end] for start, end in phone_hits(phone, query)] == found


@given(st.text(alphabet="+0123456789 ()-.", max_size=16), st.text(alphabet="+0123456789 ()-", min_size=1, max_size=6))
def test_a_phone_the_search_finds_has_a_hit(phone: str, query: str) -> None:
    found = any(term in fold(phone) or term in phone_digits(phone) for term in terms(query))
    assert bool(phone_hits(phone, query)) == found


def test_a_snippet_shows_the_first_hit_with_its_surroundings() -> None:
    text = "lorem ipsum " * 20 + "the price is " + "dolor " * 50
    html = snippet(text, hits(text, "price"))
    assert html.startswith("…")
    assert html.endswith("…")
    assert "the <mark>price</mark> is" in html
    assert len(html) < 180


def test_a_short_text_is_its_own_snippet() -> None:
    assert snippet("a price", hits("a price", "price")) == "a <mark>price</mark>"


def test_a_snippet_of_one_endless_word_is_cut() -> None:
    text = "x" * 500 + "price" + "y" * 500
    assert len(snippet(text, hits(text, "price"))) < 200


def test_numbers_keep_their_order_between_words_from_right_to_left() -> None:
    phone = "+55 11 98888-0123"
    assert linked(f"Call {phone}", []) == f"Call {phone}"
    assert linked(f"اتصل {phone} <b>", []) == f'اتصل <bdi dir="ltr">{phone}</bdi> &lt;b&gt;'
    assert linked("خذ 40 مقعدًا", []) == "خذ 40 مقعدًا"
    text = f"اتصل {phone} https://x.example/+55-11-98888-0123"
    shown = linked(text, hits(text, "98888"))
    assert shown.startswith('اتصل <bdi dir="ltr">+55 11 <mark>98888</mark>-0123</bdi> <a href=')
    assert shown.count("<bdi") == 1
    assert snippet(text, hits(text, "11 9")).startswith('اتصل <bdi dir="ltr">+55 <mark>11 9</mark>8888-0123</bdi>')

"""Searching by the index finds what walking along the list finds: whatever is looked for, and however texts changed."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account
from config.storage import search as ways
from config.storage.search import Search, engine_of, grams, index_of, sqlite
from conversations import search
from conversations.models import Conversation, ConversationQuerySet
from tests.factories import message

Record = Callable[..., Conversation]

TEXTS = [
    "What is the price of a desk?",
    "the price is 100% of it_self, 'quoted' and \"double\"",
    "back\\slash, percent % and _ and * and .*",
    "Сколько СТОИТ аренда? ёлка",
    "价格是多少？價格",
    "価格はいくらですか",
    "👍🏽👩‍💻🎉 ok",
    "كم السعر",
    "ÄRGER Straße ﬁne ﷺ",
    "aaa aaaa aa a",
    "5550102 is not a phone",
    "tab\tand\nnew line",
    "qj",
    "龘",
    "\ud7ff\U0010ffff edge",
    "",
]
PHONES = ["+1 (555) 010-2247", "+15550102248", "+44 20 7946 0018", "５５５ 0103"]
STORABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
"""What a text may hold; a search that holds anything else is refused."""


@pytest.fixture
def talk(acme: Account, other_account: Account, record: Record) -> ConversationQuerySet:
    """Acme's live conversations, among others' and test ones, after every kind of change."""
    chance = random.Random(1)  # noqa: S311 - the same data each time
    for number in range(60):
        made = record(
            account=chance.choice([acme, acme, other_account]),
            environment=chance.choice(["live", "live", "test"]),
            leadPhone=chance.choice(PHONES),
            leadEmail=chance.choice(["", "ana.lima@example.com"]),
            messages=[message(text) for text in chance.choices(TEXTS, k=chance.randint(0, 4)) if text],
        )
        if number % 3 == 0:
            made.append([message(chance.choice(TEXTS[:-1])), message("added price 价格 qj")], by=None)
            made.append([message("and once more: z")], by=None)
        if number % 5 == 0:
            made.update_details({"lead_email": "changed@example.com"}, by=None)
        if number % 7 == 0:
            made.change_status("completed", by=None)
        if number % 11 == 0:
            made.delete()
    conversations: ConversationQuerySet = acme.conversations.live()
    assert conversations.count() > 20
    return conversations


def found_in(conversations: ConversationQuerySet, query: str) -> list[str]:
    """What a search is, in Python."""
    terms = list(search.terms(query))
    rows = conversations.newest_first().values_list("pk", "search_text")
    return [pk for pk, text in rows if any(term in text for term in terms)]


def pieces(chance: st.DataObject) -> str:
    """A piece of what somebody said, or of a phone."""
    text = chance.draw(st.sampled_from([*TEXTS[:-1], *PHONES, "ana.lima@example.com", "added price 价格 qj"]))
    start = chance.draw(st.integers(0, len(text) - 1))
    return str(text[start : start + chance.draw(st.sampled_from([1, 1, 2, 2, 3, 4, 10, 100]))])


def by_index(monkeypatch: pytest.MonkeyPatch, common: int = ways.SAMPLE + 1) -> None:
    """Let the index answer in accounts of few conversations too, whatever is not ``common``."""
    monkeypatch.setattr(ways, "SMALL", 0)
    monkeypatch.setattr(ways, "COMMON", common)


@pytest.mark.parametrize(("few", "many"), [(2_000, 20_000), (1, 20_000), (1, 2)], ids=["few", "many", "a list"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_index_and_walk_find_the_same(
    talk: ConversationQuerySet, monkeypatch: pytest.MonkeyPatch, few: int, many: int, data: Any
) -> None:
    by_index(monkeypatch)
    monkeypatch.setattr(ways, "FEW", few)
    monkeypatch.setattr(ways, "MANY", many)
    monkeypatch.setattr(ways, "LIKELY", data.draw(st.sampled_from([1_000, 3])))
    monkeypatch.setattr(sqlite, "FEW_PAGES", data.draw(st.sampled_from([400, 0])))  # 0: by the rarest trigrams
    monkeypatch.setattr(sqlite, "FEW_GRAMS", data.draw(st.sampled_from([5_000, 0])))  # 0: by what they begin
    monkeypatch.setattr(sqlite, "BEGUN", data.draw(st.sampled_from([200, 3])))
    query = (data.draw(st.booleans()) and pieces(data)) or data.draw(st.text(STORABLE, min_size=1, max_size=12))
    expected = found_in(talk, query)
    assert list(talk.newest_first().search(query).values_list("pk", flat=True)) == expected
    assert list(talk.search(query).newest_first().values_list("pk", flat=True)[:5]) == expected[:5]
    assert sum(talk.search(query).count_by_status().values()) == len(expected)
    monkeypatch.setattr(ways, "SMALL", 1_000)  # few rows: the walk answers
    assert list(talk.newest_first().search(query).values_list("pk", flat=True)) == expected


def test_rare_words_are_looked_up_and_common_ones_are_walked_to(
    acme: Account, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_index(monkeypatch, common=2)
    monkeypatch.setattr(ways, "SHORT", ways.SAMPLE * ways.PAGE)
    for _ in range(5):
        record(messages=[message("what everybody says")])
    record(messages=[message("a rarity")])
    mine = acme.conversations.live()
    assert ways.is_few(mine.search("rarity")) == (engine_of(connection) is not None)
    assert not ways.is_few(mine.search("everybody"))
    assert (mine.search("rarity").count(), mine.search("everybody").count()) == (1, 5)


def test_a_small_account_is_walked_however_large_the_others_are(
    acme: Account, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        record(messages=[message("a rarity")])
    monkeypatch.setattr(ways, "SMALL", 3)
    assert not ways.is_few(acme.conversations.live().search("rarity"))
    monkeypatch.setattr(ways, "SMALL", 2)
    assert ways.is_few(acme.conversations.live().search("nowhere")) == (engine_of(connection) is not None)


def test_counts_of_common_words_say_that_there_may_be_more(
    acme: Account, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        record(messages=[message("what everybody says")], status="active" if number % 2 else "dropped")
    mine = acme.conversations.live()
    assert mine.search("everybody").glance_by_status()["active"] == 3
    assert mine.search("everybody").count() == 6
    monkeypatch.setattr(ways, "GLANCE", 4)
    assert mine.search("everybody").total() is None
    counts = mine.search("everybody").glance_by_status()
    assert 4 <= sum(counts.values()) <= 5
    assert type(counts["active"]).__name__ == "AtLeast"
    assert sum(mine.search("everybody").count_by_status().values()) == 6


def test_other_accounts_and_environments_do_not_show(acme: Account, other_account: Account, record: Record) -> None:
    record(messages=[message("our secret")])
    record(messages=[message("their secret")], account=other_account)
    record(messages=[message("tried secret")], environment="test")
    assert acme.conversations.live().search("their secret").count() == 0
    assert acme.conversations.live().search("tried secret").count() == 0
    assert acme.conversations.live().search("secret").count() == 1
    assert acme.conversations.test().search("secret").count() == 1


@pytest.fixture
def without_index(transactional_db: None) -> Any:
    index = index_of(Conversation, "search_text")
    with connection.schema_editor() as editor:
        editor.remove_index(Conversation, index)
    yield
    with connection.schema_editor() as editor:
        editor.add_index(Conversation, index)


@pytest.mark.skipif(connection.vendor == "mongodb", reason="MongoDB has no such index")
def test_without_the_index_answers_are_the_same(without_index: None, acme: Account, record: Record) -> None:
    found = record(messages=[message("a rarity")])
    record(messages=[message("something else")])
    engine = engine_of(connection)
    assert engine is not None
    assert not engine.exists(index_of(Conversation, "search_text"))
    assert [one.pk for one in acme.conversations.live().search("rarity")] == [found.pk]


@pytest.mark.skipif(connection.vendor == "mongodb", reason="MongoDB has no such index")
def test_index_takes_in_what_is_there_when_it_is_made(
    without_index: None, acme: Account, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_index(monkeypatch)
    index = index_of(Conversation, "search_text")
    found = record(messages=[message("a rarity"), message("龘")])
    with connection.schema_editor() as editor:
        editor.add_index(Conversation, index)
    mine = acme.conversations.live()
    for query in ("rarity", "龘", "ra", "5"):
        assert [one.pk for one in mine.search(query)] == [found.pk], query
    assert ways.is_few(mine.search("rarity"))
    with connection.schema_editor() as editor:
        editor.remove_index(Conversation, index)


def test_what_is_looked_for_first_is_rare_and_then_does_not_overlap() -> None:
    weight = grams.Weight("rarities", {"rar": 9, "ari": 1, "rit": 2, "iti": 3, "tie": 8, "ies": 5})
    assert weight.whole == 28
    assert weight.rarest[:3] == ["ari", "rit", "iti"]
    assert weight.spaced == ["ari", "ies"]
    assert weight.stages == [["ari", "rit", "iti"]]
    assert weight.near(["ari", 'a"b']) == 'NEAR("ari" "a""b", 8)'
    assert grams.Weight("common words", dict.fromkeys(grams.grams_of("common words"), 5)).stages == [
        ["com", "omm", "mmo"],
        ["com", "mon", " wo", "rds"],
    ]


def test_a_search_is_found_out_once(talk: ConversationQuerySet, django_assert_num_queries: Any) -> None:
    looked_for = talk.look_for("rarity nowhere")
    assert isinstance(looked_for, Search)
    list(talk.found_by(looked_for))
    with django_assert_num_queries(1):
        list(talk.found_by(looked_for))


@pytest.mark.parametrize("likely", [1_000, 2], ids=["three", "six, or the whole"])
def test_trigrams_that_are_near_each_other_are_not_yet_the_words(
    acme: Account, record: Record, monkeypatch: pytest.MonkeyPatch, likely: int
) -> None:
    """Some trigrams of a term name rows that may hold it; the texts decide."""
    by_index(monkeypatch)
    monkeypatch.setattr(sqlite, "FEW_PAGES", 0)
    record(messages=[message("a rarity of ours")])
    wanted = [record(messages=[message("a rare city of rarities")]), record(messages=[message("no rarities")])]
    record(messages=[message("rities, rar")])
    monkeypatch.setattr(ways, "LIKELY", likely)
    mine = acme.conversations.live().newest_first()
    found = mine.search("rarities")
    assert [each.pk for each in found] == [each.pk for each in reversed(wanted)]
    assert found.count() == 2
    if connection.vendor != "mongodb":  # has no index that names them all
        assert found.total() == 2
        assert mine.search("rarities").filter(status="completed").total() == 0


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the weights of FTS5's trigrams")
def test_the_rarest_trigrams_are_told_from_the_common_ones(acme: Account, record: Record) -> None:
    """By what FTS5 keeps for itself: should another version keep it otherwise, this fails, and searches only slow."""
    engine = engine_of(connection)
    assert isinstance(engine, sqlite.SQLiteEngine)
    said = " ".join(f"every {chr(97 + number % 26)}{number} word" for number in range(400))
    for _ in range(30):
        record(messages=[message(said)])
    record(messages=[message("xyzzy")])
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO conversation_search (conversation_search) VALUES ('optimize')")
    index = index_of(Conversation, "search_text")
    weights = {weight.term: weight.whole for weight in engine._weights(index, ["eve", "wor", "xyz", "qqq", "e", "q"])}
    assert weights["eve"] > weights["xyz"] == weights["qqq"] == weights["q"] == 0
    assert weights["e"] > weights["eve"]
    assert engine.effort(index, [acme.pk, "live"], ["every"], 0.5) > engine.effort(index, [acme.pk, "live"], ["xyz"], 0)


def test_of_a_long_term_the_middle_counts_too(acme: Account, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    by_index(monkeypatch)
    begin, end = "what does it cost to rent ", " from the first of May on, please?"
    record(messages=[message(f"{begin}a desk{end}")])
    wanted = record(messages=[message(f"{begin}two rooms{end}")])
    record(messages=[message(end), message(begin)])
    mine = acme.conversations.live().newest_first()
    for few in (2_000, 1):  # looked up one by one, or met along the list
        monkeypatch.setattr(ways, "FEW", few)
        found = mine.search(f"{begin}two rooms{end}")
        assert [each.pk for each in found] == [wanted.pk]
        assert (found.count(), found.count_by_status()[wanted.status]) == (1, 1)

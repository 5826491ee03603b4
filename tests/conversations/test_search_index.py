"""Searching by the index finds what walking along the list finds: whatever is looked for, and however texts changed."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account
from config.storage import search as ways
from config.storage.search import Search, engine_of, fts5, grams, index_of, newest, page_of, sqlite
from config.storage.search.joints import joints_of
from conversations import search
from conversations.models import Conversation, ConversationQuerySet
from tests.conftest import Api
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
    "020 7946",
    "(5) 01/02-3",
    "...",
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
    monkeypatch.setattr(newest, "DENSE", common)


@pytest.mark.parametrize(("few", "many"), [(2_000, 20_000), (1, 20_000), (1, 2)], ids=["few", "many", "a list"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_index_and_walk_find_the_same(
    talk: ConversationQuerySet, monkeypatch: pytest.MonkeyPatch, few: int, many: int, data: Any
) -> None:
    by_index(monkeypatch)
    monkeypatch.setattr(ways, "FEW", few)
    monkeypatch.setattr(ways, "MANY", many)
    monkeypatch.setattr(newest, "DOCUMENTS", data.draw(st.sampled_from([200, 3])))
    monkeypatch.setattr(newest, "ASKED", data.draw(st.sampled_from([64, 2])))
    monkeypatch.setattr(newest, "MOST_ASKED", data.draw(st.sampled_from([3_000, 4])))
    monkeypatch.setattr(newest, "CHANGED", data.draw(st.sampled_from([300, 2])))
    monkeypatch.setattr(newest, "DENSE", data.draw(st.sampled_from([0, 2])))
    monkeypatch.setattr(sqlite, "NUMBERS", data.draw(st.sampled_from([3_000, 2])))
    monkeypatch.setattr(sqlite, "FEW_GRAMS", data.draw(st.sampled_from([5_000, 0])))  # 0: by what they begin
    monkeypatch.setattr(sqlite, "MOST_GRAMS", data.draw(st.sampled_from([100_000, 0])))
    monkeypatch.setattr(sqlite, "BEGUN", data.draw(st.sampled_from([200, 3])))
    query = (data.draw(st.booleans()) and pieces(data)) or data.draw(st.text(STORABLE, min_size=1, max_size=12))
    expected = found_in(talk, query)
    assert list(talk.newest_first().search(query).values_list("pk", flat=True)) == expected
    assert list(talk.search(query).newest_first().values_list("pk", flat=True)[:5]) == expected[:5]
    assert sum(talk.search(query).count_by_status().values()) == len(expected)
    active = talk.newest_first().filter(status="active")
    for rows in (talk.newest_first(), active, active.filter(channel="whatsapp")):
        number = data.draw(st.sampled_from([1, 2, 5, 50]))
        keys = [pk for pk in rows.values_list("pk", flat=True) if pk in expected]
        assert [one.pk for one in rows.search(query).first_of(number)] == keys[:number]
        total = rows.search(query).total()
        assert total in (None, len(keys))
    monkeypatch.setattr(ways, "SMALL", 1_000)  # few rows: the walk answers
    assert list(talk.newest_first().search(query).values_list("pk", flat=True)) == expected


@pytest.mark.parametrize("most", [300, 1], ids=["asked too", "too many"])
def test_what_changed_last_comes_first_however_old_it_is(
    acme: Account, record: Record, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    by_index(monkeypatch)
    monkeypatch.setattr(newest, "DOCUMENTS", 3)
    monkeypatch.setattr(newest, "ASKED", 2)
    monkeypatch.setattr(newest, "CHANGED", most)
    made = [record(messages=[message("a rarity")]) for _ in range(9)]
    made[2].change_status("completed", by=None)
    made[0].append([message("and more")], by=None)
    mine = acme.conversations.live().newest_first()
    wanted = [made[0], made[2], made[8], made[7]]
    assert [one.pk for one in mine.search("rarity").first_of(4)] == [one.pk for one in wanted]
    completed = mine.filter(status="completed").search("rarity")
    assert [one.pk for one in completed.first_of(4)] == [made[2].pk]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the triggers of SQLite's index")
def test_the_index_forgets_what_is_gone(acme: Account, record: Record) -> None:
    changed = record(leadPhone="+1 555 010", messages=[message("a rarity"), message("0102 03")])
    changed.append([message("07")], by=None)
    kept = record(leadPhone="+1 555 011", messages=[message("a rarity")])
    changed.update_details({"lead_email": "ana@example.com"}, by=None)
    kept.delete()
    changed.delete()
    with connection.cursor() as cursor:
        for table in ("row", "digits", "gram"):
            cursor.execute(f"SELECT count(*) FROM conversation_search_{table}")  # noqa: S608 - one of these three
            assert cursor.fetchone() == (0,), table


def test_rare_words_are_looked_up_and_common_ones_are_walked_to(
    acme: Account, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_index(monkeypatch, common=2)
    monkeypatch.setattr(ways, "SHORT", ways.SAMPLE * ways.PAGE)
    monkeypatch.setattr(newest, "DOCUMENTS", 3)
    monkeypatch.setattr(newest, "DENSE", 0.5)
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


def test_what_is_looked_for_first_is_rare_and_apart() -> None:
    weight = grams.Weight("a rarity of", {"rar": 9, "ari": 1, "rit": 2, " of": 8, "RRT": 3})
    assert weight.whole == 23
    assert weight.rarest(3) == '"ari" AND "rit" AND " of"'
    assert weight.rarest(4) == '"ari" AND "rit" AND " of" AND "RRT"'
    assert grams.Weight('a"b', {'a"b': 1}).rarest(4) == '"a""b"'


def test_of_a_long_term_some_trigrams_are_compared_and_as_many_of_its_skeleton() -> None:
    assert list(grams.grams_of("of a price")) == [
        *("FPR", "PRC"),
        *("of ", "f a", " a ", "a p", " pr", "pri", "ric", "ice"),
    ]
    assert grams.grams_of("of a price")["FPR"] == {1, 2, 3, 4, 5, 6}
    assert list(grams.grams_of("и цена")) == ["и ц", " це", "цен", "ена"]
    assert grams.MOST_WEIGHED < len(grams.grams_of("price of a desk, " * 6)) <= 2 * grams.MOST_WEIGHED
    assert list(grams.grams_of("qj")) == ["qj"]
    assert list(grams.grams_of("+44 20")) == ["+44", "44 ", "4 2", " 20"]  # a phone has no skeleton


@given(st.text(), st.text(), st.text())
def test_the_skeleton_of_a_piece_is_a_piece_of_the_skeleton(before: str, piece: str, after: str) -> None:
    assert fts5.skeleton(piece) in fts5.skeleton(f"{before}{piece}{after}")


@pytest.mark.skipif(connection.vendor == "mongodb", reason="has no index")
@pytest.mark.parametrize(
    ("account", "few", "told"), [("middling", 2_000, "9"), ("middling", 8, None), ("large", 8, None)]
)
def test_an_answer_says_how_many_there_are_where_that_takes_no_longer(
    acme: Account, record: Record, monkeypatch: pytest.MonkeyPatch, account: str, few: int, told: str | None
) -> None:
    by_index(monkeypatch)
    monkeypatch.setattr(newest, "DOCUMENTS", 3)
    monkeypatch.setattr(ways, "FEW", few)
    monkeypatch.setattr("conversations.api.COUNTED_AT_ONCE", 0)
    monkeypatch.setattr("conversations.api.COUNTED_WHOLE", 20_000 if account == "middling" else 0)
    for number in range(9):
        record(messages=[message(f"a rarity {number}")])
    answer = Api(acme).get(limit=2, search="rarity")
    assert (answer.headers.get("X-Total-Count"), len(answer.json())) == (told, 2)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's way")
@pytest.mark.parametrize(("many", "is_named"), [(3_000, True), (5, False)])
def test_many_are_not_named_to_learn_that_they_are_more(
    acme: Account, record: Record, monkeypatch: pytest.MonkeyPatch, many: int, is_named: bool
) -> None:
    by_index(monkeypatch)
    monkeypatch.setattr(newest, "DOCUMENTS", 3)
    monkeypatch.setattr(newest, "ASKED", 3)
    monkeypatch.setattr(newest, "MANY", many)
    monkeypatch.setattr(ways, "FEW", 5)
    for number in range(9):
        record(messages=[message(f"a rarity {number}")])
    found = acme.conversations.live().newest_first().search("rarity")
    assert len(page_of(found, 2) or []) == 2
    with CaptureQueriesContext(connection) as queries:
        assert found.glance() is None
    assert any("SELECT row FROM" in each["sql"] for each in queries) == is_named


def test_a_search_is_found_out_once(talk: ConversationQuerySet, django_assert_num_queries: Any) -> None:
    looked_for = talk.look_for("rarity nowhere")
    assert isinstance(looked_for, Search)
    list(talk.found_by(looked_for))
    with django_assert_num_queries(1):
        list(talk.found_by(looked_for))


def test_trigrams_in_one_message_are_not_yet_the_words(
    acme: Account, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some trigrams of a term name rows that may hold it; the texts decide."""
    by_index(monkeypatch)
    record(messages=[message("a rarity of ours")])
    wanted = [record(messages=[message("a rare city of rarities")]), record(messages=[message("no rarities")])]
    record(messages=[message("rities, rar")])
    mine = acme.conversations.live().newest_first()
    found = mine.search("rarities")
    assert [each.pk for each in found] == [each.pk for each in reversed(wanted)]
    assert found.count() == 2
    if connection.vendor != "mongodb":  # has no index that names them all
        assert found.total() == 2
        assert mine.search("rarities").filter(status="completed").total() == 0


@pytest.mark.skipif(connection.vendor == "mongodb", reason="MongoDB has no such index")
def test_phrases_are_found_by_where_their_words_meet(
    acme: Account, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_index(monkeypatch)
    said = 'the "price" of a back\\slash, the desk  and the\nend of \x1f it'
    first, last = record(messages=[message("of the price"), message(said)]), record(messages=[message("the price of")])
    last.append([message("nobody said: the price of the price")], by=None)
    record(messages=[message("price of"), message("the price"), message("of the desk")])
    mine = acme.conversations.live().newest_first()
    phrases = {
        'the "price" of a back\\slash, the desk': [first],
        "desk  and": [first],
        "the\nend of   it": [first],
        "said: the price of the price": [last],
        "price of the": [last],
        "the price of": [last],
        "of the price": [last, first],
        "price of the desk": [],
        "the price the": [],
    }
    for phrase, found in phrases.items():
        assert [one.pk for one in mine.search(phrase)] == [one.pk for one in found], phrase
    last.delete()
    first.update_details({"lead_email": "price.of@example.com"}, by=None)
    assert [one.pk for one in mine.search("of the price")] == [first.pk]
    assert not list(mine.search("price of the"))


@pytest.mark.skipif(connection.vendor == "mongodb", reason="MongoDB has no such index")
def test_joints_are_where_two_words_of_two_characters_or_more_meet() -> None:
    assert joints_of("ven citlis ven citlis a an 价格 ok  no") == ["en ci", "is ve", "an 价格", "价格 ok"]
    assert joints_of("ａｂｃｄｅｆ") == ["ａｂｃｄｅ", "ｂｃｄｅｆ"]
    assert joints_of("one") == joints_of("a b") == joints_of("x  y") == []


@pytest.mark.skipif(connection.vendor != "postgresql", reason="of a large owner PostgreSQL's index is asked otherwise")
def test_an_owner_of_nearly_all_finds_the_same(talk: ConversationQuerySet, monkeypatch: pytest.MonkeyPatch) -> None:
    by_index(monkeypatch)
    looked_for = ["price of a desk", "стоит", "价格", "z", "+1 (555) 010-2247", "nowhere at all"]
    before = [[one.pk for one in talk.newest_first().search(query)] for query in looked_for]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE conversation_search_part")
        cursor.execute("SELECT count(*) FROM pg_stats WHERE tablename = 'conversation_search_part'")
        assert cursor.fetchone() != (0,)
    assert [[one.pk for one in talk.newest_first().search(query)] for query in looked_for] == before
    assert any(before)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the weights of FTS5's trigrams")
def test_the_rarest_trigrams_are_told_from_the_common_ones(acme: Account, record: Record) -> None:
    """By what FTS5 keeps for itself: should another version keep it otherwise, this fails, and searches only slow."""
    engine = engine_of(connection)
    assert isinstance(engine, sqlite.SQLiteEngine)
    said = "\x1f".join(["", "", "", "", *["every word"] * 400])
    Conversation.objects.bulk_create(
        Conversation(account=acme, lead_id=str(number), agent_config_id="a" * 24, channel="email", search_text=said)
        for number in range(30)
    )
    record(messages=[message("xyzzy")])
    record(messages=[message("".join(f"xz{chr(0x4E00 + number)}" for number in range(2_000)))])  # comes between
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO conversation_search (conversation_search) VALUES ('optimize')")
    index = index_of(Conversation, "search_text")
    weights = {
        weight.term: weight.whole for weight in engine._weights(index, ["eve", "wor", "xyz", "龘龘龘", "e", "龘"])
    }
    assert weights["eve"] > weights["xyz"] == weights["龘龘龘"] == weights["龘"] == 0
    assert weights["e"] > weights["eve"]
    assert engine.effort(index, [acme.pk, "live"], ["e"], 0.5) > engine.effort(index, [acme.pk, "live"], ["龘"], 0)


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

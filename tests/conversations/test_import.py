"""``manage.py import_conversations``: what it reads, what it refuses, and that it loses nothing."""

import gzip
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account
from conversations.importing import json_stream
from conversations.importing.json_stream import NotJSON, items
from conversations.models import Conversation
from tests.conftest import Api
from tests.factories import WireConversation, message

REAL = Path(__file__).resolve().parents[3] / "shared" / "data"
real_data = pytest.mark.skipif(
    not REAL.is_dir(), reason="the real dialogues lie beside the repository on some machines"
)


def wire(number: int, **fields: Any) -> dict[str, Any]:
    moment = f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000Z"
    return WireConversation(id=f"{number:024x}", createdAt=moment, updatedAt=moment, **fields)


Run = Callable[..., str]


@pytest.fixture
def run(acme: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Imports a source into Acme, in a folder of its own; what the command printed."""
    monkeypatch.chdir(tmp_path)

    def inner(source: Any, **options: Any) -> str:
        if isinstance(source, bytes):
            path = tmp_path / "source"
            path.write_bytes(source)
            source = str(path)
        call_command("import_conversations", source, **{"account": "Acme", **options})
        return capsys.readouterr().out

    return inner


def counts(printed: str) -> dict[str, int]:
    words = [line.split() for line in printed.splitlines() if line.startswith("  ")]
    return {name.lower(): int(number.replace(",", "")) for name, number, *_ in words}


def lines(conversations: list[Any]) -> bytes:
    return b"".join(json.dumps(conversation).encode() + b"\n" for conversation in conversations)


def rejects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


THREE = [wire(1), wire(2, summary="Ünïcode 👋"), wire(3, messages=[message("x")] * 50)]


# Refusals


def test_unknown_account_is_an_error_that_names_the_known(run: Run, acme: Account) -> None:
    with pytest.raises(CommandError, match=f"Acme \\({acme.pk}\\)"):
        run(lines(THREE), account="Nobody")


def test_missing_file_is_an_error(run: Run) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run("nothing.json")


def test_bad_records_are_written_down_with_line_and_reason(run: Run, acme: Account, tmp_path: Path) -> None:
    given = lines([wire(1)]) + b"{broken\n\n[]\n" + lines([{**wire(2), "leadId": ""}, wire(3)]) + b"\xff\xfe\n5"
    printed = run(given, rejects=tmp_path / "bad.jsonl")
    assert counts(printed)["recorded"] == 2
    assert counts(printed)["refused"] == 5
    written = rejects(tmp_path / "bad.jsonl")
    assert [(line["line"], line["record"]) for line in written] == [(2, 2), (4, 3), (5, 4), (7, 6), (8, 7)]
    assert written[0]["conversation"] == "{broken"
    assert "JSON" in written[0]["reason"]
    assert "object" in written[1]["reason"]
    assert written[2]["reason"] == "leadId: Must not be empty."
    assert written[2]["conversation"]["_id"] == f"{2:024x}"
    assert sorted(acme.conversations.values_list("pk", flat=True)) == [f"{1:024x}", f"{3:024x}"]


def test_broken_items_of_an_array_do_not_hide_the_next(run: Run, tmp_path: Path) -> None:
    first, second = json.dumps(wire(1)), json.dumps(wire(2))
    given = f"[\n{first},\n{{'a': 1}},\n{{\"x\": [1,]}},\n  {second}\n]".encode()
    assert counts(run(given)) == {"recorded": 2, "replaced": 0, "unchanged": 0, "refused": 2, "total": 4}
    assert [line["line"] for line in rejects(tmp_path / "source.rejects.jsonl")] == [3, 4]


def test_faults_of_the_conversation_are_named_in_words(run: Run, tmp_path: Path) -> None:
    bad = wire(1, messages=[message("ok"), {"role": "bot", "content": "x"}, {"role": "lead", "content": None}])
    run(lines([bad]))
    [line] = rejects(tmp_path / "source.rejects.jsonl")
    assert line["reason"] == (
        "messages[1].role: Must be one of agent, lead, human, system. messages[2].content: Must be a string."
    )


def test_id_of_another_account_is_refused(run: Run, record: Any, other_account: Account, tmp_path: Path) -> None:
    record(account=other_account, id=f"{1:024x}")
    assert counts(run(lines(THREE)))["refused"] == 1
    [line] = rejects(tmp_path / "source.rejects.jsonl")
    assert line["reason"].startswith("_id: Another account or environment")


def test_what_was_read_before_the_data_ends_too_early_is_kept(run: Run, acme: Account) -> None:
    with pytest.raises(CommandError, match="does not end"):
        run(json.dumps(THREE).encode()[:-100])
    assert acme.conversations.count() == 2
    many = [wire(number) for number in range(400)]
    with pytest.raises(CommandError, match="damaged or cut off"):
        run(gzip.compress(lines(many))[:-200])
    assert acme.conversations.count() > 2


def test_interruption_keeps_what_was_recorded(run: Run, acme: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: Any, **kwargs: Any) -> Iterator[Any]:
        yield from original(*args, **kwargs)
        raise KeyboardInterrupt

    original = json_stream.items
    monkeypatch.setattr("conversations.importing.sources.items", interrupted)
    with pytest.raises(CommandError, match="Interrupted") as caught:
        run(lines(THREE))
    assert caught.value.returncode == 130
    assert acme.conversations.count() == 3
    monkeypatch.undo()


# What it reads


@pytest.mark.parametrize(
    "given",
    [
        lines(THREE),
        json.dumps(THREE).encode(),
        json.dumps(THREE, indent=2, ensure_ascii=False).encode(),
        b"\xef\xbb\xbf" + json.dumps(THREE).encode(),
        b"\n \n" + lines(THREE).replace(b"\n", b"\r\n\r\n"),
        lines(THREE).rstrip(),
        gzip.compress(lines(THREE)),
        gzip.compress(json.dumps(THREE).encode()),
    ],
    ids=["lines", "array", "pretty", "bom", "crlf", "no-newline", "lines.gz", "array.gz"],
)
def test_every_format_gives_the_same(run: Run, api: Api, given: bytes) -> None:
    assert counts(run(given)) == {"recorded": 3, "replaced": 0, "unchanged": 0, "refused": 0, "total": 3}
    shown = {conversation["_id"]: conversation for conversation in api.listed()}
    for conversation in THREE:
        expected = {**conversation, "accountId": api.account.pk, "messageCount": len(conversation["messages"])}
        assert shown[conversation["_id"]] == expected


def test_nothing_is_nothing(run: Run) -> None:
    for source in (b"", b"[]", b" \n", b"[ ]\n"):
        assert counts(run(source))["total"] == 0


def test_standard_input_is_a_source(run: Run, acme: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for source in (lines(THREE), gzip.compress(json.dumps(THREE).encode())):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(source))))
        assert counts(run("-"))["total"] == 3
    assert acme.conversations.count() == 3


def test_repeating_changes_nothing_and_a_change_replaces(run: Run, acme: Account) -> None:
    run(lines(THREE))
    assert counts(run(lines(THREE))) == {"recorded": 0, "replaced": 0, "unchanged": 3, "refused": 0, "total": 3}
    assert counts(run(lines([THREE[0], {**THREE[1], "summary": "New"}])))["replaced"] == 1
    assert acme.conversations.get(pk=THREE[1]["_id"]).summary == "New"


def test_environment_is_chosen(run: Run, acme: Account) -> None:
    run(lines(THREE), environment="test")
    assert acme.conversations.test().count() == 3
    assert not acme.conversations.live().exists()


def test_dry_run_changes_nothing(run: Run, acme: Account) -> None:
    printed = run(lines(THREE), dry_run=True)
    assert counts(printed)["recorded"] == 3
    assert "Nothing was changed" in printed
    assert not acme.conversations.exists()


# Another server


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [3, 450])
def test_another_server_is_walked_to_its_end(
    run: Run, live_server: LiveServer, other_account: Account, acme: Account, number: int
) -> None:
    records = [wire(index) for index in range(number)]
    path = Path("there.json")
    path.write_bytes(lines(records))
    call_command("import_conversations", str(path), account=other_account.name)
    there = Api(other_account)
    # The same ids cannot be in two accounts of one store, so that every one is read, and refused with that reason.
    printed = run(f"{live_server.url}/api/conversations", api_key=there.token)
    assert counts(printed)["refused"] == number
    assert {line["conversation"]["_id"] for line in rejects(Path("import.rejects.jsonl"))} == {
        record["_id"] for record in records
    }


@pytest.mark.django_db(transaction=True)
def test_another_servers_refusal_is_told(run: Run, live_server: LiveServer) -> None:
    with pytest.raises(CommandError, match="401: Invalid or expired API key"):
        run(live_server.url, api_key="nl_live_wrong")
    with pytest.raises(CommandError, match="404"):
        run(f"{live_server.url}/api/nothing", api_key="nl_live_wrong")
    with pytest.raises(CommandError, match="--api-key"):
        run(live_server.url)


# The stream


leaves = st.none() | st.text() | st.integers()
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(st.lists(values), st.integers(1, 40), st.sampled_from([None, 1]))
def test_items_of_any_array_are_told_apart(values: list[Any], chunk: int, indent: int | None) -> None:
    containers = [value for value in values if isinstance(value, list | dict)]
    text = json.dumps(containers, indent=indent).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "CHUNK", chunk)
        found = list(items(io.BytesIO(text)))
    assert [json.loads(raw.text) for raw in found] == containers
    for raw in found:
        assert raw.text.splitlines()[0] in text.splitlines()[raw.line - 1]


def test_endless_item_is_an_error_and_not_a_full_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "MAX_ITEM_BYTES", 1_000)
    monkeypatch.setattr(json_stream, "CHUNK", 100)
    with pytest.raises(NotJSON, match="does not end within"):
        list(items(io.BytesIO(b'[{"a": "' + b"x" * 5_000)))


# The real dialogues


@real_data
@pytest.mark.real_data
def test_real_conversations_come_back_as_they_were(run: Run, api: Api) -> None:
    given = json.loads((REAL / "conversations-300.json").read_bytes())
    assert counts(run(str(REAL / "conversations-300.json")))["recorded"] == len(given) == 300
    shown = {conversation["_id"]: conversation for conversation in api.listed()}
    assert shown == {conversation["_id"]: {**conversation, "accountId": api.account.pk} for conversation in given}
    assert Conversation.objects.count() == 300
    word = "portland"
    expected = {
        conversation["_id"]
        for conversation in given
        if any(word in said["content"].casefold() for said in conversation["messages"])
    }
    assert expected
    assert set(api.ids(search=word.upper())) == expected

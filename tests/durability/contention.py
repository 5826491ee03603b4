"""Many writers, one conversation: what fits is stored, in each writer's order; the rest is refused as documented."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conversations.messages import MAX_MESSAGES
from tests.durability.load import PATH, Client, ids
from tests.durability.shaking import database, parley_over
from tests.factories import WireConversation, message

[CONVERSATION] = ids(1)
REFUSAL = f"At most {MAX_MESSAGES:,} messages"


@dataclass
class Contention:
    sent: int
    accepted: int
    refused: int


def contend(store: str, folder: Path, *, writers: int, each: int, before: int = 0, workers: int = 4) -> Contention:
    """``each`` messages of each writer, sent one by one, into a conversation that holds ``before``."""
    held = WireConversation(id=CONVERSATION, messages=[message(f"before-{number}") for number in range(before)])
    with (
        database(store, folder) as (url, _),
        parley_over(url, folder, [held], WORKERS=str(workers)) as (parley, token),
    ):

        def write(number: int) -> tuple[list[str], int]:
            return _write(Client(parley.address, token), number, each)

        with ThreadPoolExecutor(writers) as pool:
            said = list(pool.map(write, range(writers)))
        reader = Client(parley.address, token)
        _, _, body = reader.send("GET", f"{PATH}/{CONVERSATION}")
        reader.close()
    _compare(json.loads(body), [accepted for accepted, _ in said], before)
    found = Contention(writers * each, sum(len(accepted) for accepted, _ in said), sum(refused for _, refused in said))
    assert found.accepted == min(found.sent, MAX_MESSAGES - before), found
    assert found.accepted + found.refused == found.sent, found
    return found


def _write(client: Client, number: int, each: int) -> tuple[list[str], int]:
    """The names of the messages that were accepted, and how many were refused because the conversation is full."""
    accepted, refused = [], 0
    for count in range(each):
        name = f"{number}-{count}"
        status, _, body = client.send("POST", f"{PATH}/{CONVERSATION}/messages", message(name))
        if status == 200:
            accepted.append(name)
        else:
            assert status == 400, (status, body[:300])
            assert REFUSAL in str(json.loads(body)["details"]["messages"]), body[:300]
            refused += 1
    client.close()
    return accepted, refused


def _compare(shown: Any, accepted: list[list[str]], before: int) -> None:
    stored = [said["content"] for said in shown["messages"]]
    assert shown["messageCount"] == len(stored) == before + sum(map(len, accepted))
    assert stored[:before] == [f"before-{number}" for number in range(before)]
    assert not [name for name, times in Counter(stored).items() if times > 1]
    for number, names in enumerate(accepted):
        assert [name for name in stored[before:] if name.startswith(f"{number}-")] == names, f"writer {number}'s order"

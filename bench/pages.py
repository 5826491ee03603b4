"""``python -m bench.pages [CONVERSATIONS]``: server time of the pages, beside that of an empty page in the same run.

On a SQLite file of its own under ``var/bench`` (100,000 conversations of 20 messages unless told otherwise; made once),
in this process, without a network: what the process computed, which other load disturbs least. The empty page is an
error page for somebody who is signed in: the session, the person, the header, and nothing else. It fails where the list
or a transcript of 40 messages takes more of it than it may.
"""

import sys

from bench import data, turns

TARGETS = {"list": 10.0, "transcript of 40": 6.25}
"""Times an empty page, which takes 4 ms on a quiet machine of two cores: 40 ms and 25 ms there."""


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    data.setup(number)
    turns.report(number, measure(pages()), TARGETS)


def pages() -> dict[str, str]:
    from conversations.models import Conversation

    ids = Conversation.objects.newest_first().values_list("pk", flat=True)
    of_length = {length: ids.filter(message_count=length)[:1].get() for length in (20, 40, 5_000)}
    return {
        turns.EMPTY: turns.EMPTY_PAGE,
        "list": "/conversations/",
        "list, one status": "/conversations/?status=active",
        "list, page 2": "",
        "list, one channel": "/conversations/?channel=email",
        "list, by start": "/conversations/?sort=-createdAt",
        "list, a search": "/conversations/?search=discount",
        "transcript of 40": f"/conversations/{of_length[40]}/",
        "transcript of 20": f"/conversations/{of_length[20]}/",
        "transcript of 5,000": f"/conversations/{of_length[5_000]}/",
    }


def measure(addresses: dict[str, str]) -> dict[str, float]:
    from django.test import Client

    from accounts.models import User

    client = Client()
    client.force_login(User.objects.get())
    first = client.get("/conversations/").content.decode()
    addresses["list, page 2"] = first.partition('rel="next" href="')[2].partition('"')[0]
    return turns.medians_of(addresses, client)


if __name__ == "__main__":
    main()

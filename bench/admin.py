"""``python -m bench.admin [CONVERSATIONS]``: server time of the admin's pages, beside an empty one in the same run.

On the same file as ``bench.pages`` (100,000 conversations unless told otherwise), or on the one that ``BENCH_FILE``
names; in this process, in turn, what the process computed. The empty page is a list of the admin without a row. It
fails where a list takes more than ``MOST`` of it.
"""

import os
import sys
from pathlib import Path

from bench import data, turns

MOST = 5.0


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    if given := os.environ.get("BENCH_FILE"):
        data.setup_file(Path(given))
    else:
        data.setup(number)
    from conversations.models import Conversation

    medians = measure(pages())
    turns.report(Conversation.objects.count(), medians, dict.fromkeys(medians, MOST))


def pages() -> dict[str, str]:
    from accounts.admin.base import LISTED, AtScale
    from accounts.models import Account
    from conversations.models import Conversation

    last = -(-min(LISTED, Conversation.objects.count()) // AtScale.list_per_page)
    account = Account.objects.order_by("created_at")[0].pk
    mine = f"/admin/conversations/conversation/?account={account}&environment__exact=live"
    return {
        "empty list": "/admin/accounts/invitation/",
        "conversations": "/admin/conversations/conversation/",
        "conversations, the last page": f"/admin/conversations/conversation/?p={last}",
        "conversations, one account": mine,
        "conversations, one status": f"{mine}&status__exact=active",
        "conversations, a search": "/admin/conversations/conversation/?q=discount",
        "conversations, a rare search": f"{mine}&q=zebra",
        "audit log": "/admin/accounts/auditevent/",
        "people": "/admin/accounts/user/",
        "keys": "/admin/accounts/apikey/",
    }


def measure(addresses: dict[str, str]) -> dict[str, float]:
    from django.test import Client

    from accounts.models import User

    operator = User.objects.order_by("date_joined")[0]
    operator.is_staff = operator.is_superuser = True
    operator.save()
    client = Client()
    client.force_login(operator)
    return turns.medians_of(addresses, client)


if __name__ == "__main__":
    main()

"""What is measured on: a SQLite file that stays, or a server that is made, filled and thrown away."""

import os
from collections.abc import Callable
from pathlib import Path


def on(store: str, file: Path, run: Callable[[str], None]) -> None:
    """``run`` with the address of ``store``: ``sqlite``, which is ``file``; ``postgresql`` or ``mongodb``, a server of
    ``tests.servers``; or an address itself.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    if store == "sqlite":
        run(f"sqlite:///{file}")
        return
    if "://" in store:
        run(store)
        return
    from tests.servers import SERVERS, ServerUnavailable

    os.environ.setdefault("MONGOD_CACHE_GB", "4")  # what a server of its own would have, and a test needs not
    try:
        with SERVERS[store]() as url:
            run(url)
    except ServerUnavailable as error:
        print(f"Skipped: {error}")

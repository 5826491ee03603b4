"""``python -m tests.durability kills --store postgresql``: the full forms. The last line has the figures."""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from tests.durability.contention import contend  # noqa: E402
from tests.durability.load import Load  # noqa: E402
from tests.durability.replicas import fail_over  # noqa: E402
from tests.durability.shaking import Kill, shake  # noqa: E402

STORES = ("sqlite", "postgresql", "mongodb")


def told(store: str, load: Load, kills: list[Kill]) -> str:
    """Figures of what was killed; whatever was lost or doubled would have been an error before."""
    again = [kill.seconds for kill in kills]
    return (
        f"{store}: {len(kills)} kills, {load.acknowledged:,} acknowledged ({load.tally.replayed} of them when asked "
        f"again), 0 lost, 0 doubled; ready again after {statistics.median(again):.1f} s (median), {max(again):.1f} s "
        f"(longest); answers: {dict(load.tally.answers)}; load of the machine {os.getloadavg()[0]:.1f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.durability", description=__doc__)
    parser.add_argument("trial", choices=("contention", "kills", "replicas"))
    parser.add_argument("--store", choices=STORES, action="append")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--least", type=int, default=5_000, help="acknowledged requests")
    given = parser.parse_args()
    figures = []
    for store in ["mongodb"] if given.trial == "replicas" else given.store or STORES:
        with tempfile.TemporaryDirectory(prefix="parley-") as folder:
            if given.trial == "contention":
                found = contend(store, Path(folder), writers=16, each=500)
                figure = (
                    f"{store}: {found.sent:,} sent = {found.accepted:,} stored + {found.refused:,} refused, in order"
                )
            elif given.trial == "kills":
                figure = told(store, *shake(store, Path(folder), kills=given.kills, least=given.least))
            else:
                figure = told("replica set of three", *fail_over(Path(folder), kills=given.kills, least=given.least))
        print(figure, flush=True)
        figures.append(figure.partition("; answers")[0])
    print(" | ".join(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())

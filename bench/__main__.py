"""``python -m bench``: every measurement in turn, each in a process of its own."""

import subprocess
import sys

COMMANDS = (
    ["bench.lists"],
    ["bench.lists", "10000", "postgresql"],
    ["bench.lists", "10000", "mongodb"],
    ["bench.scale"],
    ["bench.stream"],
    ["bench.writing"],
    ["bench.startup"],
    ["bench.limiter"],
    ["bench.pages"],
    ["bench.search"],
    ["bench.analytics"],
    ["bench.admin"],
    ["tests.servers", "mongodb", "--", sys.executable, "-m", "bench.sizes"],
)


def main() -> None:
    failed = []
    for command in COMMANDS:
        print(f"python -m {' '.join(command)}", flush=True)
        if subprocess.run([sys.executable, "-m", *command], check=False).returncode:  # noqa: S603
            failed.append(" ".join(command))
    if failed:
        sys.exit(f"Failed, or slower than it may be: {', '.join(failed)}")


if __name__ == "__main__":
    main()

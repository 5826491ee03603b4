"""``python -m bench``: every measurement in turn, each in a process of its own."""

import subprocess
import sys

COMMANDS = (
    ["bench.lists"],
    ["bench.stream"],
    ["bench.writing"],
    ["bench.startup"],
    ["bench.limiter"],
    ["bench.pages"],
    ["bench.analytics"],
    ["bench.admin"],
)


def main() -> None:
    failed = []
    for command in COMMANDS:
        print(f"python -m {' '.join(command)}", flush=True)
        if subprocess.run([sys.executable, "-m", *command], check=False).returncode:  # noqa: S603
            failed.append(command[0])
    if failed:
        sys.exit(f"Failed, or slower than it may be: {', '.join(failed)}")


if __name__ == "__main__":
    main()

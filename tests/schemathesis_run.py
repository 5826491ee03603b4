"""``python -m tests.schemathesis_run``: a server of its own, with conversations, against the description of its API.

All phases and all checks of schemathesis; arguments are handed on to it (``--max-examples 1000``).
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.serving import Running, serving

HERE = Path(__file__).resolve().parent
UNLIMITED = {f"RATE_LIMIT_{window}": "0" for window in ("ADDRESS", "KEY", "ACCOUNT")}
COUNT = 30


def conversation(number: int) -> dict[str, Any]:
    moment = f"2026-03-{number % 28 + 1:02}T14:02:11.480Z"
    said = [{"role": "lead", "content": f"Message {index}", "timestamp": moment} for index in range(number % 7)]
    return {
        "_id": f"{number:024x}",
        "leadId": str(number % 20),
        "agentConfigId": "a" * 24,
        "channel": ("whatsapp", "telegram", "email")[number % 3],
        "leadPhone": f"+1555010{number:04}",
        "status": ("active", "completed", "handed_off", "dropped")[number % 4],
        "messages": said,
        "createdAt": moment,
        "updatedAt": moment,
        **({"qualificationResult": {"qualified": number % 2 == 0, "reason": "Budget."}} if number % 5 else {}),
    }


ERROR = re.compile(r"^\d\S+ \S+ ERROR .*(?:\n(?!\d{4}-).*)*", re.MULTILINE)
"""A line of the log, with its traceback."""


def known_to(server: Running) -> dict[str, str]:
    """What the hooks need to know of the server, as variables."""
    with server.open("/api/conversations?limit=5") as response:
        cursor = response.headers["Link"].partition("cursor=")[2].partition(">")[0]
    return {"PARLEY_OWN_KEY": server.call("GET", "/api/api-keys")[0]["_id"], "PARLEY_CURSOR": cursor}


def main(arguments: list[str]) -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(
            Path(folder), conversations=list(map(conversation, range(COUNT))), WORKERS="2", static=True, **UNLIMITED
        ) as server,
    ):
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml")]
        command += ["run", f"{server.address}/api/schema", "--header", f"X-API-Key: {server.token}", *arguments]
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.schemathesis_hooks", **known_to(server)}
        done = subprocess.run(command, env=environment, cwd=HERE.parent, check=False)
        errors = ERROR.findall((Path(folder) / "log").read_text())
        print(f"{len(errors)} errors in the server's log", *errors[:5], sep="\n")
        return done.returncode or bool(errors)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

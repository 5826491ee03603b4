"""The real server, as ``make run`` starts it, over the demo: static files compressed, DEBUG off."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.servers import free_port
from tests.serving import ROOT, wait_for


class Demo(NamedTuple):
    address: str
    email: str
    password: str


@contextmanager
def demo(folder: Path) -> Iterator[Demo]:
    """A server of its own in ``folder``, which ends with the block."""
    port = str(free_port())
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{folder}/parley.sqlite3",
        "DEBUG": "0",
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-demo-for-tests",
        "BASE_URL": f"http://127.0.0.1:{port}",
        "HOST": "127.0.0.1",
        "PORT": port,
        "WORKERS": "1",
    }

    def manage(*arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True).stdout.decode()

    manage("migrate", "--verbosity=0")
    manage("collectstatic", "--noinput", "--verbosity=0")
    told = re.search(r"(\S+@\S+) {3}(\S+)", manage("load_demo"))
    assert told, "the demo tells whom to sign in as"
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "config.serve"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        wait_for(environment["BASE_URL"], process, folder / "log")
        yield Demo(environment["BASE_URL"], told[1], told[2])
    finally:
        process.terminate()
        process.wait(timeout=20)


def sign_in(page: Any, server: Demo) -> None:
    page.goto(f"{server.address}/login/")
    page.fill("#id_username", server.email)
    page.fill("#id_password", server.password)
    page.click("button[type=submit]")
    page.wait_for_url("**/conversations/")

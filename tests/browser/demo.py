"""The real server, as ``make run`` starts it, over the demo: static files compressed, DEBUG off."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.servers import free_port
from tests.serving import serving


class Demo(NamedTuple):
    address: str
    email: str
    password: str


@contextmanager
def demo(folder: Path) -> Iterator[Demo]:
    """A server of its own in ``folder``, which ends with the block."""
    port = str(free_port())
    with serving(folder, static=True, PORT=port, BASE_URL=f"http://127.0.0.1:{port}") as server:
        told = re.search(r"(\S+@\S+) {3}(\S+)", server.manage("load_demo"))
        assert told, "the demo tells whom to sign in as"
        yield Demo(server.address, told[1], told[2])


def sign_in(page: Any, server: Demo) -> None:
    page.goto(f"{server.address}/login/")
    page.fill("#id_login", server.email)
    page.fill("#id_password", server.password)
    page.click("button[type=submit]")
    page.wait_for_url("**/conversations/")

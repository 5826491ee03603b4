"""What a person types first: the settings in ``.env.example``, the server's refusals, and installing."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from config import serve
from config.serve import Address, CannotServe
from tests.servers import free_port

ROOT = Path(serve.__file__).resolve().parent.parent
ALL_ADDRESSES = "0.0.0.0"  # noqa: S104


def named_in_code() -> set[str]:
    settings = (ROOT / "config" / "settings.py").read_text()
    server = (ROOT / "config" / "serve.py").read_text()
    return set(re.findall(r'\bread\(\s*"([A-Z_]+)"', settings)) | set(
        re.findall(r'(?:env\.str|number)\(\s*"([A-Z_]+)"', server)
    )


def test_env_example_names_every_setting_once() -> None:
    named = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert sorted(named) == sorted(named_in_code())


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "80.5", "٨٠٠٠"])
def test_port_that_is_no_port_is_named(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", port)

    with pytest.raises(CannotServe, match=r"^PORT must be a number from 1 to 65535, not "):
        serve.address_from_environment()


def test_host_that_is_no_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "no such host")

    with pytest.raises(CannotServe, match=r"^HOST=no such host is not an address"):
        serve.address_from_environment()


def test_address_of_another_machine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "192.0.2.1")

    with pytest.raises(CannotServe, match=r"^HOST=192\.0\.2\.1 is not an address of this machine"):
        serve.address_from_environment()


def test_port_in_use_is_answered_with_one_that_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))

        with pytest.raises(CannotServe) as refusal:
            serve.address_from_environment()

    said = re.fullmatch(rf"Port {port} is in use: PORT=(\d+) make run", str(refusal.value))
    assert said
    assert int(said[1]) != port


def test_default_address_is_for_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOST", raising=False)
    monkeypatch.setenv("PORT", str(port := free_port()))

    assert serve.address_from_environment() == Address("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        (ALL_ADDRESSES, "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
    ],
)
def test_url_is_one_that_a_browser_can_open(host: str, url: str) -> None:
    assert Address(host, 8000).url == url


def test_secret_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = serve.secret_key_file(tmp_path / "var" / "secret-key")
    first = path.read_text()
    serve.secret_key_file(path)

    assert len(first) >= 50
    assert path.read_text() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret-key"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what installing needs, and no .venv."""
    requirements = tmp_path / "requirements"
    requirements.mkdir()
    (requirements / "install.sh").write_bytes((ROOT / "requirements" / "install.sh").read_bytes())
    (requirements / "base.txt").touch()
    return tmp_path


def install(checkout: Path, python: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs the installation with a stand-in for Python, a shell script of one line."""
    stand_in = checkout / "python"
    stand_in.write_text(f"#!/bin/sh\n{python}\n")
    stand_in.chmod(0o755)
    return subprocess.run(
        ["/bin/sh", checkout / "requirements" / "install.sh", "base"],
        env={"PATH": "/usr/bin:/bin", "PYTHON": str(stand_in), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_python_that_is_too_old_is_said_in_one_sentence(checkout: Path) -> None:
    answer = install(checkout, "exit 1")

    assert answer.returncode == 1
    assert re.fullmatch(
        r"Parley needs Python 3\.11 or newer, and \S+ is not: name one that is, such as: PYTHON=\S+ make install\n",
        answer.stderr,
    )
    assert not (checkout / ".venv").exists()


def test_missing_venv_module_is_said_with_its_package(checkout: Path) -> None:
    answer = install(checkout, 'case "$2" in *ensurepip*) exit 1 ;; *%d*) echo 3.11 ;; esac')

    assert answer.returncode == 1
    assert "apt-get install python3.11-venv" in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert not (checkout / ".venv").exists()


@pytest.fixture
def server(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """The real server on a free port, as ``make run`` starts it, with an empty store of its own."""
    port = free_port()
    environment = {
        **os.environ,
        "PORT": str(port),
        "WORKERS": "2",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'parley.sqlite3'}",
        "DEBUG": "0",
        "SECRET_KEY": "correct horse battery staple, with some salt",
        "BASE_URL": f"http://127.0.0.1:{port}",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "config.serve"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    process.port = port  # type: ignore[attr-defined]
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):  # the group outlives its leader while a worker is left
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def first_line(server: "subprocess.Popen[str]") -> str:
    assert server.stdout
    return server.stdout.readline()


def children(server: "subprocess.Popen[str]") -> list[Path]:
    processes = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return [Path("/proc") / process for process in processes]


@pytest.mark.server
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_server_ends_with_its_workers(server: "subprocess.Popen[str]", ending: signal.Signals) -> None:
    assert first_line(server).startswith(f"Parley is at http://127.0.0.1:{server.port} ")  # type: ignore[attr-defined]
    workers = children(server)
    assert len(workers) == 2

    server.send_signal(ending)
    server.wait(15)

    if ending != signal.SIGKILL:
        assert server.returncode == 0
    rest, _ = server.communicate(timeout=15)  # ends when the last worker closes its output
    assert "Traceback" not in rest

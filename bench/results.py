"""Where figures go: to the terminal, and into their own section of ``docs/benchmarks.md``."""

import os
import platform
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import django
import orjson

FILE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
Row = Sequence[str]


def table(header: Row, rows: Sequence[Row]) -> str:
    lines = [header, ["---", *(["---:"] * (len(header) - 1))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """What the figures were measured on, and with what."""
    from importlib.metadata import version

    model = "processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (found := re.search(r"model name\s*: (.+)", cpuinfo.read_text())):
        model = found[1].strip()
    versions = f"Python {platform.python_version()}, Django {django.get_version()}, granian {version('granian')}, "
    versions += f"orjson {orjson.__version__}, SQLite {sqlite3.sqlite_version}"
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores ({model}, {platform.machine()}), load {load:.1f} at the end. {versions}."


def publish(name: str, text: str) -> None:
    """Print ``text``, and put it into the section ``name`` of the file, whose other sections stay as they are."""
    text = f"{text.strip()}\n\n{machine()}"
    print(text, flush=True)
    page = FILE.read_text()
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    if begin not in page or end not in page:
        raise SystemExit(f"{FILE} has no section {name}.")
    before, rest = page.split(begin, 1)
    FILE.write_text(f"{before}{begin}{text}\n{end}{rest.split(end, 1)[1]}")

"""What a start loads: modules that nobody needs then take time and memory in each process."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.lean import without

SEEN = """
import os, sys, django
from django.core.management import call_command
django.setup()
call_command("check", verbosity=0)
print(*sys.modules)
"""


def test_a_check_loads_no_driver_of_another_store() -> None:
    environment = {**os.environ, "DATABASE_URL": "sqlite:///var/parley.sqlite3"}
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings"
    done = subprocess.run([sys.executable, "-c", SEEN], env=environment, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "rest_framework.compat" in loaded
    unused = {"psycopg", "pymongo", "django.contrib.postgres.fields", "markdown", "pygments", "requests", "xlsxwriter"}
    assert not loaded & unused


def test_what_is_left_out_can_be_imported_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "of_this_test.py").write_text("number = 1")
    monkeypatch.syspath_prepend(tmp_path)
    with without("of_this_test"), pytest.raises(ImportError):
        importlib.import_module("of_this_test")
    assert importlib.import_module("of_this_test").number == 1
    with without("of_this_test"):
        assert importlib.import_module("of_this_test").number == 1
    del sys.modules["of_this_test"]

"""Every release's stores are taken over, and keeping one is tried with the present code."""

from pathlib import Path

import pytest
from django.db import connection

from tests.upgrade import ROOT, differences, edited, main, make, manifest_of, migrations, releases

STORE = connection.vendor


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("releases") / "kept"
    make(folder, (STORE,))
    return folder


def test_the_present_code_can_be_kept_and_taken_over(kept: Path) -> None:
    assert (kept / f"{STORE}.gz").stat().st_size < 300_000
    manifest = manifest_of(kept)
    rows = {name: table["rows"] for name, table in manifest["tables"][STORE].items()}
    assert rows["conversations.Conversation"] == 12
    assert rows["conversations.Note"] == rows["conversations.ReadMark"] == rows["accounts.Invitation"] == 1
    assert edited(manifest) == []
    assert differences(kept, STORE) == []
    # And what was lost on the way would be noticed.
    told = (kept / "manifest.json").read_text()
    (kept / "manifest.json").write_text(told.replace('"rows": 12,', '"rows": 13,'))
    assert differences(kept, STORE) == ["conversations.Conversation"]


def test_an_edited_or_missing_migration_is_noticed() -> None:
    present = migrations()
    assert {"accounts/migrations/0001_initial.py", "conversations/migrations/0001_initial.py"} < present.keys()
    first = next(iter(present))
    assert edited({"migrations": {**present, first: "0" * 64, "accounts/migrations/0000_gone.py": "0"}}) == [
        first,
        "accounts/migrations/0000_gone.py",
    ]


def test_no_migration_depends_on_whatever_is_the_latest_elsewhere() -> None:
    """What an upgrade of Django or of another library adds would then stand before what is applied long since."""
    assert [name for name in migrations() if "__latest__" in (ROOT / name).read_text()] == []


def test_a_release_is_kept_under_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["make", "../evil"]) == 2
    assert "make VERSION" in capsys.readouterr().err


def test_each_kept_release_is_taken_over() -> None:
    assert {release.name: differences(release, STORE) for release in releases()} == {
        release.name: [] for release in releases()
    }


def test_migrations_of_kept_releases_are_as_they_were() -> None:
    assert {release.name: edited(manifest_of(release)) for release in releases()} == {
        release.name: [] for release in releases()
    }

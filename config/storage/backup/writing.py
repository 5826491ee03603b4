"""Writing a store into a file."""

import gzip
import os
from pathlib import Path
from typing import Any

from django.db import models

from config import __version__
from config.storage.backup.tables import FORMAT, LEVEL, Table, fields_of, hashed, line_of, migrations, tables
from config.storage.moments import format_moment, now
from config.storage.transaction import snapshot_of_all


def write(path: Path) -> list[Table]:
    """Write the store as it is at one moment, while others go on writing. Raises FileExistsError."""
    if path.exists():
        raise FileExistsError(path)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
        try:
            with gzip.open(raw, "wb", compresslevel=LEVEL) as file, snapshot_of_all():
                file.write(line_of(_header()))
                written = [_write_table(file, model) for model in tables()]
                file.write(line_of({"whole": True, "tables": len(written)}))
            raw.flush()
            os.fsync(raw.fileno())
        except BaseException:
            part.unlink()
            raise
    part.rename(path)
    return written


def _header() -> dict[str, Any]:
    return {"parley": __version__, "format": FORMAT, "made_at": format_moment(now()), "migrations": migrations()}


def _write_table(file: gzip.GzipFile, model: type[models.Model]) -> Table:
    file.write(line_of({"table": model._meta.label, "fields": [field.attname for field in fields_of(model)]}))
    table = hashed(model, file)
    file.write(line_of({"rows": table.rows, "sha256": table.sha256}))
    return table

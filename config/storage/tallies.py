"""Running totals of a table, kept by the database itself: whatever changes a row, in whichever way, is counted with it.

Both tables have ``account_id``, ``environment`` and ``status``; the tally adds ``number``, how many rows there are, and
``changes``, which grows with each row that was inserted, updated or deleted. Triggers write in the transaction of the
change, without a statement of ours, so what a reader sees of the tally is what it sees of the table.

On SQLite, where one writes at a time, a group has one row. On PostgreSQL changes do not wait for each other: each adds
a row with its differences, which now and then somebody's change folds into one. So a group's totals are always a sum.
MongoDB has no triggers: there what Django writes is counted, in the same way (``config.storage.mongodb.tallies``).
"""

from functools import partial
from typing import Any

from django.db import connection

from config.storage.counting import differing
from config.storage.triggers import NEW_ID, are_there, keep

GROUP = ("account_id", "environment", "status")

# Two statements for a group that may be new: an upsert is not safe in a trigger, where the conflict clause of the
# statement outside would take the place of its own.
_SQLITE_MORE = """
    INSERT INTO {tally} (_id, account_id, environment, status, number, changes)
        SELECT lower(hex(randomblob(12))), NEW.account_id, NEW.environment, NEW.status, 0, 0 WHERE NOT EXISTS (
            SELECT 1 FROM {tally}
            WHERE account_id = NEW.account_id AND environment = NEW.environment AND status = NEW.status);
    UPDATE {tally} SET number = number + 1, changes = changes + 1
        WHERE account_id = NEW.account_id AND environment = NEW.environment AND status = NEW.status;
"""
_SQLITE_LESS = """
    UPDATE {tally} SET number = number - 1, changes = changes + 1
        WHERE account_id = OLD.account_id AND environment = OLD.environment AND status = OLD.status;
"""
_SQLITE_SAME = """
    UPDATE {tally} SET changes = changes + 1
        WHERE account_id = NEW.account_id AND environment = NEW.environment AND status = NEW.status;
"""
_MOVED = " OR ".join(f"OLD.{name} <> NEW.{name}" for name in GROUP)
_SQLITE = (
    f"CREATE TRIGGER IF NOT EXISTS {{table}}_insert AFTER INSERT ON {{table}} BEGIN {_SQLITE_MORE} END",
    f"CREATE TRIGGER IF NOT EXISTS {{table}}_delete AFTER DELETE ON {{table}} BEGIN {_SQLITE_LESS} END",
    f"CREATE TRIGGER IF NOT EXISTS {{table}}_update AFTER UPDATE ON {{table}} WHEN NOT ({_MOVED}) "
    f"BEGIN {_SQLITE_SAME} END",
    f"CREATE TRIGGER IF NOT EXISTS {{table}}_move AFTER UPDATE ON {{table}} WHEN {_MOVED} "
    f"BEGIN {_SQLITE_LESS} {_SQLITE_MORE} END",
)

FOLD_ONE_IN = 64
"""Of so many changes one folds, so that there is about this number of rows to add up."""

_NEW_ID = NEW_ID["postgresql"]
_NAMES = ", ".join(GROUP)
_INTO = f"INSERT INTO {{tally}} (_id, {_NAMES}, number, changes)"
_POSTGRESQL = (
    f"""
CREATE OR REPLACE FUNCTION {{table}}_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        -- Where the account is being deleted, its tally may have gone first.
        {_INTO} SELECT {_NEW_ID}, {_NAMES}, -count(*), count(*) FROM old_rows
            WHERE EXISTS (SELECT 1 FROM {{tally}} WHERE {{tally}}.account_id = old_rows.account_id)
            GROUP BY {_NAMES};
        RETURN NULL;
    ELSIF TG_OP = 'INSERT' THEN
        {_INTO} SELECT {_NEW_ID}, {_NAMES}, count(*), count(*) FROM new_rows GROUP BY {_NAMES};
    ELSE
        {_INTO} SELECT {_NEW_ID}, {_NAMES}, sum(number), sum(changes) FROM (
            SELECT {_NAMES}, 1 AS number, 1 AS changes FROM new_rows
            UNION ALL SELECT {_NAMES}, -1, 0 FROM old_rows
        ) AS sides GROUP BY {_NAMES};
    END IF;
    IF random() * {FOLD_ONE_IN} < 1 THEN
        -- Whoever folds at the same moment takes other rows: nobody waits.
        WITH folded AS (
            DELETE FROM {{tally}} WHERE _id IN (
                SELECT _id FROM {{tally}} WHERE account_id IN (SELECT account_id FROM new_rows) FOR UPDATE SKIP LOCKED
            ) RETURNING {_NAMES}, number, changes
        ) {_INTO} SELECT {_NEW_ID}, {_NAMES}, sum(number), sum(changes) FROM folded GROUP BY {_NAMES};
    END IF;
    RETURN NULL;
END $$""",  # noqa: S608  built from the constants of this file
    "CREATE OR REPLACE TRIGGER {table}_insert AFTER INSERT ON {table} "
    "REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION {table}_tally()",
    "CREATE OR REPLACE TRIGGER {table}_update AFTER UPDATE ON {table} "
    "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION {table}_tally()",
    "CREATE OR REPLACE TRIGGER {table}_delete AFTER DELETE ON {table} "
    "REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION {table}_tally()",
)


def keep_tally(*, table: str, tally: str) -> None:
    """From now on ``tally`` counts the rows and the changes of ``table``. Repeating it changes nothing."""
    if not are_there(table, tally):
        return
    if connection.vendor == "mongodb":
        from config.storage.mongodb import tallies

        tallies.keep_tally(connection, table=table, tally=tally)
        return
    statements = _SQLITE if connection.vendor == "sqlite" else _POSTGRESQL
    names = {"table": table, "tally": tally}
    keep(f"{table}_update", (each.format(**names) for each in statements), partial(recount, **names))


def wrong_totals(*, table: str, tally: str) -> int:
    """Of how many groups the number is not what counting all rows anew finds."""
    if connection.vendor == "mongodb":
        from config.storage.mongodb import tallies

        return tallies.wrong_totals(connection, table=table, tally=tally)
    kept = f"SELECT {_NAMES}, sum(number) FROM {tally} GROUP BY {_NAMES} HAVING sum(number) <> 0"  # noqa: S608
    counted = f"SELECT {_NAMES}, count(*) FROM {table} GROUP BY {_NAMES}"  # noqa: S608
    return differing(kept, counted, keys=GROUP)


def recount(cursor: Any, *, table: str, tally: str) -> None:
    """Count what is there already; nobody may change a row meanwhile.

    Changes go on from what they were, also where nothing is left: no total ever stands for two states.
    """
    cursor.execute(f"SELECT coalesce(sum(changes), 0) FROM {tally}")  # noqa: S608
    before = cursor.fetchone()[0]
    cursor.execute(f"SELECT DISTINCT {_NAMES} FROM {tally}")  # noqa: S608
    groups = cursor.fetchall()
    cursor.execute(f"DELETE FROM {tally}")  # noqa: S608
    into = f"INSERT INTO {tally} (_id, {_NAMES}, number, changes) "
    into += f"SELECT {NEW_ID[connection.vendor]}, "
    cursor.execute(f"{into} {_NAMES}, count(*), sum(revision) + %s FROM {table} GROUP BY {_NAMES}", [before])
    same = " AND ".join(f"{name} = %s" for name in GROUP)
    for group in groups:
        cursor.execute(
            f"{into} %s, %s, %s, 0, %s WHERE NOT EXISTS (SELECT 1 FROM {tally} WHERE {same})",  # noqa: S608
            [*group, before, *group],
        )

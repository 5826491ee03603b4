"""Many conversations made of few, by the store itself, past what follows their changes: minutes instead of hours."""

from typing import Any

from django.core.management import call_command
from django.db import connection

from bench.data import know_tables
from conversations.models import Conversation

TABLE = Conversation._meta.db_table
MOMENTS = ("updated_at", "created_at", "status_changed_at")


def fill(number: int, made: int) -> None:
    """Up to ``number``, by copies of the ``made`` that there are: each turn a second earlier, and half by new leads.

    What is kept of them is counted afterwards, as the product does it.
    """
    if connection.vendor == "mongodb":
        _fill_mongodb(number, made)
    else:
        _fill_sql(number, made)
    call_command("check_figures", rebuild=True)
    know_tables()


def _fill_sql(number: int, made: int) -> None:
    is_sqlite = connection.vendor == "sqlite"
    parts: list[tuple[str, str, str]] = []
    with connection.cursor() as cursor:
        if is_sqlite:  # indexes are made faster at the end
            cursor.execute(
                "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL AND type <> 'table'",
                [TABLE],
            )
            parts = cursor.fetchall()
        for kind, name, _ in parts:
            cursor.execute(f"DROP {kind} {name}")
        if not is_sqlite:
            cursor.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER USER")
            cursor.execute(f"CREATE TABLE bench_made AS TABLE {TABLE}")
        names = [str(field.column) for field in Conversation._meta.concrete_fields]
        source = f"{TABLE} ORDER BY rowid" if is_sqlite else "bench_made"
        for done in range(made, number, made):
            values = ", ".join(_copied(names, done // made, is_sqlite=is_sqlite).values())
            cursor.execute(
                f"INSERT INTO {TABLE} ({', '.join(names)}) SELECT {values} FROM {source} LIMIT %s",  # noqa: S608
                [min(made, number - done)],
            )
        if not is_sqlite:
            cursor.execute("DROP TABLE bench_made")
            cursor.execute(f"ALTER TABLE {TABLE} ENABLE TRIGGER USER")
        for _, _, sql in parts:
            cursor.execute(sql)


def _copied(names: list[str], turn: int, *, is_sqlite: bool) -> dict[str, str]:
    new = "lower(hex(randomblob(12)))" if is_sqlite else "substr(replace(gen_random_uuid()::text, '-', ''), 1, 24)"
    values = {name: name for name in names} | {"_id": new}
    if turn % 2:
        values["lead_id"] = f"lead_id || '-{turn}'"
    earlier = "strftime('%%Y-%%m-%%d %%H:%%M:%%f', {}, '-{} seconds')" if is_sqlite else "{} - interval '{} seconds'"
    return values | {name: earlier.format(name, turn) for name in MOMENTS}


def _fill_mongodb(number: int, made: int) -> None:
    store: Any = connection
    store.ensure_connection()
    rows = store.database[TABLE]
    indexes = {name: spec for name, spec in rows.index_information().items() if name != "_id_"}
    rows.drop_indexes()
    rows.aggregate([{"$out": "bench_made"}])
    for done in range(made, number, made):
        turn = done // made
        earlier = {name: {"$subtract": [f"${name}", turn * 1_000]} for name in MOMENTS}
        lead = {"lead_id": {"$concat": ["$lead_id", f"-{turn}"]}} if turn % 2 else {}
        store.database["bench_made"].aggregate(
            [{"$limit": min(made, number - done)}, {"$set": {**earlier, **lead}}, {"$unset": "_id"},
             {"$merge": {"into": TABLE}}]
        )  # fmt: skip
    store.database["bench_made"].drop()
    for name, spec in indexes.items():
        rows.create_index(spec["key"], name=name, unique=spec.get("unique", False))


def give(agent: str, number: int) -> None:
    """An agent of so many among the conversations, evenly spread."""
    ids = list(Conversation.objects.order_by("created_at").values_list("pk", flat=True).iterator())
    Conversation.objects.filter(pk__in=ids[:: max(1, len(ids) // number)]).update(agent_config_id=agent)

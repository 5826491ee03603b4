"""The tables and triggers of the index on SQLite (``config.storage.search.sqlite``)."""
# ruff: noqa: S608 - the names are the index's and the columns', which the models say

from config.storage.search.index import SubstringIndex

TRIGGERS = ("insert", "append", "replace", "delete")


def tables(index: SubstringIndex, columns: dict[str, str]) -> list[str]:
    """The tables, with what is there already."""
    name, text, pk, owner = index.name, columns[index.fields[-1]], columns["id"], _owner(index, columns, "it")
    return [
        # 2^40 documents an owner
        f"CREATE TABLE IF NOT EXISTS {name}_owner (number integer PRIMARY KEY, owner text NOT NULL UNIQUE,"
        " first integer AS (number << 40), last integer AS ((number + 1 << 40) - 1))",
        f"CREATE TABLE IF NOT EXISTS {name}_part (docid integer PRIMARY KEY, row varchar(24) NOT NULL,"
        " start integer NOT NULL, length integer NOT NULL)",
        f"CREATE INDEX IF NOT EXISTS {name}_part_row ON {name}_part (row)",
        # No column sizes: they serve a ranking that nobody asks for.
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {name} USING fts5"
        "(text, content='', columnsize=0, tokenize='trigram case_sensitive 1')",
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {name}_gram USING fts5vocab('{name}', 'instance')",
        # What is there already, where the index is new
        f"INSERT OR IGNORE INTO {name}_owner (owner) SELECT DISTINCT {owner} FROM %(table)s it",
        f"INSERT INTO {name}_part (docid, row, start, length) SELECT"
        f" first + row_number() OVER (PARTITION BY number ORDER BY it.{columns[index.along]}),"
        f" it.{pk}, 1, length(it.{text}) FROM %(table)s it JOIN {name}_owner ON owner = {owner}"
        f" WHERE NOT EXISTS (SELECT 1 FROM {name}_part)",
        f"INSERT INTO {name} (rowid, text) SELECT docid, it.{text} || char(31, 31) FROM {name}_part"
        f" JOIN %(table)s it ON it.{pk} = row WHERE NOT EXISTS (SELECT 1 FROM {name}_gram) ORDER BY docid",
    ]


def triggers(index: SubstringIndex, columns: dict[str, str]) -> list[str]:
    """They keep it in the transaction of each change."""
    name, text, pk, owner = index.name, columns[index.fields[-1]], columns["id"], _owner(index, columns, "NEW")

    def add(start: str, length: str, added: str) -> str:
        return (
            f"INSERT INTO {name}_part (docid, row, start, length) SELECT 1 + coalesce((SELECT max(docid)"
            f" FROM {name}_part WHERE docid BETWEEN first AND last), first), NEW.{pk}, {start}, {length}"
            f" FROM {name}_owner WHERE owner = {owner};"
            f" INSERT INTO {name} (rowid, text) SELECT max(docid), {added} || char(31, 31)"
            f" FROM {name}_part WHERE row = NEW.{pk};"
        )

    add_whole = f"INSERT OR IGNORE INTO {name}_owner (owner) VALUES ({owner}); " + add(
        "1", f"length(NEW.{text})", f"NEW.{text}"
    )
    add_rest = add(
        f"length(OLD.{text}) + 1",
        f"length(NEW.{text}) - length(OLD.{text})",
        f"substr(NEW.{text}, length(OLD.{text}) + 1)",
    )
    forget = (
        f"INSERT INTO {name} ({name}, rowid, text) SELECT 'delete', docid,"
        f" substr(OLD.{text}, start, length) || char(31, 31) FROM {name}_part WHERE row = OLD.{pk};"
        f" DELETE FROM {name}_part WHERE row = OLD.{pk};"
    )
    is_append = (
        f"substr(NEW.{text}, length(OLD.{text}) + 1, 1) = char(31)"
        f" AND substr(NEW.{text}, 1, length(OLD.{text})) = OLD.{text}"
    )
    update = f"AFTER UPDATE OF {text} ON %(table)s WHEN NEW.{text} <> OLD.{text}"
    return [
        f"CREATE TRIGGER {name}_insert AFTER INSERT ON %(table)s BEGIN {add_whole} END",
        f"CREATE TRIGGER {name}_append {update} AND {is_append} BEGIN {add_rest} END",
        f"CREATE TRIGGER {name}_replace {update} AND NOT ({is_append}) BEGIN {forget} {add_whole} END",
        f"CREATE TRIGGER {name}_delete AFTER DELETE ON %(table)s BEGIN {forget} END",
    ]


def _owner(index: SubstringIndex, columns: dict[str, str], row: str) -> str:
    return " || '/' || ".join(f"{row}.{columns[field]}" for field in index.fields[:-1])

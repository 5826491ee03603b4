"""The tables and triggers of the index on SQLite (``config.storage.search.sqlite``)."""
# ruff: noqa: S608 - the names are the index's and the columns', which the models say

from string import ascii_lowercase

from config.storage.search.index import SubstringIndex
from config.storage.search.joints import DIGITS

TRIGGERS = ("insert", "append", "replace", "move", "delete")

TABLES = ("_gram", "", "_digits", "_block", "_row", "_owner")

PART = 13
"""Bits of a document's number that are the part's place in its text: 8,192, and no text has as many."""

ROW = 27
"""Bits of a row's number that tell the rows of one owner apart."""

BLOCK = 8
"""Bits of a row's number that tell the rows of one block apart."""

VOWELS = "aeiou аеиоуыэюяё"
"""What is left out of a skeleton: a trigram of it spans five to seven characters, and words."""

BACKSLASH = "ｋ"
"""Stands for one while a text is taken apart as JSON: folding leaves none of these letters in a text."""

PUNCTUATION = " +()./-"
"""Of numbers."""

LONGEST = 64
"""Characters of a part that is taken for a number."""


def skeleton(text: str) -> str:
    """What stands of ``text`` in the index beside it, in capitals, which no folded text has.

    That of a piece is a piece of that of the whole.
    """
    return text.translate(_LEFT_OUT)


def is_number(text: str) -> bool:
    return not text.strip(f"0123456789{PUNCTUATION}")


def digits_of(text: str) -> str:
    """Those of a number, however it is written."""
    return text.translate(_DIGITS)


_DIGITS = {ord(letter): str(digit) for digit, letter in enumerate(DIGITS)} | {ord(each): "" for each in PUNCTUATION}
_LEFT_OUT = {ord(small): small.upper() for small in ascii_lowercase} | {ord(vowel): "" for vowel in VOWELS}


def tables(index: SubstringIndex, columns: dict[str, str]) -> list[str]:
    """The tables, with what is there already."""
    name, text, pk, owner = index.name, columns[index.fields[-1]], columns["id"], _owner(index, columns, "it")
    along = columns[index.along]
    rows = f"{name}_row r JOIN %(table)s it ON it.{pk} = r.row"
    return [
        # All documents of an owner are those from first to last
        f"CREATE TABLE IF NOT EXISTS {name}_owner (number integer PRIMARY KEY, owner text NOT NULL UNIQUE,"
        f" first integer AS (number << {ROW + PART}), last integer AS ((number + 1 << {ROW + PART}) - 1))",
        f"CREATE TABLE IF NOT EXISTS {name}_row (number integer PRIMARY KEY, row varchar(24) NOT NULL UNIQUE,"
        " moment text NOT NULL)",
        # No row of a block changed later
        f"CREATE TABLE IF NOT EXISTS {name}_block (number integer PRIMARY KEY, newest text NOT NULL)",
        f"CREATE TABLE IF NOT EXISTS {name}_digits (owner integer NOT NULL, digits text NOT NULL,"
        " number integer NOT NULL, PRIMARY KEY (owner, digits, number)) WITHOUT ROWID",
        # No places, and no column sizes: they serve phrases and a ranking that nobody asks for.
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {name} USING fts5"
        "(text, content='', columnsize=0, detail=none, tokenize='trigram case_sensitive 1')",
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {name}_gram USING fts5vocab('{name}', 'instance')",
        # What is there already, where the index is new
        f"INSERT OR IGNORE INTO {name}_owner (owner) SELECT DISTINCT {owner} FROM %(table)s it",
        f"INSERT INTO {name}_row (number, row, moment) SELECT"
        f" (number << {ROW}) + row_number() OVER (PARTITION BY number ORDER BY it.{along}), it.{pk}, it.{along}"
        f" FROM %(table)s it JOIN {name}_owner ON owner = {owner} WHERE NOT EXISTS (SELECT 1 FROM {name}_row)",
        f"INSERT INTO {name}_block SELECT number >> {BLOCK}, max(moment) FROM {name}_row"
        f" WHERE NOT EXISTS (SELECT 1 FROM {name}_block) GROUP BY 1",
        f"INSERT INTO {name}_digits {_ends('r.number', _parts(f'it.{text}'), rows)}"
        f" AND NOT EXISTS (SELECT 1 FROM {name}_digits)",
        f"INSERT INTO {name} (rowid, text) {_documents('r.number', '0', _parts(f'it.{text}'), rows)}"
        f" AND NOT EXISTS (SELECT 1 FROM {name}_gram)",
    ]


def triggers(index: SubstringIndex, columns: dict[str, str]) -> list[str]:
    """They keep it in the transaction of each change."""
    name, text, pk, owner = index.name, columns[index.fields[-1]], columns["id"], _owner(index, columns, "NEW")
    along = columns[index.along]

    def mine(row: str) -> str:
        return f"(SELECT number FROM {name}_row WHERE row = {row}.{pk})"

    moved = (
        f" INSERT INTO {name}_block VALUES ({mine('NEW')} >> {BLOCK}, NEW.{along})"
        " ON CONFLICT (number) DO UPDATE SET newest = max(newest, excluded.newest);"
    )
    number = (
        f"INSERT OR IGNORE INTO {name}_owner (owner) VALUES ({owner});"
        f" INSERT INTO {name}_row (number, row, moment) SELECT 1 + coalesce((SELECT max(number) FROM {name}_row"
        f" WHERE number BETWEEN first >> {PART} AND last >> {PART}), first >> {PART}), NEW.{pk}, NEW.{along}"
        f" FROM {name}_owner WHERE owner = {owner};{moved}"
    )

    def add(before: str, parts: str) -> str:
        return (
            f" INSERT OR IGNORE INTO {name}_digits {_ends(mine('NEW'), parts)};"
            f" INSERT INTO {name} (rowid, text) {_documents(mine('NEW'), before, parts)};"
        )

    whole, rest = add("0", _parts(f"NEW.{text}")), _parts(f"substr(NEW.{text}, length(OLD.{text}) + 1)")
    before = f"(length(OLD.{text}) - length(replace(OLD.{text}, char(31), '')))"
    gone = _documents(mine("OLD"), "0", _parts(f"OLD.{text}"), first="'delete', ")
    forget = (
        f"INSERT INTO {name} ({name}, rowid, text) {gone};"
        f" DELETE FROM {name}_digits WHERE (owner, digits, number) IN ({_ends(mine('OLD'), _parts(f'OLD.{text}'))});"
    )
    is_append = (
        f"substr(NEW.{text}, length(OLD.{text}) + 1, 1) = char(31)"
        f" AND substr(NEW.{text}, 1, length(OLD.{text})) = OLD.{text}"
    )
    update = f"AFTER UPDATE OF {text} ON %(table)s WHEN NEW.{text} <> OLD.{text}"
    return [
        f"CREATE TRIGGER {name}_insert AFTER INSERT ON %(table)s BEGIN {number}{whole} END",
        f"CREATE TRIGGER {name}_append {update} AND {is_append} BEGIN{add(before, rest)} END",
        f"CREATE TRIGGER {name}_replace {update} AND NOT ({is_append}) BEGIN {forget}{whole} END",
        f"CREATE TRIGGER {name}_move AFTER UPDATE OF {along} ON %(table)s WHEN NEW.{along} <> OLD.{along}"
        f" BEGIN UPDATE {name}_row SET moment = NEW.{along} WHERE row = NEW.{pk};{moved} END",
        f"CREATE TRIGGER {name}_delete AFTER DELETE ON %(table)s BEGIN {forget}"
        f" DELETE FROM {name}_row WHERE row = OLD.{pk}; END",
    ]


def _owner(index: SubstringIndex, columns: dict[str, str], row: str) -> str:
    return " || '/' || ".join(f"{row}.{columns[field]}" for field in index.fields[:-1])


def _parts(text: str) -> str:
    """The parts of a text, from 0 on: a JSON array is taken apart in one go, however many there are."""
    quoted = f"json_quote(replace({text}, char(92), '{BACKSLASH}'))"
    return f"json_each('[' || replace({quoted}, '\\u001f', '\",\"') || ']')"


def _is_number(part: str) -> str:
    """What has its digits in the index, and nothing else."""
    return (
        f"({part} GLOB '[{DIGITS[0]}-{DIGITS[-1]}]*' OR length({part}) <= {LONGEST} AND {part} GLOB '*[0-9]*'"
        f" AND {part} NOT GLOB '*[^{PUNCTUATION[:-1]}0-9-]*')"
    )


def _documents(number: str, before: str, parts: str, rows: str = "", first: str = "") -> str:
    """A document for each part: what it says, two separators, so that its last characters begin trigrams too, and its
    skeleton.
    """
    said = "said"
    for vowel in VOWELS:
        said = f"replace({said}, '{vowel}', '')"
    joined = f"{rows} CROSS JOIN " if rows else ""
    return (
        f"SELECT {first}number, said || char(31, 31) || upper({said}) FROM ("
        f"SELECT ({number} << {PART}) + {before} + key AS number, replace(value, '{BACKSLASH}', char(92)) AS said"
        f" FROM {joined}{parts} WHERE value <> '' AND NOT {_is_number('value')}) WHERE 1"
    )


def _ends(number: str, parts: str, rows: str = "") -> str:
    """All that the digits of a number end with: whatever they hold begins one of those."""
    digits = "value"
    for letter, digit in _DIGITS.items():
        digits = f"replace({digits}, '{chr(letter)}', '{digit}')"
    joined = f"{rows} CROSS JOIN " if rows else ""
    places = "'[0' || replace(hex(zeroblob(length(digits) - 1)), '00', ',0') || ']'"  # as many as there are digits
    return (
        f"SELECT DISTINCT number >> {ROW}, substr(digits, place.key + 1), number FROM"
        f" (SELECT {number} AS number, {digits} AS digits FROM {joined}{parts} WHERE {_is_number('value')})"
        f" CROSS JOIN json_each({places}) place WHERE 1"
    )

"""All that a store holds as one file, which any other store can take in.

The file is gzipped lines of JSON. The first says what it is; then, table by table, an object that names the table and
its fields, an array for each row, and an object with the number of rows and the SHA-256 of their lines; the last object
says that the file is whole. Rows stand in the order of their ids, moments to the millisecond, so that the same rows
give the same lines on every store.
"""

from config.storage.backup.reading import check, restore
from config.storage.backup.tables import BadBackup, NotEmpty, Table, differing, tables
from config.storage.backup.writing import write

__all__ = ["BadBackup", "NotEmpty", "Table", "check", "differing", "restore", "tables", "write"]

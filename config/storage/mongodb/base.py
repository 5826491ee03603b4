"""The database engine ``config.storage.mongodb``."""

from typing import Any

from django_mongodb_backend.base import DatabaseWrapper as MongoDatabaseWrapper
from django_mongodb_backend.operations import DatabaseOperations as MongoDatabaseOperations
from django_mongodb_backend.schema import DatabaseSchemaEditor as MongoDatabaseSchemaEditor
from django_mongodb_backend.utils import OperationDebugWrapper
from pymongo import ASCENDING, IndexModel
from pymongo.collection import Collection


class DatabaseOperations(MongoDatabaseOperations):
    compiler_module = "config.storage.mongodb.compiler"


class DatabaseSchemaEditor(MongoDatabaseSchemaEditor):
    def add_index(
        self,
        model: Any,
        index: Any,
        *,
        field: Any = None,
        unique: bool = False,
        column_prefix: str = "",
        parent_model: Any = None,
    ) -> None:
        """Make unique indexes whole where no field may be null.

        The backend makes them partial, so that nulls may repeat; but a partial index answers no look-up, and every
        ``get(digest=…)`` would read the whole collection.
        """
        fields = [field] if field else [model._meta.get_field(name) for name, _ in index.fields_orders]
        if not unique or column_prefix or index.condition or any(each.null for each in fields):
            super().add_index(
                model, index, field=field, unique=unique, column_prefix=column_prefix, parent_model=parent_model
            )
            return
        keys = [(each.column, ASCENDING) for each in fields]
        self.get_collection(model._meta.db_table).create_indexes([IndexModel(keys, name=index.name, unique=True)])


class LoggedCollection(OperationDebugWrapper):
    """Of the backend's own, which logs the methods that it uses, with the one that we use besides."""

    def find_one_and_update(self, *args: Any, **options: Any) -> Any:
        duration, found = self.profile_call(self.wrapped.find_one_and_update, args, options)
        self.log("find_one_and_update", duration, args)
        return found


class DatabaseWrapper(MongoDatabaseWrapper):
    ops_class = DatabaseOperations
    SchemaEditorClass = DatabaseSchemaEditor

    def get_collection(self, name: str, **kwargs: Any) -> Any:
        collection = Collection(self.database, name, **kwargs)
        return LoggedCollection(self, collection) if self.queries_logged else collection

"""Django's own apps, with a primary key that MongoDB can make."""

from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.apps import AuthConfig
from django.contrib.contenttypes.apps import ContentTypesConfig
from django.contrib.sessions.apps import SessionsConfig

AUTO_FIELD = "config.storage.mongodb.fields.ObjectIdAutoField"


class MongoAdminConfig(AdminConfig):
    default = False
    default_auto_field = AUTO_FIELD


class MongoAuthConfig(AuthConfig):
    default = False
    default_auto_field = AUTO_FIELD


class MongoContentTypesConfig(ContentTypesConfig):
    default = False
    default_auto_field = AUTO_FIELD


class MongoSessionsConfig(SessionsConfig):
    default = False
    default_auto_field = AUTO_FIELD

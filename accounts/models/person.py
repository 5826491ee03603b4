"""People, and what they may do in which account."""

from typing import Any

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models

from accounts.models.account import Account
from accounts.models.preferences import Preferences
from accounts.scopes import Role, scopes_of
from accounts.validators import EachIn, validate_text
from config.storage.fields import ObjectIdField
from config.storage.moments import now


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = User(email=normalize_email(email), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(force_insert=True)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=normalize_email(username or ""))


def normalize_email(email: str) -> str:
    """One person, one spelling: nobody means two people by ``Ana@`` and ``ana@``."""
    return email.strip().lower()


class User(AbstractUser, Preferences):
    """A person who signs in by e-mail. Belongs to accounts through memberships."""

    id = ObjectIdField(primary_key=True)
    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100, blank=True, validators=[validate_text])

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    objects = UserManager()  # type: ignore[assignment,misc]

    class Meta:
        ordering = ("email",)

    def __str__(self) -> str:
        return self.name or self.email

    def clean(self) -> None:
        self.email = normalize_email(self.email)

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.partition(" ")[0] or self.email.partition("@")[0]


class Membership(models.Model):
    """A person's place in an account. The scopes of several roles add up."""

    id = ObjectIdField(primary_key=True)
    account: "models.ForeignKey[Any, Account]" = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="memberships"
    )
    user: "models.ForeignKey[Any, User]" = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    roles = models.JSONField(default=list, validators=[EachIn(Role)])
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("created_at", "id")
        constraints = (models.UniqueConstraint(fields=("account", "user"), name="membership_once_per_account"),)

    def __str__(self) -> str:
        return f"{self.user} in {self.account}"

    @property
    def scopes(self) -> frozenset[str]:
        return scopes_of(self.roles)

    def has_scope(self, scope: str) -> bool:
        return scope in self.scopes

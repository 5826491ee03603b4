"""Lists that somebody wants to come back to."""

from typing import Any

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, AuditEvent, User
from accounts.validators import validate_text
from config.storage.fields import ObjectIdField
from config.storage.moments import now
from config.storage.transaction import atomic

MAX_QUERY_LENGTH = 2_000


class SavedViewManager(models.Manager["SavedView"]):
    def shown_to(self, user: User) -> models.QuerySet["SavedView"]:
        """A person's own views, and those that others share. Of one account: ``account.saved_views.shown_to(user)``."""
        return self.filter(Q(user=user) | Q(is_shared=True)).select_related("user")

    @atomic
    def save_view(self, *, account: Account, by: User, name: str, query: str, is_shared: bool) -> "SavedView":
        """Raises ValidationError. A view of the same person and name is replaced."""
        view = SavedView(account=account, user=by, name=name, query=query, is_shared=is_shared)
        view.clean_fields(exclude=["account", "user"])
        known = self.filter(account=account, user=by, name=name).first()
        if known:
            view.pk, view.created_at = known.pk, known.created_at
        view.save(force_update=known is not None)
        view.log("saved_view.saved", by=by)
        return view


class SavedView(models.Model):
    """A list by name: its search, filters and order, as they stand in the URL. Holds for live and test alike."""

    id = ObjectIdField(primary_key=True)
    account: "models.ForeignKey[Any, Account]" = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="saved_views", db_index=False
    )
    user: "models.ForeignKey[Any, User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    name = models.CharField(max_length=60, validators=[validate_text])
    query = models.TextField(
        blank=True, max_length=MAX_QUERY_LENGTH, validators=[MaxLengthValidator(MAX_QUERY_LENGTH), validate_text]
    )
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=now, editable=False)

    objects = SavedViewManager()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint(fields=("account", "user", "name"), name="saved_view_once"),)

    def __str__(self) -> str:
        return self.name

    @atomic
    def remove(self, *, by: User) -> None:
        self.log("saved_view.removed", by=by)
        self.delete()

    def log(self, action: str, *, by: User) -> None:
        AuditEvent.objects.log(
            action,
            account=self.account,
            by=by,
            resource=self,
            metadata={"name": self.name, "is_shared": self.is_shared},
        )

"""What tells of the past: the audit log, invitations, and requests that are remembered."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import AccountFilter, ReadOnlyAdmin, account_of
from accounts.models import Account, AuditEvent, IdempotentRequest, Invitation
from config.storage.fields import is_object_id


@admin.register(IdempotentRequest)
class IdempotentRequestAdmin(ReadOnlyAdmin):
    """Which requests are remembered; never what was answered, which may hold a secret."""

    list_display = ("created_at", "account", "environment", "status")
    fetched = ("account",)
    fields = readonly_fields = ("id", "account", "environment", "status", "claimed_at", "created_at")


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Who is invited where; never the digest. An account's owners send and withdraw invitations themselves."""

    list_display = ("email", "account", "roles", "invited_by", "expires_at", "sent_at")
    list_filter = (AccountFilter,)
    fetched = ("account", "invited_by")
    search_fields = ("email", "account__name")
    fields = readonly_fields = ("account", "email", "roles", "invited_by", "created_at", "expires_at", "sent_at")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("timestamp", "account", "actor_type", "actor_name", "action", "resource_type", "resource_id")
    list_filter = (AccountFilter,)
    fetched = ("account",)
    search_fields = ("resource_id",)
    search_help_text = _("The id of what was changed; or the beginning of an account's name")

    def get_ordering(self, request: HttpRequest) -> Any:
        return ("-timestamp", "-pk") if account_of(request) else ("-pk",)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[QuerySet[Any], bool]:
        """By indexes, which begin with the account."""
        if not search_term:
            return queryset, False
        if is_object_id(search_term):
            accounts = [account_of(request)] if account_of(request) else Account.objects.values_list("pk", flat=True)
            return queryset.filter(account_id__in=list(accounts), resource_id=search_term), False
        named = Account.objects.filter(name__istartswith=search_term).values_list("pk", flat=True)[:20]
        return queryset.filter(account_id__in=list(named)), False

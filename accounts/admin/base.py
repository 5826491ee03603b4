"""What the admin's pages have in common: lists that stay fast at a million rows, and a record of what operators do."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, AuditEvent, User
from config.storage.counting import count_up_to
from config.storage.fields import is_object_id

LISTED = 10_000
"""Rows that somebody can page to in the admin: to skip more takes longer than a page. Filters lead to the rest."""

ACCOUNTS_OFFERED = 30


class BoundedPaginator(Paginator):
    """Counts up to a bound: no store reads on beyond it."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return count_up_to(LISTED + 1, [rows.order_by().values_list("pk")])[0]

    @property
    def is_cut(self) -> bool:
        return self.count > LISTED

    @cached_property
    def num_pages(self) -> int:
        return max(1, -(-min(self.count, LISTED) // self.per_page))


class AtScale(admin.ModelAdmin):
    """A list whose page costs the same however many rows there are.

    It is read from an index: by the primary key, whose ids grow with time, or inside one account in the account's own
    order. Other columns do not sort it. What it shows of other tables is fetched for the rows of the page.
    """

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 50
    sortable_by = ()
    list_select_related = ()
    fetched: tuple[str, ...] = ()
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found = super().get_queryset(request)
        return found.prefetch_related(*self.fetched) if is_list(request) else found


class AccountFilter(admin.SimpleListFilter):
    """The first accounts by name, and the one that is chosen; others are a link away, on the account's page."""

    title = _("account")
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        offered = list(Account.objects.values_list("pk", "name")[:ACCOUNTS_OFFERED])
        if (chosen := account_of(request)) and chosen not in [pk for pk, _ in offered]:
            offered += Account.objects.filter(pk=chosen).values_list("pk", "name")
        return offered

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        chosen = account_of(request)
        return queryset.filter(account_id=chosen) if chosen else queryset.none()


class Audited(admin.ModelAdmin):
    """What an operator changes stands in the log of each account that it concerns, in the change's transaction."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.audit(request, obj, "added", message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if message:
            self.audit(request, obj, "changed", message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self.audit(request, obj, "deleted", "")
        return super().log_deletions(request, queryset)

    def audit(self, request: HttpRequest, obj: Any, verb: str, message: Any) -> None:
        for account in self.accounts_of(obj):
            AuditEvent.objects.log(
                f"{self.model._meta.model_name}.{verb}_in_admin",
                account=account,
                by=operator_of(request),
                resource=obj,
                metadata={"name": str(obj)[:200], **({"changes": message} if message else {})},
            )

    def accounts_of(self, obj: Any) -> Iterable[Account]:
        if isinstance(obj, User):
            return [membership.account for membership in obj.memberships.select_related("account")]
        return [obj.account]


class ReadOnlyAdmin(AtScale):
    """What tells of the past is looked at, not changed."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ChoicesField(forms.TypedMultipleChoiceField):
    """Several of a vocabulary, as a list of strings."""

    widget = forms.CheckboxSelectMultiple

    def clean(self, value: Any) -> list[str]:
        return [str(item) for item in super().clean(value)]


def operator_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the admin lets nobody else in
    return request.user


def is_list(request: HttpRequest) -> bool:
    match = request.resolver_match
    return bool(match and match.url_name and match.url_name.endswith("_changelist"))


def account_of(request: HttpRequest) -> str:
    """The id of the account that a list is narrowed to; empty for all."""
    chosen = request.GET.get("account", "")
    return chosen if is_object_id(chosen) else ""

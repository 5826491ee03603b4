"""Accounts: opened, renamed, limited and suspended here, never deleted."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import AtScale, operator_of
from accounts.models import Account, ApiKey, Environment, User
from accounts.scopes import Scope

admin.site.site_header = admin.site.site_title = "Parley"
admin.site.index_title = _("Operation")


class NewAccountForm(forms.ModelForm):
    owner = forms.ModelChoiceField(
        User.objects.filter(is_active=True), label=_("Owner"), help_text=_("Decides who else may do what.")
    )

    class Meta:
        model = Account
        fields = ("name", "owner")


@admin.register(Account)
class AccountAdmin(AtScale):
    list_display = ("name", "id", "created_at", "is_at_work")
    search_fields = ("name", "id")
    ordering = ("name", "pk")
    readonly_fields = ("id", "created_at", "suspended_at", "belongings")
    actions = ("suspend", "reinstate", "issue_first_key")

    @admin.display(description=_("At work"), boolean=True)
    def is_at_work(self, account: Account) -> bool:
        return account.suspended_at is None

    @admin.display(description=_("What it has"))
    def belongings(self, account: Account) -> str:
        lists = (
            (_("Conversations"), "conversations_conversation", "&environment=live"),
            (_("Test conversations"), "conversations_conversation", "&environment=test"),
            (_("Members"), "accounts_membership", ""),
            (_("API keys"), "accounts_apikey", ""),
            (_("Audit log"), "accounts_auditevent", ""),
        )
        links = (
            (f"{reverse(f'admin:{name}_changelist')}?account={account.pk}{query}", label)
            for label, name, query in lists
        )
        return format_html_join(" · ", '<a href="{}">{}</a>', links)

    def get_form(self, request: HttpRequest, obj: Account | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **(kwargs if obj else {**kwargs, "form": NewAccountForm}))

    def get_fields(self, request: HttpRequest, obj: Account | None = None) -> Any:
        return ("id", "name", "rate_limit", "created_at", "suspended_at", "belongings") if obj else ("name", "owner")

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> Any:
        return self.readonly_fields if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        """By the verbs, which write the log."""
        by = operator_of(request)
        if not change:
            opened = Account.objects.open(name=obj.name, owner=form.cleaned_data["owner"], by=by)
            obj.pk = opened.pk
            return
        stored = Account.objects.get(pk=obj.pk)
        stored.rename(obj.name, by=by)
        if "rate_limit" in form.changed_data:
            stored.limit_rate(obj.rate_limit, by=by)

    @admin.action(description=_("Suspend selected accounts"))
    def suspend(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        for account in accounts:
            account.suspend(by=operator_of(request))
        self.message_user(request, _("Suspended: their keys and pages are closed from the next request on."))

    @admin.action(description=_("Reinstate selected accounts"))
    def reinstate(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        for account in accounts:
            account.reinstate(by=operator_of(request))
        self.message_user(request, _("At work again, with the keys and people of before."))

    @admin.action(description=_("Issue a first key (live, with every scope)"))
    def issue_first_key(self, request: HttpRequest, accounts: QuerySet[Account]) -> HttpResponse | None:
        chosen = list(accounts[:2])
        if len(chosen) != 1:
            self.message_user(request, _("Choose one account: a secret is shown once."), messages.ERROR)
            return None
        [account] = chosen
        if account.api_keys.exists():
            said = _("%(account)s has keys already. Its owners issue more.") % {"account": account}
            self.message_user(request, said, messages.ERROR)
            return None
        key, token = ApiKey.objects.issue(
            account=account,
            name=gettext("First key"),
            environment=Environment.LIVE,
            scopes=Scope.values,
            by=operator_of(request),
        )
        return issued(request, key, token)


def issued(request: HttpRequest, key: ApiKey, token: str) -> HttpResponse:
    """The one page that shows a secret: no message, which would travel in a cookie, and no redirect."""
    context = {**admin.site.each_context(request), "title": _("API key issued"), "key": key, "token": token}
    return TemplateResponse(request, "admin/accounts/apikey/issued.html", context)

"""API keys: issued and revoked; never a digest or, but for the page after issuing, a secret."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.admin.accounts import issued
from accounts.admin.base import AccountFilter, AtScale, ChoicesField, operator_of
from accounts.models import ApiKey
from accounts.scopes import READ_SCOPES, Scope


class NewApiKeyForm(forms.ModelForm):
    scopes = ChoicesField(label=_("Scopes"), choices=Scope.choices, initial=READ_SCOPES)

    class Meta:
        model = ApiKey
        fields = ("account", "environment", "name", "scopes", "expires_at")


@admin.register(ApiKey)
class ApiKeyAdmin(AtScale):
    """A key is issued and revoked here. But for its rate limit it never changes: its holder relies on what it opens."""

    list_display = ("name", "masked", "account", "state", "created_at", "expires_at", "last_used_at")
    list_filter = (AccountFilter, "environment")
    search_fields = ("name", "hint", "account__name")
    autocomplete_fields = ("account",)
    fetched = ("account",)
    actions = ("revoke",)
    shown = (
        "name", "masked", "account", "environment", "state", "scopes", "created_at", "created_by", "expires_at",
        "revoked_at", "last_used_at", "last_used_ip", "rate_limit",
    )  # fmt: skip

    @admin.display(description=_("Key"))
    def masked(self, key: ApiKey) -> str:
        return key.masked

    @admin.display(description=_("Status"))
    def state(self, key: ApiKey) -> str:
        return str(ApiKey.Status(key.status).label)

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **(kwargs if obj else {**kwargs, "form": NewApiKeyForm}))

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return self.shown if obj else NewApiKeyForm.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return tuple(name for name in self.shown if name != "rate_limit") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            if "rate_limit" in form.changed_data:
                obj.limit_rate(obj.rate_limit, by=operator_of(request))
            return
        key, token = ApiKey.objects.issue(by=operator_of(request), **form.cleaned_data)
        obj.pk, obj.account, obj.environment, obj.hint = key.pk, key.account, key.environment, key.hint
        request.issued = token  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: Any = None) -> HttpResponse:
        return issued(request, obj, request.issued)  # type: ignore[attr-defined]

    @admin.action(description=_("Revoke selected API keys"))
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        for key in keys:
            key.revoke(by=operator_of(request))
        said = ngettext("%(number)s key revoked.", "%(number)s keys revoked.", len(keys)) % {"number": len(keys)}
        self.message_user(request, said)

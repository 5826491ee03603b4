"""The operators' admin of accounts, people, keys and the audit log. Secrets never show; records are never edited."""

from typing import Any

import allauth.account.admin
import allauth.mfa.admin
import allauth.socialaccount.admin
import allauth.usersessions.admin  # noqa: F401  they register their models when they are imported
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import Account, ApiKey, AuditEvent, IdempotentRequest, Invitation, Membership, User
from accounts.scopes import READ_SCOPES, Role, Scope

admin.site.site_header = admin.site.site_title = "Parley"
admin.site.index_title = "Operation"
admin.site.unregister(Group)  # what people may do is their membership's matter
for _model in (EmailAddress, EmailConfirmation, Authenticator, UserSession, SocialAccount, SocialApp, SocialToken):
    if admin.site.is_registered(_model):  # allauth's: unused here, or secret
        admin.site.unregister(_model)


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
        kind = self.model._meta.verbose_name.lower().replace(" ", "_")
        for account in self.accounts_of(obj):
            AuditEvent.objects.log(
                f"{kind}.{verb}_in_admin",
                account=account,
                by=request.user,  # type: ignore[arg-type]
                resource=obj,
                metadata={"name": str(obj)[:200], **({"changes": message} if message else {})},
            )

    def accounts_of(self, obj: Any) -> list[Account]:
        if isinstance(obj, Account):
            return [obj]
        if isinstance(obj, User):
            return [membership.account for membership in obj.memberships.select_related("account")]
        return [obj.account]


class ChoicesField(forms.TypedMultipleChoiceField):
    """Several of a vocabulary, as a list of strings."""

    widget = forms.CheckboxSelectMultiple

    def clean(self, value: Any) -> list[str]:
        return [str(item) for item in super().clean(value)]


class MembershipForm(forms.ModelForm):
    roles = ChoicesField(choices=Role.choices)

    class Meta:
        model = Membership
        fields = ("user", "roles")


class MembershipInline(admin.TabularInline):
    model = Membership
    form = MembershipForm
    autocomplete_fields = ("user",)
    extra = 0


@admin.register(Account)
class AccountAdmin(Audited):
    list_display = ("name", "id", "created_at")
    search_fields = ("name", "id")
    fields = ("id", "name", "rate_limit", "created_at")
    readonly_fields = ("id", "created_at")
    inlines = (MembershipInline,)
    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "rate_limit" in form.changed_data:
            obj.limit_rate(obj.rate_limit, by=request.user)  # type: ignore[arg-type]


@admin.register(User)
class UserAdmin(Audited, DjangoUserAdmin):
    ordering = ("email",)
    list_display = ("email", "name", "is_staff", "is_active", "last_login")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "name")
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("name",)}),
        ("This admin", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_form = AdminUserCreationForm
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "name", "usable_password", "password1", "password2")}),
    )


class NewApiKeyForm(forms.ModelForm):
    scopes = ChoicesField(choices=Scope.choices, initial=READ_SCOPES)

    class Meta:
        model = ApiKey
        fields = ("account", "environment", "name", "scopes", "expires_at")


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    """A key is issued and revoked here. But for its rate limit it never changes: its holder relies on what it opens."""

    list_display = ("name", "masked", "account", "status", "created_at", "expires_at", "last_used_at")
    list_filter = ("environment",)
    search_fields = ("name", "hint", "account__name")
    list_select_related = ("account",)
    ordering = ("-created_at",)
    actions = ("revoke",)
    show_full_result_count = False
    shown = (
        "name", "masked", "account", "environment", "status", "scopes", "created_at", "created_by", "expires_at",
        "revoked_at", "last_used_at", "last_used_ip", "rate_limit",
    )  # fmt: skip

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
                obj.limit_rate(obj.rate_limit, by=request.user)  # type: ignore[arg-type]
            return
        values = form.cleaned_data
        key, token = ApiKey.objects.issue(by=request.user, **values)  # type: ignore[arg-type]
        obj.pk, obj.account, obj.environment, obj.hint = key.pk, key.account, key.environment, key.hint
        self.message_user(request, f"The key, shown only now: {token}", messages.WARNING)

    @admin.action(description="Revoke selected API keys")
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        for key in keys:
            key.revoke(by=request.user)  # type: ignore[arg-type]
        self.message_user(request, f"{len(keys)} revoked.")


class ReadOnlyAdmin(admin.ModelAdmin):
    """What tells of the past is looked at, not changed."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(IdempotentRequest)
class IdempotentRequestAdmin(ReadOnlyAdmin):
    """Which requests are remembered; never what was answered, which may hold a secret."""

    list_display = ("created_at", "account", "environment", "status")
    list_select_related = ("account",)
    fields = readonly_fields = ("id", "account", "environment", "status", "claimed_at", "created_at")


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Who is invited where; never the digest. An account's owners send and withdraw invitations themselves."""

    list_display = ("email", "account", "roles", "invited_by", "expires_at", "sent_at")
    list_select_related = ("account", "invited_by")
    search_fields = ("email", "account__name")
    fields = readonly_fields = ("account", "email", "roles", "invited_by", "created_at", "expires_at", "sent_at")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("timestamp", "account", "actor_type", "actor_name", "action", "resource_type", "resource_id")
    list_filter = ("actor_type", "environment")
    list_select_related = ("account",)
    search_fields = ("action", "resource_id", "actor_name")


@admin.register(Membership)
class MembershipAdmin(Audited):
    form = MembershipForm
    list_display = ("user", "account", "roles", "created_at")
    list_select_related = ("user", "account")
    search_fields = ("user__email", "account__name")
    autocomplete_fields = ("user", "account")
    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: Membership | None = None) -> Any:
        return ("account", "user", "roles")

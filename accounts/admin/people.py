"""People and their memberships. No account at work loses its last owner here either."""

from collections.abc import Iterable
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
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import mail
from accounts.admin.base import AccountFilter, AtScale, Audited, ChoicesField, operator_of
from accounts.models import Membership, User
from accounts.models.person import LAST_OWNER, ownerless_without
from accounts.scopes import Role
from accounts.second_factor import take_away

admin.site.unregister(Group)  # what people may do is their membership's matter
for _model in (EmailAddress, EmailConfirmation, Authenticator, UserSession, SocialAccount, SocialApp, SocialToken):
    if admin.site.is_registered(_model):  # allauth's: unused here, or secret
        admin.site.unregister(_model)


class KeepsOwners(Audited):
    """Refuses to delete whom an account cannot do without: alone, or all that were selected together."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        shown, counts, lacking, protected = super().get_deleted_objects(objs, request)
        orphaned = ownerless_without(self.memberships_of(objs))
        return shown, counts, lacking, [*protected, *(f"{account}: {LAST_OWNER}" for account in orphaned)]

    def memberships_of(self, objs: Any) -> Iterable[Membership]:
        raise NotImplementedError


class PersonForm(UserChangeForm):
    def clean_is_active(self) -> bool:
        is_active = bool(self.cleaned_data["is_active"])
        if not is_active and self.instance.is_active and ownerless_without(self.instance.memberships.all()):
            raise ValidationError(LAST_OWNER)
        return is_active


@admin.register(User)
class UserAdmin(AtScale, KeepsOwners, DjangoUserAdmin):
    ordering = ("email",)
    list_display = ("email", "name", "is_staff", "is_active", "last_login")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "name")
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    actions = ("remove_second_factor",)
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        (_("Person"), {"fields": ("name",)}),
        (_("This admin"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    form = PersonForm
    add_form = AdminUserCreationForm
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "name", "usable_password", "password1", "password2")}),
    )

    def memberships_of(self, objs: Any) -> Iterable[Membership]:
        return Membership.objects.filter(user__in=list(objs))

    @admin.action(description=_("Remove the second factor of selected people"), permissions=["change"])
    def remove_second_factor(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """For who has lost it. They are told by mail: were it not them who asked, they must hear of it."""
        for person in people:
            if not take_away(person, by=operator_of(request)):
                said = _("There is no second factor of %(email)s.") % {"email": person.email}
                self.message_user(request, said, messages.INFO)
                continue
            said = _("The second factor of %(email)s is removed.") % {"email": person.email}
            self.message_user(request, said)
            try:
                context = {"security_url": mail.link(reverse("mfa_index"))}
                mail.send("second_factor_removed", to=person.email, context=context, language=person.language)
            except mail.MailFailed:
                self.message_user(request, f"{person.email}: {mail.FAILED}", messages.WARNING)


class MembershipForm(forms.ModelForm):
    roles = ChoicesField(label=_("Roles"), choices=Role.choices)

    class Meta:
        model = Membership
        fields = ("account", "user", "roles")


@admin.register(Membership)
class MembershipAdmin(AtScale, KeepsOwners):
    form = MembershipForm
    list_display = ("user", "account", "roles", "created_at")
    list_filter = (AccountFilter,)
    fetched = ("user", "account")
    search_fields = ("user__email", "account__name")
    autocomplete_fields = ("user", "account")

    def get_fields(self, request: HttpRequest, obj: Membership | None = None) -> Any:
        return ("account", "user", "roles")

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> Any:
        return ("account", "user") if obj else ()

    def memberships_of(self, objs: Any) -> Iterable[Membership]:
        return list(objs)

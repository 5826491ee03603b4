"""What people fill in about a team: whom to invite, which roles somebody has, who they are themselves."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.key_forms import TOO_MUCH
from accounts.models import Account, Invitation, User
from accounts.scopes import ROLE_SCOPES, Role
from accounts.validators import validate_text

NAME_LENGTH = int(User._meta.get_field("name").max_length or 0)
PASSWORD_LENGTH = 1_000
"""More is no better, and takes long to hash."""


class RolesForm(forms.Form):
    """Offers, and takes, only roles that open nothing which the person who gives them does not hold."""

    roles = forms.MultipleChoiceField(
        error_messages={"required": _("Choose at least one role."), "invalid_choice": TOO_MUCH}
    )

    def __init__(self, data: Any = None, *, held: Collection[str], roles: Collection[str] = ()) -> None:
        super().__init__(data, initial={"roles": list(roles)})
        self.offered = [role for role in Role if ROLE_SCOPES[role] <= frozenset(held)]
        field: Any = self.fields["roles"]
        field.choices = [(role.value, role.label) for role in self.offered]

    @property
    def choices(self) -> list[dict[str, Any]]:
        chosen = self["roles"].value() or []
        return [
            {"value": role.value, "label": role.label, "help": role.help, "is_chosen": role.value in chosen}
            for role in self.offered
        ]


class InviteForm(RolesForm):
    email = forms.EmailField(
        max_length=int(Invitation._meta.get_field("email").max_length or 0),
        error_messages={"required": _("Whom do you want to invite?")},
    )


class AccountForm(forms.Form):
    name = forms.CharField(
        max_length=int(Account._meta.get_field("name").max_length or 0),
        validators=[validate_text],
        error_messages={"required": _("An account needs a name.")},
    )


class JoinForm(forms.Form):
    """Who comes by an invitation and was never here: what to call them, and how they sign in from now on."""

    name = forms.CharField(
        max_length=NAME_LENGTH,
        validators=[validate_text],
        error_messages={"required": _("What does the team call you?")},
    )
    password = forms.CharField(
        strip=False, max_length=PASSWORD_LENGTH, error_messages={"required": _("Choose a password.")}
    )

    def __init__(self, data: Any = None, *, email: str) -> None:
        super().__init__(data)
        self.email = email

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        check_password(self, email=self.email)
        return cleaned


def check_password(form: forms.Form, *, email: str) -> None:
    """Refuse a password that is easily guessed, of somebody with this e-mail and the form's ``name`` above all."""
    given = form.cleaned_data
    if "password" not in given:
        return
    try:
        validate_password(given["password"], User(email=email, name=given.get("name", "")))
    except ValidationError as error:
        form.add_error("password", error)

"""What people fill in to make, rename and revoke API keys."""

from collections.abc import Collection
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, Environment
from accounts.scopes import READ_SCOPES, UNUSED_SCOPES, Scope
from accounts.validators import validate_text
from config.storage.moments import now

MAX_NAME_LENGTH = int(ApiKey._meta.get_field("name").max_length or 0)

OWN_DATE = "date"
NEVER = "never"
EXPIRIES = [
    ("30", _("30 days")),
    ("90", _("90 days")),
    ("365", _("A year")),
    (NEVER, _("Never")),
    (OWN_DATE, _("On a date")),
]

GROUPS: dict[Any, tuple[Scope, ...]] = {
    _("Conversations"): (
        Scope.CONVERSATIONS_VIEW,
        Scope.CONVERSATIONS_EDIT,
        Scope.CONVERSATIONS_CHANGE_STATUS,
        Scope.CONVERSATIONS_SEND_MESSAGE,
        Scope.LEADS_START_CONVERSATION,
        Scope.LEADS_ERASE,
        Scope.CONTACTS_READ,
    ),
    _("Figures"): (Scope.DASHBOARD_VIEW,),
    _("Account"): (
        Scope.API_KEYS_VIEW,
        Scope.API_KEYS_MANAGE,
        Scope.AUDIT_VIEW,
        Scope.TEAM_VIEW,
        Scope.TEAM_MANAGE,
    ),
}

PURPOSES = {"recording": (Scope.CONVERSATIONS_EDIT,)}
"""What is ticked beside what reads, for who comes from a page that says so."""

RECENTLY = timedelta(hours=24)
"""A key that was used within is likely still in use."""

QUESTIONS = {
    "rotate": (_("Rotate %(name)s"), _("Rotate <bdi>{name}</bdi>?"), _("Rotate key")),
    "revoke": (_("Revoke %(name)s"), _("Revoke <bdi>{name}</bdi>?"), _("Revoke key")),
    "delete": (_("Delete %(name)s"), _("Delete <bdi>{name}</bdi>?"), _("Delete key")),
}
"""Verb → the page's title, what it asks, and its button."""

TOO_MUCH = _("You can give only what you hold yourself, and %(value)s is not among it.")


class NameForm(forms.Form):
    name = forms.CharField(
        max_length=MAX_NAME_LENGTH,
        validators=[validate_text],
        error_messages={"required": _("Give it a name, so that you know later what uses it.")},
    )


class NewKeyForm(NameForm):
    """Offers, and takes, only what the person holds who fills it in."""

    ISSUED = ("name", "environment", "scopes", "contacts_masked", "expires_at")

    environment = forms.ChoiceField(choices=Environment.choices, widget=forms.RadioSelect)
    scopes = forms.MultipleChoiceField(
        error_messages={"required": _("Choose at least one thing that it may do."), "invalid_choice": TOO_MUCH}
    )
    expiry = forms.ChoiceField(choices=EXPIRIES, widget=forms.RadioSelect)
    expires_on = forms.DateField(required=False, error_messages={"invalid": _("Is not a date.")})

    def __init__(self, data: Any = None, *, held: Collection[str], environment: str, purpose: str = "") -> None:
        """``purpose``: what somebody came for, where the form is known to need more than to read."""
        needed = (*READ_SCOPES, Scope.CONTACTS_READ, *PURPOSES.get(purpose, ()))
        initial = {
            "environment": environment,
            "expiry": "365",
            "scopes": [scope for scope in needed if scope in held],
        }
        super().__init__(data, initial=initial)
        self.held = held
        scopes: Any = self.fields["scopes"]
        scopes.choices = [(scope.value, scope.label) for scope in Scope if scope in held]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        expiry, day = cleaned.get("expiry"), cleaned.get("expires_on")
        cleaned["expires_at"] = None
        chosen = cleaned.get("scopes", [])
        # Said once: a key sees contacts in full unless it is masked.
        cleaned["contacts_masked"] = Scope.CONTACTS_READ not in chosen
        cleaned["scopes"] = [scope for scope in chosen if scope != Scope.CONTACTS_READ] or chosen
        if expiry == OWN_DATE:
            if day is None:
                if "expires_on" not in self.errors:
                    self.add_error("expires_on", _("Choose the last day on which it works."))
            else:
                cleaned["expires_at"] = self._end_of(day)
        elif expiry and expiry != NEVER:
            cleaned["expires_at"] = now() + timedelta(days=int(expiry))
        return cleaned

    def _end_of(self, day: Any) -> datetime | None:
        """When ``day`` is over where the person is."""
        try:
            end = timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))
            is_past = end <= now()
        except OverflowError:
            self.add_error("expires_on", _("That is too far away."))
            return None
        if is_past:
            self.add_error("expires_on", _("Must be in the future."))
        return end

    @property
    def groups(self) -> list[dict[str, Any]]:
        """What may be chosen, by its subject."""
        chosen = self["scopes"].value() or []
        groups = []
        for label, scopes in GROUPS.items():
            offered = [
                {
                    "value": scope.value,
                    "label": scope.label,
                    "is_chosen": scope.value in chosen,
                    "is_unused": scope in UNUSED_SCOPES,
                }
                for scope in scopes
                if scope in self.held
            ]
            if offered:
                groups.append({"label": label, "scopes": offered})
        return groups

    @property
    def not_held(self) -> list[str]:
        return [str(scope.label) for scope in Scope if scope not in self.held]


def is_in_use(key: ApiKey) -> bool:
    return bool(key.last_used_at and key.last_used_at > now() - RECENTLY)


class RevokeForm(forms.Form):
    """Asks for the key's name where it was used a short while ago."""

    name = forms.CharField(required=False, strip=False)

    def __init__(self, data: Any = None, *, key: ApiKey) -> None:
        super().__init__(data)
        self.key = key

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"]
        # White space aside: nobody sees how much of it a name has, and a field of one line drops line breaks.
        if is_in_use(self.key) and "".join(typed.split()) != "".join(self.key.name.split()):
            raise ValidationError(_("That is not the key’s name."))
        return typed

"""What the first owner fills in."""

from typing import Any

from django import forms

from accounts.models import Account, User
from accounts.models.person import normalize_email
from accounts.team_forms import check_password


class SetupForm(forms.Form):
    account = forms.CharField(max_length=100, validators=Account._meta.get_field("name").validators)
    name = forms.CharField(max_length=100, validators=User._meta.get_field("name").validators)
    email = forms.EmailField(max_length=254)
    password = forms.CharField(strip=False, max_length=500)
    demo = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        check_password(self, email=normalize_email(values.get("email", "")))
        return values

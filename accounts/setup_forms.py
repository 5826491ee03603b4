"""What the first owner fills in."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password

from accounts.models import Account, User
from accounts.models.person import normalize_email


class SetupForm(forms.Form):
    account = forms.CharField(max_length=100, validators=Account._meta.get_field("name").validators)
    name = forms.CharField(max_length=100, validators=User._meta.get_field("name").validators)
    email = forms.EmailField(max_length=254)
    password = forms.CharField(strip=False, max_length=500)
    demo = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if "password" in values:
            person = User(email=normalize_email(values.get("email", "")), name=values.get("name", ""))
            try:
                validate_password(values["password"], person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return values

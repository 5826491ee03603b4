"""What people choose for themselves."""

from collections import defaultdict
from functools import cache
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.models.preferences import Clock, Density, Theme, known_zones

BROWSER = ("", _("As this browser says"))
OTHER = _("Other names")


@cache
def zones() -> list[tuple[Any, Any]]:
    """All zones as choices of a select: UTC, then each region with its places."""
    regions: dict[str, list[tuple[str, str]]] = defaultdict(list)
    others: list[tuple[str, str]] = []
    for name in sorted(known_zones() - {"UTC"}):
        region, _, place = name.partition("/")
        label = (place or name).replace("_", " ").replace("/", ", ")
        (regions[region] if place else others).append((name, label))
    return [BROWSER, ("UTC", "UTC"), *sorted(regions.items()), (OTHER, others)]


class OwnForm(forms.ModelForm):
    """Sets its own fields of a person and no others, whatever is sent."""

    def save(self, commit: bool = True) -> User:
        person: User = self.instance
        person.save(update_fields=list(self.fields))
        return person


def languages() -> list[tuple[str, Any]]:
    return [BROWSER, *settings.LANGUAGES]


class PreferencesForm(OwnForm):
    language = forms.ChoiceField(
        choices=languages, required=False, widget=forms.Select(attrs={"class": "select__field"})
    )
    time_zone = forms.ChoiceField(
        choices=zones,
        required=False,
        widget=forms.Select(attrs={"class": "select__field", "aria-describedby": "time-zone-help"}),
    )
    theme = forms.ChoiceField(
        choices=[("", _("As the system")), *Theme.choices], widget=forms.RadioSelect, required=False
    )
    clock = forms.ChoiceField(choices=Clock.choices, widget=forms.RadioSelect)
    density = forms.ChoiceField(choices=Density.choices, widget=forms.RadioSelect)

    class Meta:
        model = User
        fields = ("language", "time_zone", "theme", "clock", "density", "shortcuts")


class LanguageForm(OwnForm):
    """The switch on pages that know nobody, or somebody who belongs to no account."""

    language = forms.ChoiceField(choices=settings.LANGUAGES)

    class Meta:
        model = User
        fields = ("language",)


class ThemeForm(OwnForm):
    """The switch in the header."""

    class Meta:
        model = User
        fields = ("theme",)


class ShortcutsForm(OwnForm):
    """The switch in the help on shortcuts."""

    class Meta:
        model = User
        fields = ("shortcuts",)

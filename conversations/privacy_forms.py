"""What owners decide about leads' data."""

from collections.abc import Collection, Mapping
from typing import Any

from django import forms

from accounts.scopes import MASKABLE_ROLES
from conversations.models import Status, several
from conversations.models.retention import MAX_DAYS


class MaskingForm(forms.Form):
    """Whose phones and e-mail addresses are masked; none ticked: nobody's."""

    roles = forms.MultipleChoiceField(required=False, choices=[(role.value, role.label) for role in MASKABLE_ROLES])

    def __init__(self, data: Any = None, *, roles: Collection[str]) -> None:
        super().__init__(data, initial={"roles": list(roles)})

    @property
    def offered(self) -> list[dict[str, Any]]:
        chosen = self["roles"].value() or []
        return [
            {"value": role.value, "label": role.label, "help": role.help, "is_chosen": role.value in chosen}
            for role in MASKABLE_ROLES
        ]


class RetentionForm(forms.Form):
    """Status → for how many days after their last change conversations are kept; empty: for good."""

    def __init__(self, data: Any = None, *, days: Mapping[str, int]) -> None:
        super().__init__(data, initial=dict(days))
        for status in Status:
            self.fields[status.value] = forms.IntegerField(
                required=False, min_value=1, max_value=MAX_DAYS, label=several(status)
            )

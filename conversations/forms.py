"""The forms of the pages of conversations."""

import re
from typing import Any

from django import forms

from accounts.validators import validate_text
from conversations.models import CLOSED_STATUSES, Agent, Campaign, Status
from conversations.models.note import MAX_NOTE_LENGTH

MAX_REASON_LENGTH = 500

LINE_ENDS = re.compile(r"\r\n|\r|\n")
"""Of a text field. Other characters that end lines may stand in a name."""


class StagesField(forms.Field):
    """Names of stages, one a line. An empty line keeps the place of one that is unknown."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(" ".join(name.splitlines()) for name in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        names = [name.strip() for name in LINE_ENDS.split(value or "")]
        while names and not names[-1]:
            names.pop()
        return names


class NamedForm(forms.ModelForm):
    """What can be said of something that conversations carry only the id of. ``rename`` is what saves it."""

    def clean_name(self) -> Any:
        return self.instance.meant(self.cleaned_data["name"], "name")

    def changes(self) -> dict[str, Any]:
        """What was sent; a field that was not stays as it is."""
        return {name: value for name, value in self.cleaned_data.items() if name in self.data}


class AgentForm(NamedForm):
    stages = StagesField(required=False)

    class Meta:
        model = Agent
        fields = ("name", "stages")

    def clean_stages(self) -> Any:
        return self.instance.meant(self.cleaned_data["stages"], "stages")


class CampaignForm(NamedForm):
    class Meta:
        model = Campaign
        fields = ("name",)


class PlainField(forms.CharField):
    """What somebody typed, its line ends as a browser counts them."""

    default_validators = [validate_text]

    def to_python(self, value: Any) -> str:
        return LINE_ENDS.sub("\n", super().to_python(value) or "")


class StatusForm(forms.Form):
    """``shown`` is the status that the person saw when deciding."""

    status = forms.ChoiceField(choices=[(status.value, status.label) for status in CLOSED_STATUSES])
    shown = forms.ChoiceField(choices=Status.choices)
    reason = PlainField(max_length=MAX_REASON_LENGTH, required=False)


class NoteForm(forms.Form):
    text = PlainField(max_length=MAX_NOTE_LENGTH)

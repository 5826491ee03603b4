"""The one FilterSet of conversations: endpoint, page and counts share it, so that a number opens exactly its rows."""

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError

from accounts.validators import validate_text
from config.storage.fields import is_object_id
from conversations.messages import parse_moment
from conversations.models import Channel, Conversation, ConversationQuerySet, Status
from conversations.search import MAX_SEARCH_LENGTH


class MomentField(forms.Field):
    def to_python(self, value: Any) -> Any:
        if not value:
            return None
        try:
            return parse_moment(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class MomentFilter(django_filters.Filter):
    field_class = MomentField


class ObjectIdFormField(forms.Field):
    def to_python(self, value: Any) -> Any:
        if value and not is_object_id(value):
            raise ValidationError("Must be an ObjectId: 24 lower-case hexadecimal digits.")
        return value


class ObjectIdFilter(django_filters.Filter):
    field_class = ObjectIdFormField


class TextField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        # Literal: a space at either end is part of what is looked for.
        super().__init__(**{**kwargs, "strip": False, "validators": [validate_text]})


class TextFilter(django_filters.Filter):
    field_class = TextField


def one_of(values: list[tuple[str, str]], **kwargs: Any) -> django_filters.ChoiceFilter:
    allowed = ", ".join(value for value, _ in values)
    return django_filters.ChoiceFilter(
        choices=values, error_messages={"invalid_choice": f"Must be one of {allowed}."}, **kwargs
    )


class OnceForm(forms.Form):
    """A parameter that stands there twice is an error: neither of the two was meant more than the other."""

    def clean(self) -> None:
        for name in self.fields:
            if hasattr(self.data, "getlist") and len(self.data.getlist(name)) > 1:
                self.add_error(name, "May be given once.")


class ConversationFilter(django_filters.FilterSet):
    status = one_of(Status.choices)
    search = TextFilter(
        method="filter_search",
        max_length=MAX_SEARCH_LENGTH,
        error_messages={"max_length": f"At most {MAX_SEARCH_LENGTH} characters."},
    )
    channel = one_of(Channel.choices)
    campaignId = ObjectIdFilter("campaign_id")
    agentConfigId = ObjectIdFilter("agent_config_id")
    leadId = TextFilter("lead_id")
    qualified = one_of([("true", "Qualified"), ("false", "Not qualified")], method="filter_qualified")
    # Half-open, so that periods which follow each other neither overlap nor leave a gap.
    createdAfter = MomentFilter("created_at", lookup_expr="gte")
    createdBefore = MomentFilter("created_at", lookup_expr="lt")
    updatedAfter = MomentFilter("updated_at", lookup_expr="gte")
    updatedBefore = MomentFilter("updated_at", lookup_expr="lt")

    class Meta:
        model = Conversation
        fields: list[str] = []
        form = OnceForm

    def filter_search(self, conversations: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return conversations.search(value)

    def filter_qualified(self, conversations: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return conversations.filter(qualified=value == "true")

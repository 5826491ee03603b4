"""The operators' view of conversations: read only, and opening a transcript is an audit event."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join

from accounts.admin import ReadOnlyAdmin
from accounts.models import AuditEvent
from config.storage.fields import is_object_id
from conversations.models import Agent, Campaign, Conversation, ConversationQuerySet


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    list_display = ("lead", "account", "environment", "channel", "status", "message_count", "updated_at")
    list_filter = ("environment", "status", "channel")
    list_select_related = ("account",)
    ordering = ("-updated_at", "-pk")
    search_fields = ("lead_id",)  # shows the box; the search itself is everybody's
    search_help_text = "Phone, e-mail or message text, or an id"
    fields = (
        "id", "account", "environment", "lead_id", "lead_phone", "lead_email", "channel", "status",
        "current_stage_index", "current_stage_name", "agent_config_id", "campaign_id", "summary", "qualified",
        "qualification_reason", "created_at", "updated_at", "message_count", "stored_bytes", "transcript",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="Lead")
    def lead(self, conversation: Conversation) -> str:
        return conversation.lead_name

    @admin.display(description="Transcript")
    def transcript(self, conversation: Conversation) -> str:
        rows = ((m.get("timestamp"), m.get("role"), m.get("content")) for m in conversation.messages)
        return format_html_join("", "<p>{} <b>{}</b><br>{}</p>", rows)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        match = request.resolver_match
        is_list = bool(match and match.url_name and match.url_name.endswith("_changelist"))
        found = super().get_queryset(request)
        return found.defer("messages", "search_text") if is_list else found

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[ConversationQuerySet, bool]:
        if not search_term:
            return queryset, False
        by_id = queryset.filter(pk=search_term) if is_object_id(search_term) else queryset.none()
        return (by_id if by_id.exists() else queryset.search(search_term)), False

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        conversation = self.get_object(request, object_id)
        if conversation is not None and self.has_view_permission(request, conversation):
            AuditEvent.objects.log(
                "conversation.opened_in_admin",
                account=conversation.account,
                by=request.user,  # type: ignore[arg-type]
                resource=conversation,
                environment=conversation.environment,
            )
        return super().change_view(request, object_id, *args, **kwargs)


@admin.register(Agent)
class AgentAdmin(ReadOnlyAdmin):
    list_display = ("name", "agent_config_id", "account", "environment")
    list_filter = ("environment",)
    list_select_related = ("account",)
    search_fields = ("name", "agent_config_id")
    ordering = ("-pk",)


@admin.register(Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    list_display = ("name", "campaign_id", "account", "environment")
    list_filter = ("environment",)
    list_select_related = ("account",)
    search_fields = ("name", "campaign_id")
    ordering = ("-pk",)

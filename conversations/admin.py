"""The operators' view of conversations: read only, and opening a transcript is an audit event."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.admin import AccountFilter, ReadOnlyAdmin
from accounts.admin.base import account_of, is_list, operator_of
from accounts.middleware import look_at
from accounts.models import Account, AuditEvent, Environment
from config.storage.fields import is_object_id
from conversations.messages import Role
from conversations.models import Agent, Campaign, Conversation, ConversationQuerySet
from conversations.models.erasure import erase, erased_from, of_lead_of

MESSAGES = 100
"""Of a transcript, on one page."""

ACCOUNTS_SEARCHED = 20
FOUND = 100


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    list_display = ("lead", "account", "environment", "channel", "status", "message_count", "updated_at")
    fetched = ("account",)
    search_fields = ("lead_id",)  # shows the box; the search itself is everybody's
    search_help_text = _("Phone, e-mail or message text, or an id")
    fields = (
        "id", "account", "environment", "lead_id", "lead_phone", "lead_email", "channel", "status",
        "current_stage_index", "current_stage_name", "agent_config_id", "campaign_id", "summary", "qualified",
        "qualification_reason", "created_at", "updated_at", "message_count", "stored_bytes", "transcript",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description=_("Lead"))
    def lead(self, conversation: Conversation) -> str:
        return conversation.lead_name

    @admin.display(description=_("Transcript"))
    def transcript(self, conversation: Conversation) -> SafeString:
        """One page of it; the last of a long one is a link away."""
        said, start = conversation.messages, getattr(conversation, "shown_from", 0)
        rows = ((m.get("timestamp"), _speaker(m), m.get("content")) for m in said[start : start + MESSAGES])
        text = format_html_join("", '<p>{} <b>{}</b></p><p dir="auto">{}</p>', rows)
        if len(said) <= MESSAGES:
            return text
        starts = ((at, at + 1, min(at + MESSAGES, len(said))) for at in range(0, len(said), MESSAGES))
        pages = format_html_join(" ", '<a href="?from={}">{}–{}</a>', starts)
        shown = _("Messages %(first)s to %(last)s") % {"first": start + 1, "last": min(start + MESSAGES, len(said))}
        return format_html("<p>{}</p>{}<p>{}</p>", shown, text, pages)

    # The list

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Status and channel inside an account: across all of them they might read every row."""
        return (AccountFilter, *(("environment", "status", "channel") if account_of(request) else ()))

    def get_ordering(self, request: HttpRequest) -> Any:
        is_one_list = account_of(request) and request.GET.get("environment__exact")
        return ("-updated_at", "-pk") if is_one_list else ("-pk",)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Inside an account always in one environment, as everywhere: that is one list, in an index."""
        query = request.GET.copy()
        if account_of(request) and query.get("environment__exact") not in Environment.values:
            query["environment__exact"] = query.pop("environment", [""])[-1] or Environment.LIVE
            return redirect(f"{request.path}?{query.urlencode()}")
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        found = super().get_queryset(request)
        return found.defer("messages", "search_text") if is_list(request) else found

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[ConversationQuerySet, bool]:
        if not search_term:
            return queryset, False
        if is_object_id(search_term) and queryset.filter(pk=search_term).exists():
            return queryset.filter(pk=search_term), False
        if account_of(request):
            return queryset.search(search_term), False
        accounts = list(Account.objects.values_list("pk", flat=True)[: ACCOUNTS_SEARCHED + 1])
        if len(accounts) > ACCOUNTS_SEARCHED:
            said = _("Searched in the first %(number)s accounts. Choose another one to search in it.")
            messages.info(request, said % {"number": ACCOUNTS_SEARCHED})
        return queryset.filter(pk__in=found_in(accounts[:ACCOUNTS_SEARCHED], search_term)), False

    # One conversation

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        conversation = self.get_object(request, object_id)
        if conversation is not None and self.has_view_permission(request, conversation):
            AuditEvent.objects.log(
                "conversation.opened_in_admin",
                account=conversation.account,
                by=operator_of(request),
                resource=conversation,
                environment=conversation.environment,
            )
        return super().change_view(request, object_id, *args, **kwargs)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        start = request.GET.get("from", "")
        if found is not None and start.isascii() and start.isdigit() and len(start) < 6:
            found.shown_from = int(start)
        return found

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.dashboard))
        erasing = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.erase_lead))
        return [
            path("<path:pk>/dashboard/", view, name="conversations_conversation_dashboard"),
            path("<path:pk>/erase/", erasing, name="conversations_conversation_erase"),
            *super().get_urls(),
        ]

    def dashboard(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Its page in the dashboard, for operators who are in the account; of others the admin is all they see."""
        conversation = self.get_object(request, pk)
        if conversation is None:
            raise Http404
        mine = operator_of(request).memberships.filter(account=conversation.account).first()
        if mine is None or conversation.account.suspended_at:
            why = _("You are not in the team of %(account)s, or it is suspended: only the admin shows you this.")
            self.message_user(request, why % {"account": conversation.account}, messages.WARNING)
            return redirect("admin:conversations_conversation_change", conversation.pk)
        look_at(request, conversation.account)
        request.session["environment"] = conversation.environment
        return redirect(reverse("conversations:transcript", args=[conversation.pk]))

    def erase_lead(self, request: HttpRequest, pk: str) -> HttpResponse:
        """For a person who asks to be forgotten where no owner answers.

        GET says how many conversations it is about; POST erases, if they are still as many. It stands in the account's
        audit log.
        """
        if not operator_of(request).is_superuser:
            raise PermissionDenied(_("Only superusers erase leads."))
        conversation = self.get_object(request, pk)
        if conversation is None:
            raise Http404
        back = redirect("admin:conversations_conversation_change", conversation.pk)
        if conversation.is_erased:
            self.message_user(request, _("This lead is erased already."), messages.WARNING)
            return back
        account, environment = conversation.account, conversation.environment
        try:
            found = of_lead_of(conversation, Conversation.objects.owned_by(account.pk, environment))
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return back
        if request.method == "POST" and request.POST.get("expected") == str(len(found)):
            number = erase(found, account=account, environment=environment, by=operator_of(request))
            self.message_user(request, erased_from(number))
            return back
        context = {
            **self.admin_site.each_context(request),
            "title": _("Erase lead"),
            "conversation": conversation,
            "opts": self.opts,
            "number": len(found),
            "has_moved": request.method == "POST",
        }
        return TemplateResponse(request, "admin/conversations/conversation/erase.html", context)


def _speaker(said: dict[str, Any]) -> Any:
    role = said.get("role")
    return Role(role).label if role in Role.values else role


def found_in(accounts: list[str], words: str) -> list[str]:
    """The newest ids that a search finds, account by account: the search's index is each account's own."""
    found: list[str] = []
    for account in accounts:
        for environment in Environment.values:
            mine = Conversation.objects.owned_by(account, environment).newest_first().search(words)
            found += mine.values_list("pk", flat=True)[: FOUND - len(found)]
            if len(found) >= FOUND:
                return found
    return found


@admin.register(Agent)
class AgentAdmin(ReadOnlyAdmin):
    list_display = ("name", "agent_config_id", "account", "environment")
    list_filter = (AccountFilter,)
    fetched = ("account",)
    search_fields = ("name", "agent_config_id")


@admin.register(Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    list_display = ("name", "campaign_id", "account", "environment")
    list_filter = (AccountFilter,)
    fetched = ("account",)
    search_fields = ("name", "campaign_id")

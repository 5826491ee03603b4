"""All conversations that match, as a file (contract, section 2)."""

from django.http import StreamingHttpResponse
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from accounts import tables
from accounts.models import ApiKey
from accounts.parameters import read_choice
from accounts.permissions import HasScope
from accounts.scopes import Scope
from conversations.export import FORMATS
from conversations.filters import ConversationFilter
from conversations.models import Conversation, ConversationQuerySet


class ConversationExportViewSet(GenericViewSet[Conversation]):
    """The list's conversations, in its order and by its filters."""

    permission_classes = (HasScope,)
    scopes = {"export": Scope.CONVERSATIONS_VIEW}
    filter_backends = (DjangoFilterBackend,)
    filterset_class = ConversationFilter

    def get_queryset(self) -> ConversationQuerySet:
        key: ApiKey = self.request.auth  # type: ignore[assignment]
        conversations: ConversationQuerySet = key.account.conversations.within(key.environment)
        return conversations.newest_first()

    def export(self, request: Request) -> StreamingHttpResponse:
        """All that the filters leave, streamed; ``limit``, ``skip`` and ``cursor`` are of pages, and ignored."""
        write, content_type, name = FORMATS[read_choice(request, "format", FORMATS)]
        conversations: ConversationQuerySet = self.filter_queryset(self.get_queryset())  # type: ignore[assignment]
        return tables.download(request, write(conversations), content_type=content_type, name=name)

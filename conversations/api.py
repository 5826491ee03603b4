"""The JSON API of conversations."""

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.models import ApiKey
from accounts.permissions import HasScope
from accounts.scopes import Scope
from config.storage.fields import is_object_id
from conversations import wire
from conversations.filters import ConversationFilter
from conversations.models import Conversation, ConversationQuerySet
from conversations.pagination import ConversationPagination


class ConversationViewSet(GenericViewSet[Conversation]):
    """The conversations of the key's account, in the key's environment."""

    permission_classes = (HasScope,)
    scopes = {"list": Scope.CONVERSATIONS_VIEW, "retrieve": Scope.CONVERSATIONS_VIEW}
    filter_backends = (DjangoFilterBackend,)
    filterset_class = ConversationFilter

    def get_queryset(self) -> ConversationQuerySet:
        key: ApiKey = self.request.auth  # type: ignore[assignment]
        conversations: ConversationQuerySet = key.account.conversations.within(key.environment)
        return conversations.newest_first()

    def list(self, request: Request) -> HttpResponseBase:
        """A bare array: a page where ``limit`` asks for one, else the whole account, streamed."""
        conversations: ConversationQuerySet = self.filter_queryset(self.get_queryset())  # type: ignore[assignment]
        paginator = ConversationPagination(request)
        if paginator.limit is not None:
            return paginator.respond(conversations)
        whole = iter(()) if request.method == "HEAD" else wire.stream(paginator.rest(conversations))
        return StreamingHttpResponse(whole, content_type=wire.WireRenderer.media_type)

    def retrieve(self, request: Request, pk: str) -> Response:
        found = wire.rows(self.get_queryset().filter(pk=pk)).first() if is_object_id(pk) else None
        if found is None:
            raise NotFound("Conversation not found")
        return Response(wire.document(found))

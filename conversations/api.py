"""The JSON API of conversations."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.idempotency import Idempotent
from accounts.masking import HIDDEN
from accounts.models import ApiKey
from accounts.permissions import HasScope
from accounts.scopes import Scope
from config.errors import Conflict
from config.etags import conditional
from config.parsing import MAX_BODY
from config.storage.fields import find, is_object_id
from conversations import wire
from conversations.filters import ConversationFilter
from conversations.models import Conversation, ConversationQuerySet, Outcome, Recorded, Totals
from conversations.models.masked import holds_masked
from conversations.models.recording import TAKEN
from conversations.models.tally import COUNTED_AT_ONCE, COUNTED_WHOLE
from conversations.pagination import ConversationPagination
from conversations.ready import keep
from conversations.serializers import (
    ConversationRecordSerializer,
    DetailsSerializer,
    StatusSerializer,
    record_from,
    to_wire_faults,
)

MAX_RECORDS = 1_000


class ConversationViewSet(Idempotent, GenericViewSet[Conversation]):
    """The conversations of the key's account, in the key's environment."""

    permission_classes = (HasScope,)
    scopes = {
        "list": Scope.CONVERSATIONS_VIEW,
        "retrieve": Scope.CONVERSATIONS_VIEW,
        "record": Scope.CONVERSATIONS_EDIT,
        "append": Scope.CONVERSATIONS_EDIT,
        "update_details": Scope.CONVERSATIONS_EDIT,
        "change_status": Scope.CONVERSATIONS_CHANGE_STATUS,
    }
    filter_backends = (DjangoFilterBackend,)
    filterset_class = ConversationFilter

    @property
    def key(self) -> ApiKey:
        return self.request.auth  # type: ignore[return-value]

    @property
    def view(self) -> tuple[str, ...]:
        """What beside the conversations themselves decides what is shown of them."""
        return ("masked",) if self.key.contacts_masked else ()

    @property
    def max_body(self) -> int:
        return 10 << 20 if self.action == "record" else MAX_BODY

    def get_queryset(self) -> ConversationQuerySet:
        conversations: ConversationQuerySet = self.key.account.conversations.within(self.key.environment)
        return conversations.newest_first()

    def get_object(self) -> Conversation:
        """The conversation, without its messages. Another account's is not found, like one that never was."""
        found = find(self.get_queryset().without_messages(), self.kwargs["pk"])
        if found is None:
            raise NotFound("Conversation not found")
        return found

    def list(self, request: Request) -> HttpResponseBase:
        """A bare array: a page where ``limit`` asks for one, else the whole account, streamed."""
        paginator = ConversationPagination(request)
        conversations: ConversationQuerySet | None = None
        if ConversationFilter.asked(request.query_params):
            conversations = self.filter_queryset(self.get_queryset())  # type: ignore[assignment]
        # Before the rows: what changes in between makes the next answer look changed, and never the same.
        totals = Totals.of(self.key.account, self.key.environment)

        def answer() -> HttpResponseBase:
            if conversations is None and paginator.is_first and not self.key.contacts_masked:
                first = wire.first_rows(self.key.account_id, self.key.environment, paginator.rows)
                return paginator.respond(first, total=totals.number)
            listed = self.get_queryset() if conversations is None else conversations
            if paginator.limit is not None:
                page = paginator.page(listed)
                total = paginator.all_of(page)
                return paginator.respond(page, total=self.total(listed, totals) if total is None else total)
            whole = iter(()) if request.method == "HEAD" else wire.stream(paginator.rest(listed))
            return StreamingHttpResponse(whole, content_type=wire.WireRenderer.media_type)

        seen = [self.key.account_id, self.key.environment, totals.number, totals.changes, *self.view]
        is_theirs_alone = ConversationFilter.asks_conversations(request.query_params)
        if not is_theirs_alone:
            agents = self.key.account.agents.within(self.key.environment).order_by("pk")
            seen += agents.values_list("agent_config_id", "stages")
        listed = conditional(request, answer, *seen)
        if is_theirs_alone:
            keep(listed, self.key)
        return listed

    def total(self, listed: ConversationQuerySet, totals: Totals) -> int | None:
        """How many the list holds in all, read from the totals where they tell."""
        narrowing = ConversationFilter.narrowing(self.request.query_params)
        if not narrowing:
            return totals.number
        if narrowing == {"status"}:
            return totals.by_status.get(self.request.query_params["status"], 0)
        found = listed.total()
        if found is not None or totals.number > COUNTED_WHOLE:
            return found
        return listed.count() if totals.number <= COUNTED_AT_ONCE else listed.glance()

    def retrieve(self, request: Request, pk: str) -> HttpResponseBase:
        conversation = self.get_object()
        return conditional(request, lambda: self._shown(pk), pk, conversation.revision, *self.view)

    def record(self, request: Request) -> Response:
        """One conversation, or an array of them with an outcome each."""
        if isinstance(request.data, list):
            return self._record_many(request.data)
        serializer = ConversationRecordSerializer()
        values = record_from(serializer, request.data)
        [recorded] = self._record([values])
        if recorded.outcome == Outcome.REFUSED:
            if recorded.faults == {"id": [TAKEN]}:
                raise Conflict(TAKEN)
            raise ValidationError(to_wire_faults(recorded.faults or {}))
        return self._shown(recorded.id, status=201 if recorded.outcome == Outcome.RECORDED else 200)

    def _record_many(self, given: Any) -> Response:
        if len(given) > MAX_RECORDS:
            raise ValidationError({"non_field_errors": [f"At most {MAX_RECORDS:,} conversations at a time."]})
        serializer = ConversationRecordSerializer()
        results: list[dict[str, Any] | None] = []
        accepted = []
        for item in given:
            try:
                accepted.append(record_from(serializer, item))
                results.append(None)
            except ValidationError as error:
                results.append(_refused(item.get("_id") if isinstance(item, dict) else None, error.detail))
        recorded = iter(self._record(accepted))
        return Response([result or _result(next(recorded)) for result in results])

    def _refuse_masked(self, *given: Mapping[str, Any]) -> None:
        """What this key was shown masked it cannot send back: that would take the place of what it stands for."""
        if self.key.contacts_masked and any(map(holds_masked, given)):
            raise ValidationError({"non_field_errors": [f"Holds a contact that was masked ({HIDDEN})."]})

    def _record(self, values: Any) -> Sequence[Recorded]:
        self._refuse_masked(*values)
        conversations = self.key.account.conversations
        return conversations.record(self.key.account, values, environment=self.key.environment, by=self.key)

    def append(self, request: Request, pk: str) -> Response:
        conversation = self.get_object()
        messages = request.data if isinstance(request.data, list) else [request.data]
        if not messages:
            raise ValidationError({"messages": ["Must hold at least one message."]})
        self._refuse_masked({"messages": messages})
        return self._changed(conversation, lambda: conversation.append(messages, by=self.key))

    def update_details(self, request: Request, pk: str) -> Response:
        conversation = self.get_object()
        serializer = DetailsSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        changes = serializer.validated_data
        self._refuse_masked(changes)
        return self._changed(conversation, lambda: conversation.update_details(changes, by=self.key))

    def change_status(self, request: Request, pk: str) -> Response:
        conversation = self.get_object()
        serializer = StatusSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        status = serializer.validated_data["status"]
        return self._changed(conversation, lambda: conversation.change_status(status, by=self.key))

    def _changed(self, conversation: Conversation, change: Callable[[], None]) -> Response:
        """Carry out a change; what a verb refuses is a 400 under the wire's names."""
        try:
            change()
        except ModelValidationError as error:
            faults = error.message_dict if hasattr(error, "error_dict") else {"messages": error.messages}
            raise ValidationError(to_wire_faults(faults)) from None
        return self._shown(conversation.pk)

    def _shown(self, pk: str, status: int = 200) -> Response:
        row = wire.written(self.get_queryset().filter(pk=pk)).get()
        return Response(wire.shown(row), status=status)


def _result(recorded: Recorded) -> dict[str, Any]:
    if recorded.outcome == Outcome.REFUSED:
        return _refused(recorded.id, to_wire_faults(recorded.faults or {}))
    return {"_id": recorded.id, "result": recorded.outcome}


def _refused(pk: Any, details: Any) -> dict[str, Any]:
    """``_id`` as it was given, where it was one."""
    return {"_id": pk if is_object_id(pk) else None, "result": Outcome.REFUSED, "details": details}

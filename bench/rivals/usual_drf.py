"""The usual way: conversations and messages in two tables, ModelSerializer, prefetch_related, gunicorn. One file."""

import hashlib
import os
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="of-a-benchmark",  # noqa: S106
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["rest_framework"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["RIVAL_DATABASE"],
            "CONN_MAX_AGE": None,
        }
    },
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    REST_FRAMEWORK={
        "UNAUTHENTICATED_USER": None,
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
    USE_TZ=True,
)
if "://" in os.environ["RIVAL_DATABASE"]:
    url = urlsplit(os.environ["RIVAL_DATABASE"])
    settings.DATABASES["default"] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path[1:],
        "HOST": url.hostname,
        "PORT": url.port,
        "USER": url.username,
        "CONN_MAX_AGE": None,
    }
django.setup()

from django.core.wsgi import get_wsgi_application
from django.db import models
from django.urls import path
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.generics import ListAPIView
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.permissions import BasePermission
from rest_framework.response import Response


class ApiKey(models.Model):
    digest = models.CharField(max_length=64, unique=True)
    account_id = models.CharField(max_length=24)
    environment = models.CharField(max_length=4)
    scopes = models.JSONField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "rival"


class Conversation(models.Model):
    id = models.CharField(max_length=24, primary_key=True)
    account_id = models.CharField(max_length=24)
    environment = models.CharField(max_length=4)
    lead_id = models.CharField(max_length=64)
    agent_config_id = models.CharField(max_length=24)
    channel = models.CharField(max_length=8)
    lead_phone = models.CharField(max_length=64)
    status = models.CharField(max_length=10)
    current_stage_index = models.PositiveIntegerField()
    message_count = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    campaign_id = models.CharField(max_length=24, null=True)
    lead_email = models.CharField(max_length=320)
    current_stage_name = models.CharField(max_length=200)
    summary = models.TextField()
    qualified = models.BooleanField(null=True)
    qualification_reason = models.TextField()

    class Meta:
        app_label = "rival"
        indexes = (models.Index(fields=("account_id", "environment", "-updated_at", "-id"), name="newest"),)


class Message(models.Model):
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    role = models.CharField(max_length=6)
    content = models.TextField()
    timestamp = models.DateTimeField()
    agent_config_id = models.CharField(max_length=24, null=True)

    class Meta:
        app_label = "rival"
        ordering = ("id",)


class MomentField(serializers.DateTimeField):
    def to_representation(self, value: Any) -> str:
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z"


def without_nulls(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if value not in (None, "") or name == "leadPhone"}


class MessageSerializer(serializers.ModelSerializer):
    timestamp = MomentField()
    agentConfigId = serializers.CharField(source="agent_config_id")  # noqa: N815

    class Meta:
        model = Message
        fields = ("role", "content", "timestamp", "agentConfigId")

    def to_representation(self, instance: Message) -> dict[str, Any]:
        shown = super().to_representation(instance)
        if shown["agentConfigId"] is None:
            del shown["agentConfigId"]
        return shown


class ConversationSerializer(serializers.ModelSerializer):
    _id = serializers.CharField(source="id")
    leadId = serializers.CharField(source="lead_id")  # noqa: N815
    accountId = serializers.CharField(source="account_id")  # noqa: N815
    agentConfigId = serializers.CharField(source="agent_config_id")  # noqa: N815
    leadPhone = serializers.CharField(source="lead_phone")  # noqa: N815
    currentStageIndex = serializers.IntegerField(source="current_stage_index")  # noqa: N815
    messages = MessageSerializer(many=True)
    messageCount = serializers.IntegerField(source="message_count")  # noqa: N815
    createdAt = MomentField(source="created_at")  # noqa: N815
    updatedAt = MomentField(source="updated_at")  # noqa: N815
    campaignId = serializers.CharField(source="campaign_id")  # noqa: N815
    leadEmail = serializers.CharField(source="lead_email")  # noqa: N815
    currentStageName = serializers.CharField(source="current_stage_name")  # noqa: N815
    qualificationResult = serializers.SerializerMethodField()  # noqa: N815

    class Meta:
        model = Conversation
        fields = (
            "_id",
            "leadId",
            "accountId",
            "agentConfigId",
            "channel",
            "leadPhone",
            "status",
            "currentStageIndex",
            "messages",
            "messageCount",
            "createdAt",
            "updatedAt",
            "campaignId",
            "leadEmail",
            "currentStageName",
            "summary",
            "qualificationResult",
        )

    def get_qualificationResult(self, conversation: Conversation) -> dict[str, Any] | None:  # noqa: N802
        if conversation.qualified is None:
            return None
        return {"qualified": conversation.qualified, "reason": conversation.qualification_reason}

    def to_representation(self, instance: Conversation) -> dict[str, Any]:
        return without_nulls(super().to_representation(instance))


class KeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Any) -> Any:
        digest = hashlib.sha256(request.headers.get("X-API-Key", "").encode()).hexdigest()
        key = ApiKey.objects.filter(digest=digest, revoked_at=None).first()
        if key is None:
            raise AuthenticationFailed("Invalid or expired API key")
        return None, key


class MayView(BasePermission):
    def has_permission(self, request: Any, view: Any) -> bool:
        return "conversations:view" in request.auth.scopes


class Pages(LimitOffsetPagination):
    def get_count(self, queryset: Any) -> int:
        return 0

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> Any:
        return list(queryset[: self.get_limit(request)])

    def get_paginated_response(self, data: Any) -> Response:
        return Response(data)


class ConversationList(ListAPIView):
    authentication_classes = (KeyAuthentication,)
    permission_classes = (MayView,)
    serializer_class = ConversationSerializer
    pagination_class = Pages

    def get_queryset(self) -> Any:
        key = self.request.auth
        mine = Conversation.objects.filter(account_id=key.account_id, environment=key.environment)
        return mine.order_by("-updated_at", "-id").prefetch_related("messages")


urlpatterns = [path("api/conversations", ConversationList.as_view())]
application = get_wsgi_application()

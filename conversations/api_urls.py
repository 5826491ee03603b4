from django.urls import path

from conversations.analytics_api import AnalyticsViewSet
from conversations.api import ConversationViewSet
from conversations.export_api import ConversationExportViewSet
from conversations.leads_api import LeadViewSet

urlpatterns = [
    path("conversations", ConversationViewSet.as_view({"get": "list", "post": "record"}), name="api-conversations"),
    path("conversations/export", ConversationExportViewSet.as_view({"get": "export"}), name="api-export"),
    path(
        "conversations/<str:pk>",
        ConversationViewSet.as_view({"get": "retrieve", "patch": "update_details"}),
        name="api-conversation",
    ),
    path("conversations/<str:pk>/messages", ConversationViewSet.as_view({"post": "append"}), name="api-messages"),
    path("leads/erase", LeadViewSet.as_view({"post": "erase"}), name="api-erase-lead"),
    path("conversations/<str:pk>/status", ConversationViewSet.as_view({"patch": "change_status"}), name="api-status"),
    path("analytics/overview", AnalyticsViewSet.as_view({"get": "overview"}), name="api-analytics-overview"),
]

from django.urls import path

from conversations.api import ConversationViewSet

urlpatterns = [
    path("conversations", ConversationViewSet.as_view({"get": "list"}), name="api-conversations"),
    path("conversations/<str:pk>", ConversationViewSet.as_view({"get": "retrieve"}), name="api-conversation"),
]

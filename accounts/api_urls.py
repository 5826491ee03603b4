from django.urls import path

from accounts.api import ApiKeyViewSet

urlpatterns = [
    path("api-keys", ApiKeyViewSet.as_view({"get": "list", "post": "create"}), name="api-keys"),
    path("api-keys/<str:pk>", ApiKeyViewSet.as_view({"delete": "destroy"}), name="api-key"),
    path("api-keys/<str:pk>/rotate", ApiKeyViewSet.as_view({"post": "rotate"}), name="api-key-rotate"),
    path("api-keys/<str:pk>/revoke", ApiKeyViewSet.as_view({"patch": "revoke"}), name="api-key-revoke"),
]

"""The routes of the audit log."""

from django.urls import path

from accounts.audit_api import AuditViewSet

urlpatterns = [
    path("audit-logs", AuditViewSet.as_view({"get": "list"}), name="api-audit-logs"),
    path("audit-logs/export", AuditViewSet.as_view({"get": "export"}), name="api-audit-export"),
]

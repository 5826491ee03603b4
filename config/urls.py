"""The whole map."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from accounts.views import (
    home,
    invitation,
    open_invitation,
    preferences,
    switch_account,
    switch_environment,
    switch_language,
    switch_shortcuts,
    switch_theme,
)
from config.design import design
from config.docs import DocsView, SchemaView
from config.errors import api_not_found
from config.health import healthz, readyz
from config.health_page import health
from config.metrics_page import metrics
from conversations.views import analytics, last_words_page, open_shared_brief, shared_brief

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler429 = "config.errors.too_many_requests"  # allauth asks for it
handler500 = "config.errors.server_error"

api: list[URLPattern | URLResolver] = [
    path("", include("conversations.api_urls")),  # first: asked for most
    path("", include("accounts.api_urls")),
    path("", include("accounts.audit_urls")),
    path("schema", SchemaView.as_view(), name="api-schema"),
    path("docs", DocsView.as_view(), name="api-docs"),
    re_path("", api_not_found),
]

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.password_change = RedirectView.as_view(pattern_name="account_change_password")  # type: ignore[assignment,method-assign]

urlpatterns = [
    path("api/", include(api)),
    path("", home, name="home"),
    path("conversations/", include("conversations.urls")),
    path("analytics/", analytics, name="analytics"),
    path("analytics/last-words/", last_words_page, name="last-words"),
    path("", include("accounts.sign_in_urls")),
    path("invitations/", invitation, name="invitation"),
    path("invitations/<path:token>/", open_invitation, name="open-invitation"),
    path("shared/link/<path:token>/", open_shared_brief, name="open-shared-brief"),
    path("shared/<str:pk>/", shared_brief, name="shared-brief"),
    path("account/", switch_account, name="account"),
    path("environment/", switch_environment, name="environment"),
    path("settings/", include("accounts.settings_urls")),
    path("settings/security/", include("accounts.security_urls")),
    path("settings/", include("conversations.settings_urls")),
    path("settings/", include("conversations.privacy_urls")),
    path("settings/preferences/", preferences, name="preferences"),
    path("settings/language/", switch_language, name="language"),
    path("settings/theme/", switch_theme, name="theme"),
    path("settings/shortcuts/", switch_shortcuts, name="shortcuts"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("design/", design, name="design"),
    path("admin/health/", admin.site.admin_view(health), name="health"),
    path("admin/", admin.site.urls),
]

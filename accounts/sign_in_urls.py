"""The door: signing in and out, a forgotten password, the first run. Of allauth's addresses only what is needed."""

from allauth.account import views as account
from allauth.mfa.base.views import authenticate
from django.conf import settings
from django.urls import URLPattern, path, re_path
from django.views.decorators.http import require_http_methods, require_safe

from accounts import views

RESET_LINK = r"^login/reset/(?P<uidb36>[0-9A-Za-z]{1,30})-(?P<key>[0-9A-Za-z-]{1,100})/$"

asked = require_http_methods(["GET", "HEAD", "POST"])

urlpatterns: list[URLPattern] = [
    path("login/", views.SignIn.as_view(), name="account_login"),
    path("login/code/", asked(authenticate), name="mfa_authenticate"),
    path("login/reset/", asked(account.password_reset), name="account_reset_password"),
    path("login/reset/sent/", require_safe(account.password_reset_done), name="account_reset_password_done"),
    path(
        "login/reset/done/",
        require_safe(account.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    re_path(RESET_LINK, views.NewPassword.as_view(), name="account_reset_password_from_key"),
    path("logout/", views.SignOut.as_view(), name="account_logout"),
    path("setup/", views.setup, name="setup"),
]
if settings.OIDC_ISSUER:
    from accounts.views import single_sign_on as sso

    own = {"provider_id": "sso"}
    urlpatterns += [
        path("login/sso/", sso.leave, own, name="openid_connect_login"),
        path("login/sso/callback/", sso.return_, own, name="openid_connect_callback"),
    ]

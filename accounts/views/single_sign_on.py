"""Out to the provider of single sign-on, and back. What comes back is verified to the last signature."""

from typing import Any

from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe


class Provider(OpenIDConnectOAuth2Adapter):
    """Verifies the token's signature always; allauth trusts TLS alone where the token came straight from there."""

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        claims: dict[str, Any] = jwtkit.verify_and_decode(
            credential=id_token,
            keys_url=self.openid_config["jwks_uri"],
            issuer=self.openid_config["issuer"],
            audience=app.client_id,
            lookup_kid=jwtkit.lookup_kid_jwk,
        )
        return claims


@require_POST
@login_not_required
def leave(request: HttpRequest, provider_id: str) -> HttpResponse:
    response: HttpResponse = OAuth2LoginView.adapter_view(Provider(request, provider_id))(request)
    return response


@require_safe
@login_not_required
def return_(request: HttpRequest, provider_id: str) -> HttpResponse:
    response: HttpResponse = OAuth2CallbackView.adapter_view(Provider(request, provider_id))(request)
    return response

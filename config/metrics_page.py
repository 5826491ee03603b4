"""The page that Prometheus scrapes. Without ``METRICS_TOKEN`` there is none, and nothing is counted."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not constant_time_compare(token.strip(), settings.METRICS_TOKEN) or scheme.lower() != "bearer":
        refusal = {"error": "Authorization: Bearer, with the METRICS_TOKEN of this installation"}
        return JsonResponse(refusal, status=401, headers={"WWW-Authenticate": "Bearer"})
    from config.metrics import exposition

    return HttpResponse(exposition(), content_type="text/plain; version=0.0.4; charset=utf-8")

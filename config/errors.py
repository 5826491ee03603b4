"""The one shape of errors under ``/api`` (contract, section 5), and our own pages elsewhere."""

import logging
import sys
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from accounts.permissions import NoAccount, ScopeLacking
from config.storage.outages import is_outage, told
from config.storage.timeouts import SearchTimedOut

log = logging.getLogger(__name__)

TITLES = {
    400: (_("That request could not be read"), _("Go back and try once more.")),
    403: (_("You may not see this"), ""),
    404: (_("There is nothing here"), _("The page may have moved, or belongs to another account.")),
    429: (_("That was too often"), _("Try again in a few minutes.")),
    503: (
        _("That search took too long"),
        _("Narrow it by a status, a channel or a time, or look for more characters."),
    ),
    500: (_("Something went wrong on our side"), _("It was written to the log. Please try again in a moment.")),
}


SLOW_SEARCH = "The search took too long; narrow it by other filters"
UNAVAILABLE = "The store is unavailable, please try again later"


class Conflict(exceptions.APIException):
    """The request is right, and what is stored does not allow it; the text says why."""

    status_code = status.HTTP_409_CONFLICT


def api_exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """Any exception of an API view as ``{"error": …, "details": …}`` or, for a 403, ``{"error", "message"}``."""
    if isinstance(error, SuspiciousOperation):  # such as more parameters than anybody means
        error = exceptions.ParseError("Bad request")
    if isinstance(error, SearchTimedOut):
        return Response({"error": SLOW_SEARCH}, status=status.HTTP_503_SERVICE_UNAVAILABLE)
    if is_outage(error):
        set_rollback()
        log.error("The store is unavailable: %s", told(error))
        return Response({"error": UNAVAILABLE}, status=status.HTTP_503_SERVICE_UNAVAILABLE)
    response = exception_handler(error, context)
    if response is None:
        set_rollback()
        log.error("API view failed", exc_info=error)
        return Response({"error": "Internal server error"}, status=status.HTTP_500_INTERNAL_SERVER_ERROR)
    if isinstance(error, exceptions.ValidationError):
        response.data = {"error": "Validation failed", "details": response.data}
    elif isinstance(error, exceptions.PermissionDenied | DjangoPermissionDenied):
        response.data = {"error": "Forbidden", "message": response.data["detail"]}
    elif isinstance(error, Http404):
        response.data = {"error": "Not found"}
    else:
        response.data = {"error": response.data["detail"]}
    return response


@csrf_exempt
@login_not_required
def api_not_found(request: HttpRequest, **kwargs: Any) -> JsonResponse:
    """What is under ``/api`` and no endpoint."""
    return JsonResponse({"error": "Not found"}, status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return failure(request, 400, "Bad request")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, NoAccount):
        return render(request, "accounts/no_account.html", status=403)
    label = exception.label if isinstance(exception, ScopeLacking) else ""
    return failure(request, 403, "Forbidden", message=str(exception), lacking=label)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return failure(request, 404, "Not found")


def server_error(request: HttpRequest) -> HttpResponse:
    error = sys.exc_info()[1]
    return unavailable(request, error) if is_outage(error) else failure(request, 500, "Internal server error")


def unavailable(request: HttpRequest, error: Any) -> HttpResponse:
    """The store failed, perhaps on the way to the view. One line in the log tells of it, instead of a traceback."""
    log.error("The store is unavailable: %s (%s %s)", told(error), request.method, request.path)
    response: HttpResponse
    if request.path.startswith("/api/"):
        response = JsonResponse({"error": UNAVAILABLE}, status=503)
    else:
        title, advice = _("Parley cannot reach its data"), _("What was saved is safe. Please try again in a moment.")
        shown = render_to_string("unavailable.html", {"code": 503, "title": title, "advice": advice})
        response = HttpResponse(shown, status=503)
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def too_many_requests(request: HttpRequest) -> HttpResponse:
    return failure(request, 429, "Too many requests")


class SlowSearch:
    """Middleware: a page whose search takes too long says so."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return failure(request, 503, SLOW_SEARCH) if isinstance(exception, SearchTimedOut) else None


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form from a page that was open for too long, or from elsewhere."""
    return failure(
        request,
        403,
        "Forbidden",
        message=_("Your session has changed since this page was opened. Go back, reload it, and try again."),
        title=_("That was not taken"),
    )


def failure(request: HttpRequest, code: int, error: str, message: Any = "", **context: Any) -> HttpResponse:
    """``error`` and ``message`` as the API tells them; a page has the code's title, unless ``context`` has another."""
    if request.path.startswith("/api/"):
        return JsonResponse({"error": error, **({"message": message} if message else {})}, status=code)
    title, advice = TITLES[code]
    shown = {"code": code, "title": title, "advice": message or advice, **context}
    return render(request, "error.html", shown, status=code)

"""``Idempotency-Key`` on every POST: the same request twice has one effect and one answer (contract, section 2)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
from django.http import HttpResponse
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request

from accounts.models import ApiKey
from accounts.models.idempotency import (
    AnotherRequest,
    Answer,
    AnswerErased,
    IdempotentRequest,
    StillRunning,
)
from accounts.models.key import digest_of
from config.errors import Conflict
from config.storage.transaction import atomic

HEADER = "Idempotency-Key"
MAX_LENGTH = 255


class KeyReused(APIException):
    status_code = 422
    default_detail = "This Idempotency-Key was used for another request"


class Idempotent:
    """For viewsets: a POST that carries the header is carried out once, and its answer repeated for a day.

    Only what succeeded is remembered; what was refused had no effect, and may be sent again, corrected.
    """

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        name = request.headers.get(HEADER)
        if request.method == "POST" and name is not None:
            if not (1 <= len(name) <= MAX_LENGTH and name.isascii() and name.isprintable()):
                raise ValidationError({HEADER: [f"Must be 1 to {MAX_LENGTH} printable ASCII characters."]})
            self.post: Callable[..., Any] = partial(self._once, self.post, name)

    def _once(self, handler: Callable[..., Any], name: str, request: Request, **kwargs: Any) -> HttpResponse:
        key: ApiKey = request.auth  # type: ignore[assignment]
        try:
            claim = IdempotentRequest.objects.claim(key, name, fingerprint_of(request))
            if answer := claim.answer:
                return self._respond(answer, replayed=True)
            try:
                return self._respond(_carry_out(claim, partial(handler, request, **kwargs)), replayed=False)
            except BaseException:
                claim.give_up()
                raise
        except StillRunning:
            raise Conflict("A request with this Idempotency-Key is still running") from None
        except AnswerErased:
            raise Conflict("This was carried out. Its answer has been erased") from None
        except AnotherRequest:
            raise KeyReused from None

    def _respond(self, answer: Answer, *, replayed: bool) -> HttpResponse:
        response = HttpResponse(answer.body, status=answer.status, content_type="application/json")
        if replayed:
            response["Idempotency-Replayed"] = "true"
        return response


@atomic
def _carry_out(claim: IdempotentRequest, handler: Callable[[], Any]) -> Answer:
    """The effect and its answer, written together: a crash before the client hears of it loses neither."""
    response = handler()
    answer = Answer(response.status_code, orjson.dumps(response.data, default=str))
    claim.finish(answer)
    return answer


def fingerprint_of(request: Request) -> str:
    """What a request says: its path and the meaning of its body, however that was written."""
    body = orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS, default=str)
    return digest_of(f"{request.path}\n{body.decode()}")

"""Answers that are kept ready: a client that polls asks for the same page again and again.

What an answer shows depends on its key, the key's account, and the account's conversations, whose every change the
store counts. So one statement asks for those three, and an answer that was made is given again as long as they are
exactly what they were before it was made: whatever changes, in whichever process, is seen by the next request. An
answer is kept for the key that it was made for, and for its address; each is counted on its limits as ever.

What is to be kept, the view says. Each process keeps its own.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import Any

from django.db import Error
from django.db.models import OuterRef, Subquery, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from accounts.authentication import token_of
from accounts.models import ApiKey
from accounts.models.key import LAST_USED_RESOLUTION, TOKEN, digest_of
from accounts.models.lookup import key_columns, key_from
from accounts.throttling import TooManyRequests, count_key, refused
from config.etags import is_held
from config.storage.prepared import Prepared
from conversations.models import Tally

PATH = "/api/conversations"

LARGEST = 1 << 20
"""Bytes of an answer that is kept, at most."""

ROOM = 16 << 20
"""Bytes of all that a process keeps."""

OVERHEAD = 4_000
"""Bytes that an answer takes beside its content, about."""


def _standing(digest: str) -> Any:
    mine = Tally.objects.filter(account_id=OuterRef("account_id"), environment=OuterRef("environment"))
    changes = mine.order_by().values("account_id").annotate(changes=Sum("changes")).values("changes")
    return ApiKey.objects.filter(digest=digest).values_list(*key_columns(), Subquery(changes))


standing = Prepared(_standing, values=1, at_once=True)
"""The key, its account, and how often their conversations have changed."""


@dataclass(frozen=True)
class Ready:
    """An answer, and what has to be as it was for it to be given again."""

    standing: tuple[Any, ...]
    until: float
    """Seconds since 1970: then the key expires, or is to be marked as used again."""
    key: ApiKey
    etag: str
    headers: dict[str, str]
    content: bytes | None
    """None of an answer that was 304."""
    route: Any
    packed: dict[str, bytes] = field(default_factory=dict)
    """The content as it is sent compressed (``config.compression``)."""

    def is_true(self, standing: tuple[Any, ...]) -> bool:
        return self.standing == standing and time.time() < self.until

    def response(self, request: HttpRequest) -> HttpResponse | None:
        """None where the client wants what is not kept."""
        if is_held(request, self.etag):
            return HttpResponse(status=304, headers={"ETag": self.etag})
        if self.content is None:
            return None
        response = HttpResponse(self.content, headers=self.headers)
        response.packed = self.packed  # type: ignore[attr-defined]
        return response

    @property
    def size(self) -> int:
        """Its compressed form may be made later, and is never larger."""
        return 2 * len(self.content or b"") + OVERHEAD


class Shelf:
    """Answers by name; those that were not asked for the longest make room."""

    def __init__(self, room: int = ROOM) -> None:
        self.room = room
        self.used = 0
        self._kept: OrderedDict[Any, Ready] = OrderedDict()
        self._turn = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, name: Any) -> Ready | None:
        with self._turn:
            found = self._kept.get(name)
            if found is not None:
                self._kept.move_to_end(name)
            return found

    def put(self, name: Any, ready: Ready) -> None:
        with self._turn:
            before = self._kept.pop(name, None)
            self.used += ready.size - (before.size if before else 0)
            self._kept[name] = ready
            while self.used > self.room:
                self.used -= self._kept.popitem(last=False)[1].size


class ReadyAnswers:
    """Middleware, behind that which counts by address: gives what is ready, and keeps what is to be kept."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.shelf = Shelf()

    def __call__(self, request: Any) -> HttpResponseBase:
        if request.path != PATH or request.method != "GET":
            return self.get_response(request)
        token = token_of(request)
        if token is None or not TOKEN.fullmatch(token):
            return self.get_response(request)
        digest = digest_of(token)
        try:
            rows = standing.raw(digest)
        except Error:  # whatever it is, the view meets it too, and knows how to say so
            rows = []
        if not rows:
            return self.get_response(request)
        name = (digest, request.scheme, request.META.get("HTTP_HOST"), request.META.get("QUERY_STRING"))
        ready = self.shelf.get(name)
        if ready and ready.is_true(rows[0]) and (response := ready.response(request)):
            return self._counted(request, ready, response)
        request.key_found = _key_of(rows[0][:-1])
        made = self.get_response(request)
        key = getattr(made, "kept_for", None)
        if key and len(getattr(made, "content", b"")) <= LARGEST:
            self.shelf.put(name, _ready(request, made, key, rows[0]))
        return made

    def _counted(self, request: Any, ready: Ready, response: HttpResponseBase) -> HttpResponseBase:
        request.resolver_match, request.auth = ready.route, ready.key  # the log names them
        try:
            count_key(request, ready.key)
        except TooManyRequests as refusal:
            return refused(refusal)
        return response


def keep(response: HttpResponseBase, key: ApiKey) -> None:
    """``response`` depends on nothing but its address, ``key``, the key's account and its conversations."""
    if not response.streaming:
        response.kept_for = key  # type: ignore[attr-defined]


@lru_cache(maxsize=1_000)
def _key_of(row: tuple[Any, ...]) -> ApiKey:
    """The key that the store shows so. Requests share it: those for lists change nothing of it."""
    return key_from(standing.converted((*row, None)))


def _ready(request: HttpRequest, made: Any, key: ApiKey, seen: tuple[Any, ...]) -> Ready:
    return Ready(
        standing=seen,
        until=_until(key),
        key=key,
        etag=made["ETag"],
        headers=dict(made.items()),
        content=made.content if made.status_code == 200 else None,
        route=request.resolver_match,
    )


def _until(key: ApiKey) -> float:
    if key.last_used_at is None:  # as it was read; by now it is marked
        return 0
    marked_until = (key.last_used_at + LAST_USED_RESOLUTION).timestamp()
    return min(marked_until, key.expires_at.timestamp()) if key.expires_at else marked_until

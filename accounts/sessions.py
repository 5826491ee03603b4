"""Where a person is signed in. Every sign-in has a row of allauth's ``UserSession``, whatever page it came through."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.auth import logout

from accounts.devices import NO_ADDRESS, device_of
from accounts.origin import current_origin
from config.storage.moments import now

SEEN, SEEN_EVERY = "seen", 600
"""In the session: when its row was last told that it is in use; and how often that is, in seconds."""


@dataclass(frozen=True)
class SignedIn:
    """A session as the page shows it."""

    pk: str
    device: str
    address: str
    since: datetime
    last_seen: datetime
    is_current: bool


def sessions_of(request: Any) -> list[SignedIn]:
    """Those of the person who asks: this one first, then the last used. Dead ones are forgotten."""
    found = (
        SignedIn(
            pk=str(session.pk),
            device=device_of(session.user_agent),
            address="" if session.ip == NO_ADDRESS else session.ip,
            since=session.created_at,
            last_seen=session.last_seen_at,
            is_current=session.session_key == request.session.session_key,
        )
        for session in UserSession.objects.purge_and_list(request.user)
    )
    return sorted(found, key=lambda row: (row.is_current, row.last_seen), reverse=True)


def end_session(request: Any, pk: str) -> bool:
    """End one of the person's sessions; whether there was one."""
    found = [session for session in UserSession.objects.filter(user=request.user) if str(session.pk) == pk]
    if found:
        request.user.log("user.session_ended", by=request.user)
    _end(request, found)
    return bool(found)


def end_every_session(request: Any) -> None:
    """Sign the person out everywhere, here too."""
    request.user.log("user.sessions_ended", by=request.user)
    _end(request, UserSession.objects.filter(user=request.user))
    logout(request)


def _end(request: Any, sessions: Iterable[UserSession]) -> None:
    for session in sessions:
        is_current = session.session_key == request.session.session_key
        session.end()
        if is_current:
            logout(request)


def follow(sender: object, request: Any, user: Any, **kwargs: Any) -> None:
    """Receiver of Django's signal: somebody signed in."""
    request.session[SEEN] = int(now().timestamp())
    if not request.session.session_key:
        request.session.save()
    agent = request.META.get("HTTP_USER_AGENT", "")[: UserSession._meta.get_field("user_agent").max_length]
    values = {"user": user, "ip": current_origin().address or NO_ADDRESS, "user_agent": agent}
    UserSession.objects.update_or_create(session_key=request.session.session_key, defaults=values)


def mark_seen(request: Any) -> None:
    """Note that a session is in use, and from where, once in ``SEEN_EVERY`` seconds."""
    moment = now()
    if moment.timestamp() - request.session.get(SEEN, 0) >= SEEN_EVERY:
        request.session[SEEN] = int(moment.timestamp())
        row = UserSession.objects.filter(session_key=request.session.session_key)
        row.update(last_seen_at=moment, ip=current_origin().address or NO_ADDRESS)

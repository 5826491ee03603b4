"""API keys: the list, and a page for each thing that is done to them. A secret is in exactly one answer."""

import re
import secrets
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.key_forms import MAX_NAME_LENGTH, OWN_DATE, QUESTIONS, NameForm, NewKeyForm, RevokeForm, is_in_use
from accounts.key_rows import access_of, label_of, rows_of
from accounts.models import ApiKey, Environment
from accounts.models.key import KeyStateConflict, ScopeNotHeld, check_held
from accounts.permissions import lacks, scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from config.storage.fields import find
from config.storage.moments import now

ONCE = re.compile(r"[0-9a-f]{32}")
REMEMBERED = 20
"""Forms that made a key and are known again when they are sent again."""

FIRST_CALLS = (
    (Scope.CONVERSATIONS_VIEW, "api-conversations", "?limit=1"),
    (Scope.DASHBOARD_VIEW, "api-analytics-overview", ""),
    (Scope.API_KEYS_VIEW, "api-keys", ""),
    (Scope.AUDIT_VIEW, "api-audit-logs", "?limit=1"),
)
"""What a new key can ask first, to see that it works: the first of which it has the scope."""

Issued = tuple[ApiKey, str]


@require_safe
@scope_required(Scope.API_KEYS_VIEW)
def keys(request: AccountRequest) -> HttpResponse:
    """Those of both environments, as in the API: first the one that the person looks at."""
    rows = rows_of(request.account, request.membership.scopes)
    context = {
        "groups": [
            {"value": value, "label": label, "rows": [row for row in rows if row.key.environment == value]}
            for value, label in sorted(Environment.choices, key=lambda choice: choice[0] != request.environment)
        ],
        "is_empty": not rows,
        "may_manage": request.membership.has_scope(Scope.API_KEYS_MANAGE),
        "scope": Scope.API_KEYS_MANAGE,
    }
    return render(request, "accounts/keys.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@scope_required(Scope.API_KEYS_MANAGE)
def new_key(request: AccountRequest) -> HttpResponse:
    held = request.membership.scopes
    sent = request.POST if request.method == "POST" else None
    if sent is not None and (made := _made_before(request)) is not None:
        return _already(request, made)
    form = NewKeyForm(sent, held=held, environment=request.environment, purpose=request.GET.get("for", ""))
    if _is_once(request, form) and form.is_valid():
        fields = {name: form.cleaned_data[name] for name in form.ISSUED}
        try:
            issued = _once(
                request,
                lambda: request.account.api_keys.issue(account=request.account, by=request.user, within=held, **fields),
            )
        except ValidationError as error:
            form.add_error(None, [text for texts in error.message_dict.values() for text in texts])
        else:
            return _secret(request, *issued)
    context = {
        "form": form,
        "once": secrets.token_hex(16),
        "own_date": OWN_DATE,
        "max_name_length": MAX_NAME_LENGTH,
        "today": now(),
    }
    return render(request, "accounts/new_key.html", context, status=400 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@scope_required(Scope.API_KEYS_MANAGE)
def rename_key(request: AccountRequest, pk: str) -> HttpResponse:
    key = _key(request, pk)
    form = NameForm(request.POST if request.method == "POST" else None, initial={"name": key.name})
    if form.is_valid():
        key.rename(form.cleaned_data["name"], by=request.user)
        messages.success(request, _("The key is named %(name)s now.") % {"name": key.name})
        return _to_list(key)
    context = {"form": form, "key": key, "max_name_length": MAX_NAME_LENGTH}
    return render(request, "accounts/rename_key.html", context, status=400 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@scope_required(Scope.API_KEYS_MANAGE)
def rotate_key(request: AccountRequest, pk: str) -> HttpResponse:
    """A new key for an old one. Who gets the new secret must hold all that it opens."""
    key = _key(request, pk)
    held = request.membership.scopes
    if request.method != "POST":
        return _ask(request, key, "rotate", _why_not_rotated(key, held))
    if (made := _made_before(request)) is not None:
        return _already(request, made)
    if not ONCE.fullmatch(request.POST.get("once", "")):
        return _ask(request, key, "rotate", _why_not_rotated(key, held), status=400)
    try:
        return _secret(request, *_once(request, lambda: key.rotate(by=request.user, within=held)), replaced=key)
    except ScopeNotHeld as error:
        raise lacks(error.scope) from None
    except KeyStateConflict as error:
        messages.error(request, str(error))
        return _to_list(key)


@require_http_methods(["GET", "HEAD", "POST"])
@scope_required(Scope.API_KEYS_MANAGE)
def revoke_key(request: AccountRequest, pk: str) -> HttpResponse:
    """Taking away needs no more than the scope: it harms no secret, and helps in an emergency."""
    key = _key(request, pk)
    if key.revoked_at:
        why = _("It has been revoked already.")
        if request.method != "POST":
            return _ask(request, key, "revoke", why)
        messages.info(request, f"{key}: {why}")
        return _to_list(key)
    form = RevokeForm(request.POST if request.method == "POST" else None, key=key)
    if not form.is_valid():
        return _ask(request, key, "revoke", form=form, status=400 if form.is_bound else 200)
    try:
        key.revoke(by=request.user)
    except ApiKey.DoesNotExist:  # deleted by somebody else a moment ago
        raise Http404 from None
    messages.success(request, _("%(key)s is revoked. Requests with it are refused from now on.") % {"key": key})
    return _to_list(key)


@require_http_methods(["GET", "HEAD", "POST"])
@scope_required(Scope.API_KEYS_MANAGE)
def delete_key(request: AccountRequest, pk: str) -> HttpResponse:
    """Takes a dead key out of the list."""
    key = _key(request, pk)
    if request.method != "POST":
        is_active = key.status == ApiKey.Status.ACTIVE
        return _ask(request, key, "delete", _("It still works. Revoke it first.") if is_active else "")
    try:
        key.remove(by=request.user)
    except KeyStateConflict as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(key)s is deleted. The audit log keeps what it did.") % {"key": key})
    return redirect("settings:keys")


def _key(request: AccountRequest, pk: str) -> ApiKey:
    """The account's key, of either environment. Another account's is as unknown as one that never was."""
    key: ApiKey | None = find(request.account.api_keys, pk)
    if key is None:
        raise Http404
    return key


def _to_list(key: ApiKey) -> HttpResponse:
    return redirect(f"{reverse('settings:keys')}#key-{key.pk}")


def _ask(
    request: AccountRequest, key: ApiKey, verb: str, why_not: str = "", *, form: Any = None, status: int = 200
) -> HttpResponse:
    """The page that asks whether to; ``why_not`` says why it cannot be done."""
    title, question, button = QUESTIONS[verb]
    context = {
        "key": key,
        "verb": verb,
        "title": str(title) % {"name": key.name},
        "question": format_html(str(question), name=key.name),
        "button": button,
        "why_not": why_not,
        "form": form,
        "is_in_use": is_in_use(key),
        "once": secrets.token_hex(16),
    }
    return render(request, "accounts/confirm_key.html", context, status=status)


def _why_not_rotated(key: ApiKey, held: frozenset[str]) -> str:
    if key.revoked_at:
        return _("It has been revoked, and a revoked key cannot be rotated.")
    if key.status == ApiKey.Status.EXPIRED:
        return _("It has expired, and an expired key cannot be rotated. Create a new one.")
    try:
        check_held(key.opened, held)
    except ScopeNotHeld as error:
        text = _("It opens more than you hold: %(label)s (%(scope)s). Ask an owner to rotate it.")
        return text % {"label": label_of(error.scope), "scope": error.scope}
    return ""


# A form that makes a key works once: its page is not redirected from, for the secret must not be kept for another
# request, and so it may be sent again by a reload.


def _made_before(request: AccountRequest) -> str | None:
    """The id of the key that this form has made, empty where that is not known; None where it has made none."""
    made: str | None = request.session.get("made_keys", {}).get(request.POST.get("once", ""))
    return made


def _is_once(request: AccountRequest, form: NewKeyForm) -> bool:
    if form.is_bound and not ONCE.fullmatch(request.POST.get("once", "")):
        form.add_error(None, _("The form was incomplete. Send it again."))
    return form.is_bound


def _once(request: AccountRequest, make: Callable[[], Issued]) -> Issued:
    """Remember the form as used, and only then make its key: a second click finds it so."""
    form = request.POST["once"]
    _remember(request, form, "")
    try:
        key, token = make()
    except Exception:
        _remember(request, form, None)
        raise
    _remember(request, form, key.pk)
    return key, token


def _remember(request: AccountRequest, form: str, made: str | None) -> None:
    known = {name: value for name, value in request.session.get("made_keys", {}).items() if name != form}
    if made is not None:
        known[form] = made
    request.session["made_keys"] = dict(list(known.items())[-REMEMBERED:])
    request.session.save()


def _already(request: AccountRequest, pk: str) -> HttpResponse:
    key = request.account.api_keys.filter(pk=pk).first() if pk else None
    return render(request, "accounts/key_made.html", {"key": key})


def _secret(request: AccountRequest, key: ApiKey, token: str, *, replaced: ApiKey | None = None) -> HttpResponse:
    """The one page that ever holds the full key. Not a redirect, and nowhere kept."""
    call = next((call for call in FIRST_CALLS if key.has_scope(call[0])), None)
    context = {
        "key": key,
        "access": access_of(key.scopes),
        "scopes": [label_of(scope) for scope in key.scopes] + [_("Contacts masked")] * key.contacts_masked,
        "token": token,
        "replaced": replaced,
        "call": request.build_absolute_uri(reverse(call[1])) + call[2] if call else "",
    }
    response = render(request, "accounts/key_secret.html", context)
    response["Cache-Control"] = "private, no-store"
    return response

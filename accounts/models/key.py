"""API keys: what an integration signs its requests with (contract, section 4)."""

import hashlib
import re
import secrets
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.account import Account, Environment, Owned, OwnedQuerySet, RateLimited
from accounts.models.audit import Actor, AuditEvent
from accounts.models.lookup import key_of_digest
from accounts.models.refusals import KeyActive as KeyActive
from accounts.models.refusals import KeyExpired as KeyExpired
from accounts.models.refusals import KeyRevoked as KeyRevoked
from accounts.models.refusals import KeyStateConflict as KeyStateConflict
from accounts.models.refusals import LiveNotHeld as LiveNotHeld
from accounts.models.refusals import ScopeNotHeld as ScopeNotHeld
from accounts.models.refusals import check_held as check_held
from accounts.origin import current_origin
from accounts.scopes import Scope
from accounts.validators import EachIn, validate_text
from config.storage.moments import now
from config.storage.outages import by_the_way
from config.storage.transaction import atomic

PREFIX = "nl"
TOKEN = re.compile(r"nl_(?:live|test)_[0-9a-f]{64}")
READING = ("conversations:", "leads:", "audit:")
"""How scopes begin whose answers hold contacts."""

LAST_USED_RESOLUTION = timedelta(minutes=1)


def digest_of(token: str) -> str:
    """SHA-256 in hex. A key has 256 random bits, so a fast hash without salt is as good as a slow one."""
    return hashlib.sha256(token.encode()).hexdigest()


class ApiKeyQuerySet(OwnedQuerySet["ApiKey"]):
    def within_reach_of(self, key: "ApiKey") -> "ApiKeyQuerySet":
        """What ``key`` may see and manage: a test key nothing live."""
        return self.test() if key.environment == Environment.TEST else self.all()


class ApiKeyManager(models.Manager.from_queryset(ApiKeyQuerySet)):  # type: ignore[misc]
    def authenticate(self, token: str, found: "ApiKey | None" = None) -> "ApiKey | None":
        """The usable key whose secret is ``token``, or None: unknown, malformed, revoked or expired. ``found``
        is that secret's, where it was looked up already.
        """
        if not TOKEN.fullmatch(token):
            return None
        key = found or key_of_digest(digest_of(token))
        return key if key and key.status == ApiKey.Status.ACTIVE else None

    @atomic
    def issue(
        self,
        *,
        account: Account,
        name: str,
        environment: str,
        scopes: Iterable[str],
        by: Actor,
        expires_at: datetime | None = None,
        within: Collection[str] | None = None,
        contacts_masked: bool = False,
    ) -> tuple["ApiKey", str]:
        """A new key and its secret, which is nowhere else. ``within`` is what a person who asks for it holds there.

        With ``contacts_masked`` it is answered with masked contacts, and has no scope to read them; so it is where its
        maker sees them so.

        Raises ValidationError for bad scopes or a past expiry; ScopeNotHeld or LiveNotHeld for more than that, or than
        ``by`` holds where it is a key.
        """
        given = [str(scope) for scope in scopes if not contacts_masked or scope != Scope.CONTACTS_READ]
        key, token = ApiKey.build(
            account=account, name=name, environment=environment, scopes=given, expires_at=expires_at
        )
        key.created_by = None if isinstance(by, ApiKey) else by
        key.full_clean()
        if isinstance(by, ApiKey):
            by.check_may_give(key)
        check_held(key.scopes, within)
        held = by.held if isinstance(by, ApiKey) else within
        key.contacts_masked = contacts_masked or (held is not None and Scope.CONTACTS_READ not in held)
        key.save(force_insert=True)
        masked = {"contacts_masked": True} if key.contacts_masked else {}
        key.log("api_key.created", by=by, scopes=key.scopes, **masked)
        return key, token


class ApiKey(Owned, RateLimited):
    """Lets a program read and write one environment of one account, within its scopes.

    The secret is shown once; the store keeps its SHA-256 and its last four characters.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        REVOKED = "revoked", _("Revoked")
        EXPIRED = "expired", _("Expired")

    account: "models.ForeignKey[Any, Account]" = models.ForeignKey(
        Account, verbose_name=_("account"), on_delete=models.CASCADE, related_name="api_keys", db_index=False
    )
    name = models.CharField(_("name"), max_length=100, validators=[validate_text])
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=4, editable=False)
    scopes = models.JSONField(_("scopes"), default=list, validators=[EachIn(Scope)])
    contacts_masked = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(_("created at"), default=now, editable=False)
    created_by: "models.ForeignKey[Any, Any]" = models.ForeignKey(
        "accounts.User", verbose_name=_("created by"), on_delete=models.SET_NULL, null=True, blank=True,
        related_name="+", editable=False,
    )  # fmt: skip
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False)
    last_used_ip = models.CharField(_("last used from"), max_length=45, blank=True, editable=False)

    objects = ApiKeyManager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ("-created_at", "-id")
        indexes = (models.Index(fields=("account", "environment", "-created_at", "-id"), name="api_key_newest"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.masked})"

    @classmethod
    def build(cls, **fields: Any) -> tuple["ApiKey", str]:
        """An unsaved key and its secret."""
        token = f"{PREFIX}_{fields['environment']}_{secrets.token_hex(32)}"
        return cls(digest=digest_of(token), hint=token[-4:], **fields), token

    def clean(self) -> None:
        if self._state.adding and self.expires_at and self.expires_at <= now():
            raise ValidationError({"expires_at": _("Must be in the future.")})

    @property
    def prefix(self) -> str:
        return f"{PREFIX}_{self.environment}_"

    @property
    def masked(self) -> str:
        """How people see a key: ``nl_live_…9f3a``."""
        return f"{self.prefix}…{self.hint}"

    @property
    def status(self) -> str:
        if self.revoked_at:
            return self.Status.REVOKED
        return self.Status.EXPIRED if self.expires_at and self.expires_at <= now() else self.Status.ACTIVE

    def has_scope(self, scope: str) -> bool:
        return scope in self.held

    @property
    def held(self) -> frozenset[str]:
        """Its scopes, and contacts unless it was issued with them masked: a key for the documented API is answered as
        is documented, without naming what that does not know."""
        contacts = set() if self.contacts_masked else {Scope.CONTACTS_READ.value}
        return frozenset(self.scopes) - {Scope.CONTACTS_READ} | contacts

    @property
    def opened(self) -> list[str]:
        """What its secret opens: ``scopes``, and contacts where it reads conversations that hold them."""
        opens = not self.contacts_masked and any(scope.startswith(READING) for scope in self.scopes)
        return [*self.scopes, *([Scope.CONTACTS_READ.value] if opens else [])]

    def check_may_give(self, key: "ApiKey") -> None:
        """Raises ScopeNotHeld or LiveNotHeld where ``key`` opens what this one does not."""
        if self.environment == Environment.TEST and key.environment == Environment.LIVE:
            raise LiveNotHeld
        check_held(key.scopes, self.held)

    @atomic
    def rename(self, name: str, *, by: Actor) -> None:
        """Raises ValidationError; the same name changes nothing."""
        before, self.name = self.name, name
        self.clean_fields(exclude=[field.name for field in self._meta.fields if field.name != "name"])
        if name != before and ApiKey.objects.filter(pk=self.pk).update(name=name):
            self.log("api_key.renamed", by=by, before=before)

    @atomic
    def rotate(self, *, by: Actor, within: Collection[str] | None = None) -> tuple["ApiKey", str]:
        """A new key with this one's name, scopes, environment, expiry and limit; this one is dead at once.

        Raises KeyRevoked or KeyExpired; ScopeNotHeld or LiveNotHeld as ``issue`` does, for the new secret would hand
        out more than its receiver had.
        """
        if isinstance(by, ApiKey):
            by.check_may_give(self)
            check_held(self.opened, by.held)
        check_held(self.opened, within)
        moment = now()
        if self.expires_at and self.expires_at <= moment and not self.revoked_at:
            raise KeyExpired(_("An expired key cannot be rotated."))
        if not ApiKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=moment):
            raise KeyRevoked(_("A revoked key cannot be rotated."))
        self.refresh_from_db(fields=["revoked_at"])
        key, token = ApiKey.build(
            account_id=self.account_id,
            name=self.name,
            environment=self.environment,
            scopes=self.scopes,
            contacts_masked=self.contacts_masked,
            expires_at=self.expires_at,
            rate_limit=self.rate_limit,
            created_by_id=self.created_by_id,
        )
        key.save(force_insert=True)
        self.log("api_key.rotated", by=by, replaced_by=key.pk)
        return key, token

    @atomic
    def revoke(self, *, by: Actor) -> None:
        """Final; repeating it changes nothing."""
        if ApiKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=now()):
            self.log("api_key.revoked", by=by)
        self.refresh_from_db(fields=["revoked_at"])

    @atomic
    def remove(self, *, by: Actor) -> None:
        """Take a dead key out of the list; the audit log keeps what it did. Raises KeyActive.

        Neither revoking nor expiring is ever undone, so what is dead when we look stays so.
        """
        if self.status == self.Status.ACTIVE:
            raise KeyActive(_("Only a revoked or expired key can be deleted. Revoke it first."))
        if ApiKey.objects.filter(pk=self.pk).delete()[0]:
            self.log("api_key.deleted", by=by)

    def touch(self) -> None:
        """Remember that the key was used, at most once a minute: a read must not become a write each time."""
        moment = now()
        if self.last_used_at and self.last_used_at > moment - LAST_USED_RESOLUTION:
            return
        stale = Q(last_used_at=None) | Q(last_used_at__lte=moment - LAST_USED_RESOLUTION)
        with by_the_way("The last use of an API key"):
            ApiKey.objects.filter(stale, pk=self.pk).update(last_used_at=moment, last_used_ip=current_origin().address)

    def log(self, action: str, *, by: Actor, **metadata: Any) -> None:
        AuditEvent.objects.log(
            action,
            account=self.account,
            by=by,
            resource=self,
            environment=self.environment,
            metadata={"name": self.name, "key": self.masked, **metadata},
        )

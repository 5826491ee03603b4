"""Requests that were asked for under an ``Idempotency-Key``, and what was answered (contract, section 2)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.encryption import cipher
from accounts.models.account import Owned, OwnedQuerySet
from accounts.models.key import ApiKey, digest_of
from config.storage.fields import new_object_id
from config.storage.moments import now
from config.storage.transaction import atomic

REMEMBERED = timedelta(hours=24)
LEASE = timedelta(seconds=30)
"""How long a request that has not answered is taken to be running still: its server may have died."""


class StillRunning(Exception):
    """The first request with this key has not answered yet."""


class AnswerErased(Exception):
    """It was carried out, and what was answered has been erased with the lead that it told of."""


class AnotherRequest(Exception):
    """The key was used for a request that said something else."""


@dataclass(frozen=True)
class Answer:
    """What was answered: a status and a body."""

    status: int
    body: bytes


class IdempotentRequestManager(models.Manager["IdempotentRequest"]):
    def claim(self, key: ApiKey, name: str, fingerprint: str) -> "IdempotentRequest":
        """The request that ``key`` named ``name``, either answered already or now ours to answer.

        Names are each key's own: an answer may hold what a weaker key of the account must not see.

        Raises StillRunning or AnotherRequest.
        """
        self.filter(created_at__lt=now() - REMEMBERED).delete()
        claim = IdempotentRequest(
            account=key.account,
            environment=key.environment,
            name_digest=digest_of(f"{key.pk}:{name}"),
            fingerprint=fingerprint,
            holder=new_object_id(),
        )
        claim.name = name
        try:
            _insert(claim)
        except IntegrityError:
            return self._known(claim)
        return claim

    def _known(self, claim: "IdempotentRequest") -> "IdempotentRequest":
        known = self.filter(name_digest=claim.name_digest).first()
        if known is None:  # it was given up at this moment
            raise StillRunning
        known.name = claim.name
        if known.status is None:
            # Whoever holds it may have died. Of all that wait for it, one takes it over.
            stale = self.filter(pk=known.pk, holder=known.holder, status=None, claimed_at__lt=now() - LEASE)
            if not stale.update(holder=claim.holder, claimed_at=now(), fingerprint=claim.fingerprint):
                raise StillRunning
            known.holder = claim.holder
        elif known.fingerprint != claim.fingerprint:
            raise AnotherRequest
        return known


class IdempotentRequest(Owned):
    """One named request of an account's environment; its answer is written in the transaction of its effect.

    The answer may hold a new key's secret, so it is encrypted, with the request's name as part of the key.
    """

    account: "models.ForeignKey[Any, Any]" = models.ForeignKey(
        "accounts.Account",
        verbose_name=_("account"),
        on_delete=models.CASCADE,
        related_name="idempotent_requests",
        db_index=False,
    )
    name_digest = models.CharField(max_length=64, unique=True)
    fingerprint = models.CharField(max_length=64)
    holder = models.CharField(max_length=24)
    claimed_at = models.DateTimeField(_("claimed at"), default=now)
    created_at = models.DateTimeField(_("created at"), default=now)
    status = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)
    body = models.BinaryField(default=b"")

    objects = IdempotentRequestManager.from_queryset(OwnedQuerySet)()

    class Meta:
        verbose_name = _("remembered request")
        verbose_name_plural = _("remembered requests")
        indexes = (models.Index(fields=("created_at",), name="idempotent_oldest"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(status=None) | Q(status__gte=200), name="idempotent_status_is_an_answer"
            ),
        )

    name: str

    def __str__(self) -> str:
        return self.name_digest

    @property
    def answer(self) -> Answer | None:
        if self.status is None:
            return None
        if not self.body:
            raise AnswerErased
        return Answer(self.status, cipher("idempotency", self.name).decrypt(bytes(self.body)))

    def finish(self, answer: Answer) -> None:
        """Write the answer down, in the transaction of the effect. Raises StillRunning if it was taken over."""
        body = cipher("idempotency", self.name).encrypt(answer.body)
        mine = IdempotentRequest.objects.filter(pk=self.pk, holder=self.holder, status=None)
        if not mine.update(status=answer.status, body=body):
            raise StillRunning

    def give_up(self) -> None:
        """It had no effect: the same name may be used again at once."""
        IdempotentRequest.objects.filter(pk=self.pk, holder=self.holder, status=None).delete()


@atomic
def _insert(claim: IdempotentRequest) -> None:
    claim.save(force_insert=True)

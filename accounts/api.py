"""The JSON API of API keys (contract, section 4)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from rest_framework import status
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.idempotency import Idempotent
from accounts.models import ApiKey
from accounts.models.key import ApiKeyQuerySet, KeyStateConflict, LiveNotHeld, ScopeNotHeld
from accounts.permissions import KEY_LACKS, HasScope
from accounts.scopes import Scope
from accounts.serializers import NewApiKeySerializer, document, to_wire_faults
from config.errors import Conflict
from config.storage.fields import find


@contextmanager
def refusals() -> Iterator[None]:
    """What the verbs refuse, as answers. Handing out more than the caller holds is the caller's lack of a right: 403,
    in the words for a key that lacks a scope. A body that is wrong whoever sends it is 400.
    """
    try:
        yield
    except ScopeNotHeld as error:
        raise PermissionDenied(KEY_LACKS.format(scope=error.scope)) from None
    except LiveNotHeld as error:
        raise PermissionDenied(str(error)) from None
    except KeyStateConflict as error:
        raise Conflict(str(error)) from None
    except ModelValidationError as error:
        raise ValidationError(to_wire_faults(error)) from None
    except ApiKey.DoesNotExist:  # deleted by somebody else a moment ago
        raise NotFound("API key not found") from None


class ApiKeyViewSet(Idempotent, GenericViewSet[ApiKey]):
    """The keys of the caller's account.

    A live key manages those of both environments: it is asked for one by name when it issues a key, and whoever may
    hand out ways into live data may do so for test data. A test key sees and manages test keys only: with a live one
    it would leave its environment, and nobody gives more than they hold.

    A key may take away (revoke, delete) what it could not give: that harms no secret and helps in an emergency.
    """

    permission_classes = (HasScope,)
    scopes = {
        "list": Scope.API_KEYS_VIEW,
        "create": Scope.API_KEYS_MANAGE,
        "rotate": Scope.API_KEYS_MANAGE,
        "revoke": Scope.API_KEYS_MANAGE,
        "destroy": Scope.API_KEYS_MANAGE,
    }

    @property
    def caller(self) -> ApiKey:
        key: ApiKey = self.request.auth  # type: ignore[assignment]
        return key

    def get_queryset(self) -> ApiKeyQuerySet:
        keys: ApiKeyQuerySet = self.caller.account.api_keys.within_reach_of(self.caller)
        return keys

    def get_object(self) -> ApiKey:
        key = find(self.get_queryset(), self.kwargs["pk"])
        if key is None:
            raise NotFound("API key not found")
        return key

    def list(self, request: Request) -> Response:
        """A bare array, newest first, dead keys included."""
        return Response([document(key) for key in self.get_queryset()])

    def create(self, request: Request) -> Response:
        given = NewApiKeySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        account = self.caller.account
        with refusals():
            issued = account.api_keys.issue(account=account, by=self.caller, **given.validated_data)
        return Response(_with_secret(*issued), status=status.HTTP_201_CREATED)

    def rotate(self, request: Request, pk: str) -> Response:
        with refusals():
            issued = self.get_object().rotate(by=self.caller)
        return Response(_with_secret(*issued))

    def revoke(self, request: Request, pk: str) -> Response:
        key = self.get_object()
        with refusals():
            key.revoke(by=self.caller)
        return Response(document(key))

    def destroy(self, request: Request, pk: str) -> Response:
        with refusals():
            self.get_object().remove(by=self.caller)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _with_secret(key: ApiKey, token: str) -> dict[str, Any]:
    """The one answer that ever holds the full key."""
    return {"apiKey": document(key), "fullKey": token}

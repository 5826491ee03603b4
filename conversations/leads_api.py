"""The JSON API of leads: erasing one."""

from django.core.exceptions import ValidationError as ModelValidationError
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.idempotency import Idempotent
from accounts.models import ApiKey
from accounts.permissions import HasScope
from accounts.scopes import Scope
from conversations.models import Conversation
from conversations.models.erasure import erase, of_same_lead
from conversations.serializers import LeadSerializer


class LeadViewSet(Idempotent, GenericViewSet[Conversation]):
    """The people whom the key's account talks to, in the key's environment."""

    permission_classes = (HasScope,)
    scopes = {"erase": Scope.LEADS_ERASE}

    def erase(self, request: Request) -> Response:
        """Nobody of that phone or e-mail is no fault: then there is nothing to erase, as after the first time."""
        given = LeadSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        key: ApiKey = request.auth  # type: ignore[assignment]
        try:
            found = of_same_lead(key.account.conversations.within(key.environment), **given.validated_data)
        except ModelValidationError as error:
            raise ValidationError({"non_field_errors": error.messages}) from None
        number = erase(found, account=key.account, environment=key.environment, by=key)
        return Response({"erasedConversations": number})

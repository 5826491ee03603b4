"""The JSON API of analytics (contract, section 8)."""

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.models import ApiKey
from accounts.parameters import read_once
from accounts.permissions import HasScope
from accounts.scopes import Scope
from config.storage.moments import now
from conversations.analytics import DEFAULT_RANGE, RANGES, overview


class AnalyticsViewSet(ViewSet):
    """Figures of the key's account, in the key's environment. ``Overview`` says what each of them counts."""

    permission_classes = (HasScope,)
    scopes = {"overview": Scope.DASHBOARD_VIEW}

    def overview(self, request: Request) -> Response:
        key: ApiKey = request.auth  # type: ignore[assignment]
        end = now()
        start = end - RANGES[_range_of(request)]
        mine = key.account.conversations.within(key.environment).unmasked()  # no contact is read
        found = overview(mine, (key.account_id, key.environment), start=start, end=end)
        return Response(
            {
                "totalConversations": found.conversations,
                "activeConversations": found.active,
                "qualifiedLeads": found.qualified,
                "disqualifiedLeads": found.disqualified,
                "qualificationRate": found.qualification_rate,
                "avgMessagesPerConversation": found.messages_each,
                "channelBreakdown": found.by_channel,
                "totalLeads": found.leads,
                "newLeads": found.new_leads,
            }
        )


def _range_of(request: Request) -> str:
    chosen = read_once(request, "range") or DEFAULT_RANGE
    if chosen not in RANGES:
        raise ValidationError({"range": [f"Must be one of {', '.join(RANGES)}."]})
    return chosen

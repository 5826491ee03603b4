"""The one vocabulary of permissions, for people and for keys (contract, section 7)."""

from collections.abc import Iterable

from django.db.models import TextChoices


class Scope(TextChoices):
    DASHBOARD_VIEW = "dashboard:view", "See the dashboard"
    CONVERSATIONS_VIEW = "conversations:view", "Read conversations"
    CONVERSATIONS_EDIT = "conversations:edit", "Record and edit conversations"
    CONVERSATIONS_SEND_MESSAGE = "conversations:send_message", "Send messages"
    CONVERSATIONS_CHANGE_STATUS = "conversations:change_status", "Change the status of conversations"
    LEADS_START_CONVERSATION = "leads:start_conversation", "Start conversations with leads"
    API_KEYS_VIEW = "api_keys:view", "See API keys"
    API_KEYS_MANAGE = "api_keys:manage", "Issue, rotate and revoke API keys"
    AUDIT_VIEW = "audit:view", "Read the audit log"
    TEAM_VIEW = "team:view", "See the team"
    TEAM_MANAGE = "team:manage", "Invite people and change their roles"


class Role(TextChoices):
    OWNER = "owner", "Owner"
    INTEGRATOR = "integrator", "Integrator"
    AI_ARCHITECT = "ai_architect", "AI architect"
    OPERATOR = "operator", "Operator"
    ANALYST = "analyst", "Analyst"


ROLE_SCOPES: dict[str, frozenset[str]] = {
    Role.OWNER: frozenset(Scope),
    Role.INTEGRATOR: frozenset(
        {Scope.DASHBOARD_VIEW, Scope.API_KEYS_VIEW, Scope.API_KEYS_MANAGE, Scope.AUDIT_VIEW, Scope.TEAM_VIEW}
    ),
    Role.AI_ARCHITECT: frozenset({Scope.DASHBOARD_VIEW, Scope.CONVERSATIONS_VIEW, Scope.TEAM_VIEW}),
    Role.OPERATOR: frozenset(
        {
            Scope.DASHBOARD_VIEW,
            Scope.CONVERSATIONS_VIEW,
            Scope.CONVERSATIONS_EDIT,
            Scope.CONVERSATIONS_SEND_MESSAGE,
            Scope.CONVERSATIONS_CHANGE_STATUS,
            Scope.LEADS_START_CONVERSATION,
            Scope.TEAM_VIEW,
        }
    ),
    Role.ANALYST: frozenset({Scope.DASHBOARD_VIEW, Scope.CONVERSATIONS_VIEW, Scope.TEAM_VIEW}),
}

READ_SCOPES = (Scope.CONVERSATIONS_VIEW,)


def scopes_of(roles: Iterable[str]) -> frozenset[str]:
    """All that holders of ``roles`` may do: the scopes add up. An unknown role adds nothing."""
    return frozenset().union(*(ROLE_SCOPES.get(role, frozenset()) for role in roles))

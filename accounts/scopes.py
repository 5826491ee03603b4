"""The one vocabulary of permissions, for people and for keys (contract, section 7)."""

from collections.abc import Collection, Iterable

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Scope(TextChoices):
    DASHBOARD_VIEW = "dashboard:view", _("See the dashboard")
    CONVERSATIONS_VIEW = "conversations:view", _("Read conversations")
    CONVERSATIONS_EDIT = "conversations:edit", _("Record and edit conversations")
    CONVERSATIONS_SEND_MESSAGE = "conversations:send_message", _("Send messages")
    CONVERSATIONS_CHANGE_STATUS = "conversations:change_status", _("Change the status of conversations")
    CONTACTS_READ = "contacts:read", _("See phones and e-mail addresses in full")
    LEADS_START_CONVERSATION = "leads:start_conversation", _("Start conversations with leads")
    LEADS_ERASE = "leads:erase", _("Erase leads for good")
    API_KEYS_VIEW = "api_keys:view", _("See API keys")
    API_KEYS_MANAGE = "api_keys:manage", _("Issue, rotate and revoke API keys")
    AUDIT_VIEW = "audit:view", _("Read the audit log")
    TEAM_VIEW = "team:view", _("See the team")
    TEAM_MANAGE = "team:manage", _("Invite people and change their roles")


class Role(TextChoices):
    OWNER = "owner", _("Owner")
    INTEGRATOR = "integrator", _("Integrator")
    AI_ARCHITECT = "ai_architect", _("AI architect")
    OPERATOR = "operator", _("Operator")
    ANALYST = "analyst", _("Analyst")

    @classmethod
    def sorted(cls, roles: Iterable[str]) -> list[str]:
        """In the order above, each once; what is no role comes last, for a validator to name."""
        given = list(map(str, roles))
        return [role for role in cls.values if role in given] + [role for role in given if role not in cls.values]

    @property
    def help(self) -> str:
        """What its holder does, in a sentence."""
        return str(ROLE_HELP[self])


ROLE_SCOPES: dict[str, frozenset[str]] = {
    Role.OWNER: frozenset(Scope),
    Role.INTEGRATOR: frozenset(
        {
            Scope.DASHBOARD_VIEW,
            Scope.CONTACTS_READ,
            Scope.API_KEYS_VIEW,
            Scope.API_KEYS_MANAGE,
            Scope.AUDIT_VIEW,
            Scope.TEAM_VIEW,
        }
    ),
    Role.AI_ARCHITECT: frozenset(
        {Scope.DASHBOARD_VIEW, Scope.CONVERSATIONS_VIEW, Scope.CONTACTS_READ, Scope.TEAM_VIEW}
    ),
    Role.OPERATOR: frozenset(
        {
            Scope.DASHBOARD_VIEW,
            Scope.CONVERSATIONS_VIEW,
            Scope.CONVERSATIONS_EDIT,
            Scope.CONVERSATIONS_SEND_MESSAGE,
            Scope.CONVERSATIONS_CHANGE_STATUS,
            Scope.CONTACTS_READ,
            Scope.LEADS_START_CONVERSATION,
            Scope.TEAM_VIEW,
        }
    ),
    Role.ANALYST: frozenset({Scope.DASHBOARD_VIEW, Scope.CONVERSATIONS_VIEW, Scope.CONTACTS_READ, Scope.TEAM_VIEW}),
}

ROLE_HELP = {
    Role.OWNER: _("May do everything, and decides who else may do what."),
    Role.INTEGRATOR: _("Connects other systems: API keys and the audit log, but no conversations."),
    Role.AI_ARCHITECT: _("Reads conversations and figures, to make the agents better."),
    Role.OPERATOR: _("Reads conversations, changes their status, writes notes, names agents and campaigns."),
    Role.ANALYST: _("Reads conversations and figures, and changes nothing."),
}

UNUSED_SCOPES = frozenset({Scope.CONVERSATIONS_SEND_MESSAGE, Scope.LEADS_START_CONVERSATION})
"""Part of the vocabulary, but nothing asks for them: Parley records what was said, and sends nothing itself."""

READ_SCOPES = (Scope.CONVERSATIONS_VIEW,)

MASKABLE_ROLES = tuple(role for role in Role if role != Role.OWNER and Scope.CONTACTS_READ in ROLE_SCOPES[role])
"""Those that an account may have see contacts masked."""


def scopes_of(roles: Iterable[str], *, masked: Collection[str] = ()) -> frozenset[str]:
    """All that holders of ``roles`` may do: the scopes add up. An unknown role adds nothing.

    ``masked`` are the roles that do not open contacts in this account; another role of the same person may.
    """
    return frozenset().union(
        *(ROLE_SCOPES.get(role, frozenset()) - ({Scope.CONTACTS_READ} if role in masked else set()) for role in roles)
    )

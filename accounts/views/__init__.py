"""The pages of accounts: signing in, preferences, people, API keys, the audit log."""

from accounts.views.account import account, switch_account
from accounts.views.audit import audit_export, audit_log
from accounts.views.invitations import invitation, open_invitation
from accounts.views.keys import delete_key, keys, new_key, rename_key, revoke_key, rotate_key
from accounts.views.people import (
    change_roles,
    invite,
    leave,
    people,
    remove_member,
    send_invitation,
    withdraw_invitation,
)
from accounts.views.preferences import preferences, switch_language, switch_shortcuts, switch_theme
from accounts.views.sign_in import SignIn, SignOut, home, switch_environment

__all__ = [
    "SignIn",
    "SignOut",
    "account",
    "audit_export",
    "audit_log",
    "change_roles",
    "delete_key",
    "home",
    "invitation",
    "invite",
    "keys",
    "leave",
    "new_key",
    "open_invitation",
    "people",
    "preferences",
    "remove_member",
    "rename_key",
    "revoke_key",
    "rotate_key",
    "send_invitation",
    "switch_account",
    "switch_environment",
    "switch_language",
    "switch_shortcuts",
    "switch_theme",
    "withdraw_invitation",
]

"""The pages of accounts: signing in, security, preferences, people, API keys, the audit log."""

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
from accounts.views.security import (
    add_authenticator,
    change_password,
    confirm_code,
    confirm_password,
    new_recovery_codes,
    remove_authenticator,
    security,
    sign_out_everywhere,
    sign_out_session,
    view_recovery_codes,
)
from accounts.views.setup import setup
from accounts.views.sign_in import NewPassword, SignIn, SignOut, home, switch_environment

__all__ = [
    "NewPassword",
    "SignIn",
    "SignOut",
    "account",
    "add_authenticator",
    "audit_export",
    "audit_log",
    "change_password",
    "change_roles",
    "confirm_code",
    "confirm_password",
    "delete_key",
    "home",
    "invitation",
    "invite",
    "keys",
    "leave",
    "new_key",
    "new_recovery_codes",
    "open_invitation",
    "people",
    "preferences",
    "remove_authenticator",
    "remove_member",
    "rename_key",
    "revoke_key",
    "rotate_key",
    "security",
    "send_invitation",
    "setup",
    "sign_out_everywhere",
    "sign_out_session",
    "switch_account",
    "switch_environment",
    "switch_language",
    "switch_shortcuts",
    "switch_theme",
    "view_recovery_codes",
    "withdraw_invitation",
]

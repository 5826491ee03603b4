"""The pages of accounts: signing in, preferences, API keys, the audit log."""

from accounts.views.audit import audit_export, audit_log
from accounts.views.keys import delete_key, keys, new_key, rename_key, revoke_key, rotate_key
from accounts.views.preferences import preferences, switch_language, switch_shortcuts, switch_theme
from accounts.views.sign_in import SignIn, SignOut, home, switch_environment

__all__ = [
    "SignIn",
    "SignOut",
    "audit_export",
    "audit_log",
    "delete_key",
    "home",
    "keys",
    "new_key",
    "preferences",
    "rename_key",
    "revoke_key",
    "rotate_key",
    "switch_environment",
    "switch_language",
    "switch_shortcuts",
    "switch_theme",
]

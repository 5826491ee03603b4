"""What the audit log is told with: actions, things, and what stands in entries, each as people call it."""

import re

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

ACTIONS = {
    "conversations.recorded": (_("Conversations recorded"), "{recorded}"),
    "conversation.status_changed": (
        _("Status changed"),
        _("changed the status of {it} from {from} to {to}{reason}"),
    ),
    "conversation.details_updated": (_("Details changed"), _("changed the {fields} of {it}")),
    "conversation.shared": (_("Brief shared by link"), _("made a link to the brief of {it} that is open for {days}")),
    "conversation.opened_in_admin": (_("Transcript read by an operator"), _("read {it} in the admin")),
    "note.written": (_("Note written"), _("wrote a note on {it}")),
    "note.removed": (_("Note removed"), _("removed a note from {it}")),
    "agent.renamed": (_("Agent named"), _("named the agent {it}")),
    "campaign.renamed": (_("Campaign named"), _("named the campaign {it}")),
    "saved_view.saved": (_("View saved"), _("saved the view {it}")),
    "saved_view.removed": (_("View removed"), _("removed the view {it}")),
    "api_key.created": (_("API key created"), _("created the API key {it}")),
    "api_key.renamed": (_("API key renamed"), _("renamed the API key {before} to {it}")),
    "api_key.rotated": (_("API key rotated"), _("rotated the API key {it}")),
    "api_key.revoked": (_("API key revoked"), _("revoked the API key {it}")),
    "api_key.deleted": (_("API key deleted"), _("deleted the API key {it}")),
    "rate_limit.changed": (_("Rate limit changed"), _("set the rate limit of {it} to {limit}")),
    "member.joined": (_("Member joined"), _("joined the team as {roles}")),
    "member.roles_changed": (_("Roles changed"), _("changed the roles of {it} from {from} to {to}")),
    "member.removed": (_("Member removed"), _("removed {it} from the team")),
    "member.left": (_("Member left"), _("left the team")),
    "invitation.sent": (_("Invitation sent"), _("invited {it} as {roles}")),
    "invitation.sent_again": (_("Invitation sent again"), _("sent the invitation of {it} once more")),
    "invitation.withdrawn": (_("Invitation withdrawn"), _("withdrew the invitation of {it}")),
    "account.renamed": (_("Account renamed"), _("renamed the account from {before} to {it}")),
    "contacts.masked": (_("Masking of contacts changed"), _("masked phones and e-mail addresses for: {to}")),
    "contacts.revealed": (_("Contact revealed"), _("had the phone and e-mail address of {it} shown in full")),
    "lead.erased": (_("Lead erased"), _("erased a lead from {erased}")),
    "retention.changed": (_("Retention changed"), _("changed how long conversations are kept: {fields}")),
    "retention.applied": (_("Retention applied"), _("deleted {deleted} because of their age")),
    "account.opened": (_("Account opened"), _("opened the account {it}")),
    "account.suspended": (_("Account suspended"), _("suspended {it}")),
    "account.reinstated": (_("Account reinstated"), _("reinstated {it}")),
    "user.signed_in": (_("Signed in"), pgettext_lazy("in a sentence", "signed in")),
    "user.sign_in_limited": (_("Too many wrong passwords"), _("refused more guesses at the password of {it}")),
    "user.password_changed": (_("Password changed"), _("changed their password")),
    "user.password_reset": (_("Password reset by mail"), _("chose a new password by a link in a mail")),
    "user.second_factor_added": (_("Second factor added"), _("set up a second factor")),
    "user.second_factor_removed": (_("Second factor removed"), _("removed their second factor")),
    "user.recovery_codes_made": (_("Recovery codes made"), _("made new recovery codes")),
    "user.session_ended": (_("Session ended"), _("ended one of their sessions")),
    "user.sessions_ended": (_("Signed out everywhere"), _("signed out everywhere")),
    "user.second_factor_taken_away": (
        _("Second factor removed by an operator"),
        _("removed the second factor of {it}"),
    ),
}
"""Action → what a filter calls it, and the sentence that follows who did it."""

IN_ADMIN = re.compile(r"([a-z_]{1,30})\.(added|changed|deleted)_in_admin")

RESOURCES = {
    "conversation": _("Conversations"),
    "api_key": _("API keys"),
    "agent": _("Agents"),
    "campaign": _("Campaigns"),
    "saved_view": _("Saved views"),
    "account": _("The account"),
    "membership": _("Members"),
    "invitation": _("Invitations"),
    "user": _("People"),
}


KINDS = {
    "account": pgettext_lazy("in a sentence", "account"),
    "agent": pgettext_lazy("in a sentence", "agent"),
    "api_key": pgettext_lazy("in a sentence", "API key"),
    "campaign": pgettext_lazy("in a sentence", "campaign"),
    "conversation": pgettext_lazy("in a sentence", "conversation"),
    "membership": pgettext_lazy("in a sentence", "membership"),
    "saved_view": pgettext_lazy("in a sentence", "saved view"),
    "user": pgettext_lazy("in a sentence", "person"),
}
WORDS = {
    "active": pgettext_lazy("status in a sentence", "active"),
    "completed": pgettext_lazy("status in a sentence", "completed"),
    "handed_off": pgettext_lazy("status in a sentence", "handed off"),
    "dropped": pgettext_lazy("status in a sentence", "dropped"),
    "agent_config_id": pgettext_lazy("in a sentence", "agent"),
    "campaign_id": pgettext_lazy("in a sentence", "campaign"),
    "current_stage_index": pgettext_lazy("in a sentence", "stage index"),
    "current_stage_name": pgettext_lazy("in a sentence", "stage"),
    "lead_email": pgettext_lazy("in a sentence", "lead e-mail"),
    "qualification_reason": pgettext_lazy("in a sentence", "qualification reason"),
    "qualified": pgettext_lazy("in a sentence", "qualification"),
    "summary": pgettext_lazy("in a sentence", "summary"),
}
"""What stands in entries, as people call it; what is not here shows as it is."""

REASONS = {"Undone": pgettext_lazy("reason of a change", "Undone")}
"""Reasons that Parley itself gives, as people call them; all others are somebody's own words."""

DONE_IN_ADMIN = {
    "added": _("added the {kind} {it} in the admin"),
    "changed": _("changed the {kind} {it} in the admin"),
    "deleted": _("deleted the {kind} {it} in the admin"),
}


def reason(text: str) -> str:
    """``Undone`` in the reader's language; what somebody wrote as it is."""
    return str(REASONS.get(text, text))


def words(name: str) -> str:
    """``handed_off`` → ``handed off``; ``api_key`` → ``API key``."""
    known = WORDS.get(name) or KINDS.get(name)
    return str(known) if known else name.replace("_", " ")

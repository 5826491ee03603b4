"""The pages of conversations."""

from conversations.views.analytics import analytics, last_words_page
from conversations.views.bulk import change_many, undo_many
from conversations.views.changes import change_status
from conversations.views.columns import choose_columns
from conversations.views.demo import load_demo
from conversations.views.erasing import erase_lead
from conversations.views.exports import conversation_export
from conversations.views.list import conversation_list
from conversations.views.names import name_agent, name_campaign, names
from conversations.views.news import conversation_news, mark_seen
from conversations.views.notes import remove_note, write_note
from conversations.views.privacy import privacy
from conversations.views.reveal import reveal_contact
from conversations.views.saved_views import remove_view, save_view
from conversations.views.sharing import open_shared_brief, share_brief, shared_brief
from conversations.views.transcript import conversation_brief, conversation_text, conversation_transcript

__all__ = [
    "analytics",
    "change_many",
    "change_status",
    "choose_columns",
    "conversation_brief",
    "conversation_export",
    "conversation_list",
    "conversation_news",
    "conversation_text",
    "conversation_transcript",
    "erase_lead",
    "last_words_page",
    "load_demo",
    "mark_seen",
    "name_agent",
    "name_campaign",
    "names",
    "open_shared_brief",
    "privacy",
    "remove_note",
    "remove_view",
    "reveal_contact",
    "save_view",
    "share_brief",
    "shared_brief",
    "undo_many",
    "write_note",
]

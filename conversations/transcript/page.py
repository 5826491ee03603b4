"""A person who reads one conversation: what each part of the transcript page needs to know."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from accounts.request import AccountRequest
from accounts.scopes import Scope
from conversations.forms import MAX_REASON_LENGTH
from conversations.highlight import hits, marked, phone_hits
from conversations.listing.rows import ROW_FIELDS
from conversations.models import Conversation, ConversationQuerySet, Status
from conversations.models.note import MAX_NOTE_LENGTH
from conversations.names import Names
from conversations.search import MAX_SEARCH_LENGTH
from conversations.transcript.address import Address
from conversations.transcript.finding import Find
from conversations.transcript.lines import Window, lines_of, listed, moments_before, number_after, numbers_of_hits
from conversations.transcript.markup import Markup
from conversations.transcript.neighbours import neighbours_of
from conversations.transcript.outcomes import ways_to_close
from conversations.transcript.thread import beside, days_of
from conversations.transcript.timeline import TIMELINE_ACTIONS, Change, Stage, changes_of, last_told, stages_of

OTHERS_SHOWN = 10
CHANGES_SHOWN = NOTES_SHOWN = 500


@dataclass(frozen=True)
class Reading:
    request: AccountRequest
    conversation: Conversation
    address: Address

    @property
    def _conversations(self) -> ConversationQuerySet:
        found: ConversationQuerySet = self.request.account.conversations.within(self.request.environment)
        return found

    @property
    def _may_erase(self) -> bool:
        return self.request.membership.has_scope(Scope.LEADS_ERASE) and not self.conversation.is_erased

    @cached_property
    def names(self) -> Names:
        return Names.of(self.request.account, self.request.environment)

    @cached_property
    def events(self) -> list[Any]:
        log = self.request.account.audit_events.all()
        if not self.conversation.masks_contacts:  # as those of a person who has had this one revealed
            log = log.unmasked()
        return log.of_resource(self.conversation.pk, actions=TIMELINE_ACTIONS, most=CHANGES_SHOWN)

    @cached_property
    def changes(self) -> list[Change]:
        return changes_of(self.events, self.names, self.conversation.agent_config_id)

    @cached_property
    def find(self) -> Find:
        numbers = numbers_of_hits(self.conversation.messages, self.address.find)
        return Find(self.address.find, numbers, self.address)

    @cached_property
    def window(self) -> Window:
        at = self.address.at or self.find.first
        total = len(listed(self.conversation.messages))
        return Window.around(at, total, everything=self.address.shows_all)

    def head(self) -> dict[str, Any]:
        membership, address = self.request.membership, self.address
        found = neighbours_of(self.request, self.conversation, address.query, self._conversations)
        may_change = membership.has_scope(Scope.CONVERSATIONS_CHANGE_STATUS)
        return {
            "conversation": self.conversation,
            "address": self.address,
            "neighbours": found,
            "back_link": address.back(found.page if found else None),
            "previous_link": address.of(found.previous) if found and found.previous else "",
            "next_link": address.of(found.next) if found and found.next else "",
            "brief_link": address.link(route="brief"),
            "text_link": address.link(route="text"),
            "erase_link": address.link(route="erase") if self._may_erase else "",
            "reveal_link": address.link(route="reveal") if self.conversation.masks_contacts else "",
            "is_revealed": self.request.account.masks_contacts and not self.conversation.masks_contacts,
            "status_link": address.link(route="status"),
            "note_link": address.link(route="note"),
            "events_link": address.link(events="0" if address.shows_events else ""),
            "find_fields": address.hidden("find", "at"),
            "print_fields": address.hidden("notes", "all", "at"),
            "ways": ways_to_close(self.conversation.status) if may_change else [],
            "may_note": membership.has_scope(Scope.CONVERSATIONS_EDIT),
            "max_reason_length": MAX_REASON_LENGTH,
            "max_note_length": MAX_NOTE_LENGTH,
            "max_search_length": MAX_SEARCH_LENGTH,
        }

    def thread(self) -> dict[str, Any]:
        conversation, window = self.conversation, self.window
        messages = conversation.messages
        lines = lines_of(messages, self.find.text, window)
        notes = list(conversation.notes.newest(NOTES_SHOWN))[::-1]
        before = next(moments_before(messages, window.start + 1), None) if window.start else None
        until = next(moments_before(messages, window.end + 1), None) if window.has_later else None
        others = beside(self.changes if self.address.shows_events else [], notes, after=before, until=until)
        markup = Markup(conversation, self.names, self.address, self.request.user, is_window=not window.is_whole)
        return {
            "days": markup.days(days_of(lines, others)),
            "window": window,
            **self._window_links(window),
            "find": self.find,
            "change_count": len(self.changes),
            "note_count": len(notes),
            "stages": [(stage, self._stage_link(stage, markup)) for stage in self._stages()],
            "stage": self.names.stage(conversation),
        }

    def _window_links(self, window: Window) -> dict[str, str]:
        """Each leads to the message at which the reader goes on."""
        link, last = self.address.link, str(window.total)
        return {
            "earlier_link": link(f"m-{window.start}", at=str(window.start)),
            "later_link": link(f"m-{window.end + 1}", at=str(window.end + 1)),
            "latest_link": link(f"m-{last}", at=last) if not window.is_whole else f"#m-{last}",
            "all_link": link(all="1", at=""),
        }

    def _stages(self) -> Sequence[Stage]:
        conversation, current = self.conversation, self.names.stage(self.conversation)
        agent = self.names.agents.get(conversation.agent_config_id)
        return stages_of(
            self.changes,
            current=current,
            known=agent.stages if agent else (),
            began=conversation.created_at,
            until=conversation.updated_at,
        )

    def _stage_link(self, stage: Stage, markup: Markup) -> str:
        """Where in the thread a stage began, if that is known and shown."""
        if stage.change and self.address.shows_events:
            number = number_after(self.conversation.messages, stage.change.moment) if markup.is_window else 0
            return markup.link(number, stage.change.anchor)
        return markup.link(1) if stage.is_first else ""

    def facts(self) -> dict[str, Any]:
        conversation = self.conversation
        phone_spans = phone_hits(conversation.lead_phone, self.find.text)
        email_spans = hits(conversation.lead_email, self.find.text)
        others = self._conversations.of_lead(conversation.lead_id).exclude(pk=conversation.pk).newest_first()
        found = list(others.only(*ROW_FIELDS)[: OTHERS_SHOWN + 1])
        told_at = last_told(self.events, "summary")
        return {
            "agent": self.names.agent(conversation.agent_config_id),
            "campaign": self.names.campaign(conversation.campaign_id),
            "phone": marked(conversation.lead_phone, phone_spans),
            "email": marked(conversation.lead_email, email_spans),
            "is_lead_hit": bool(phone_spans or email_spans),
            "others": found[:OTHERS_SHOWN],
            "has_more_others": len(found) > OTHERS_SHOWN,
            "summary_at": told_at,
            "summary_age": self._written_since(told_at) if told_at else 0,
        }

    def _written_since(self, moment: datetime) -> int:
        """Messages at the end of the thread that are later than ``moment``."""
        number = 0
        for written in moments_before(self.conversation.messages, len(listed(self.conversation.messages)) + 1):
            if written <= moment:
                break
            number += 1
        return number

    def refused(self) -> dict[str, Any]:
        """What to tell a person whose change came after another one's."""
        wanted = self.request.GET.get("wanted", "")
        if wanted not in Status.values:
            return {}
        changed = next((event for event in reversed(self.events) if event.action == TIMELINE_ACTIONS[0]), None)
        return {"wanted": wanted, "changed": changed, "reason": self.request.GET.get("reason", "")}

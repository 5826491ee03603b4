"""A conversation as plain text: to paste into a mail or into another system. Internal notes stay out."""

from collections.abc import Generator, Iterator, Sequence
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from config.formats import long_date
from conversations.direction import apart
from conversations.messages import Role, speaker_of
from conversations.models import Conversation
from conversations.names import Names
from conversations.templatetags.parley import exact
from conversations.transcript.lines import listed, moment_of
from conversations.transcript.timeline import VERDICTS, Change


def plain_text(conversation: Conversation, changes: Sequence[Change], names: Names) -> str:
    """What the conversation is and came to, then day by day who said what. Times are the reader's."""
    return "\n".join([*_head(conversation, names), *_thread(conversation, changes, names), ""])


def _head(conversation: Conversation, names: Names) -> Iterator[str]:
    yield apart(str(conversation))
    facts = {
        _("Phone"): conversation.lead_phone,
        _("E-mail"): conversation.lead_email,
        _("Lead id"): conversation.lead_id,
        _("Status"): conversation.get_status_display(),
        _("Stage"): str(names.stage(conversation)),
        _("Qualification"): VERDICTS.get(conversation.qualified, _("Not decided yet")),  # type: ignore[arg-type]
        _("Reason"): conversation.qualification_reason,
        _("Campaign"): names.campaign(conversation.campaign_id),
        _("Agent"): names.agent(conversation.agent_config_id),
        _("Started"): exact(conversation.created_at),
        _("Last change"): exact(conversation.updated_at),
        _("Summary (by AI)"): conversation.summary,
    }
    for name, value in facts.items():
        if value:
            yield f"{name}: {apart(str(value))}"


def _thread(conversation: Conversation, changes: Sequence[Change], names: Names) -> Iterator[str]:
    waiting, day = list(changes), ""
    for message in listed(conversation.messages):
        moment = moment_of(message) if isinstance(message, dict) else None
        while waiting and moment and waiting[0].moment <= moment:
            change = waiting.pop(0)
            day = yield from _entry(day, change.moment, _told(change))
        day = yield from _entry(day, moment, _said(message, names))
    for change in waiting:
        day = yield from _entry(day, change.moment, _told(change))


def _entry(day: str, moment: datetime | None, text: str) -> Generator[str, None, str]:
    """One entry, under a new day if it is one; returns the day."""
    local = timezone.localtime(moment) if moment else None
    today = long_date(local) if local else day
    if today != day:
        yield ""
        yield f"== {today} =="
    yield f"[{f'{local:%H:%M}' if local else '--:--'}] {text}"
    return today


def _told(change: Change) -> str:
    stage = _("Stage: ") if change.kind == "stage" else ""
    by = _(" by %s") % apart(change.by) if change.by else ""
    return f"-- {stage}{apart(change.text)}{by}{f' ({apart(change.reason)})' if change.reason else ''}"


def _said(message: object, names: Names) -> str:
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(content, str):
        damaged = _("Damaged message")
        return f"-- {damaged}"
    role, agent = message.get("role"), message.get("agentConfigId")
    speaker = speaker_of(role)
    if role == Role.AGENT and isinstance(agent, str):
        speaker += f" ({apart(names.agent(agent))})"
    return f"{speaker}: {apart(content)}"

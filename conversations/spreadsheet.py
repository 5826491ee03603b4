"""Conversations as a workbook: a sheet of conversations, and one of their messages.

Texts are written as texts, so that no cell is a formula, whatever outsiders wrote; moments are in the reader's zone.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.tables import cut
from conversations import wire
from conversations.export import message_cells, messages_of, stored
from conversations.messages import Role, parse_moment
from conversations.models import Channel, Conversation, ConversationQuerySet, Status
from conversations.names import Names

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

MAX_ROWS = 1_048_575
"""Under the header: what a sheet holds by its format. Then comes another sheet."""

CONVERSATION_COLUMNS: Mapping[Any, int] = {
    _("Lead"): 24,
    _("Phone"): 18,
    _("E-mail"): 26,
    _("Channel"): 11,
    _("Status"): 12,
    _("Stage"): 16,
    _("Agent"): 16,
    _("Campaign"): 18,
    _("Qualified"): 10,
    _("Reason"): 30,
    _("Summary"): 40,
    _("Messages"): 10,
    _("Started"): 17,
    _("Last activity"): 17,
    _("Id"): 26,
}
"""Header → width in characters."""

MESSAGE_COLUMNS: Mapping[Any, int] = {
    _("Lead"): 24,
    _("Phone"): 18,
    _("E-mail"): 26,
    _("Number"): 8,
    _("Written by"): 12,
    _("Time"): 17,
    _("Text"): 80,
    _("Agent"): 16,
    _("Conversation"): 26,
}


class Sheets:
    """Rows under a header, on as many sheets as they need."""

    def __init__(self, workbook: "Workbook", name: str, columns: Mapping[Any, int]) -> None:
        self.workbook, self.name, self.columns = workbook, name, columns
        self.bold = workbook.add_format({"bold": True})
        self.moment: Format = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self.number = 0
        self._begin()

    def _begin(self) -> None:
        self.number += 1
        self.sheet = self.workbook.add_worksheet(self.name if self.number == 1 else f"{self.name} {self.number}")
        self.row = 0
        for column, (header, width) in enumerate(self.columns.items()):
            self.sheet.set_column(column, column, width)
            self.sheet.write_string(0, column, str(header), self.bold)
        self.sheet.freeze_panes(1, 1)

    def add(self, cells: Sequence[object]) -> None:
        if self.row == MAX_ROWS:
            self._begin()
        self.row += 1
        for column, value in enumerate(cells):
            if isinstance(value, datetime):
                self._add_moment(column, value)
            elif isinstance(value, int):
                self.sheet.write_number(self.row, column, value)
            elif value:
                self.sheet.write_string(self.row, column, plain(str(value)))

    def _add_moment(self, column: int, moment: datetime) -> None:
        local = timezone.localtime(moment).replace(tzinfo=None)
        if local.year >= 1900:  # where a spreadsheet's time begins
            self.sheet.write_datetime(self.row, column, local, self.moment)
        else:
            self.sheet.write_string(self.row, column, f"{local:%Y-%m-%d %H:%M}")


def workbook(conversations: ConversationQuerySet, names: Names) -> IO[bytes]:
    """The file, at its beginning. It is written to disk row by row: memory holds few conversations."""
    file = TemporaryFile()  # noqa: SIM115 - the answer closes it
    from xlsxwriter import Workbook  # here, not above: only who exports a sheet waits for it

    with Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        overview = Sheets(book, gettext("Conversations"), CONVERSATION_COLUMNS)
        details = Sheets(book, gettext("Messages"), MESSAGE_COLUMNS)
        for row in stored(wire.rows(conversations), wire.STREAM_ROWS):
            values = dict(zip(wire.COLUMNS, row, strict=True))
            messages = values.pop("stored_messages")
            conversation = Conversation(**values)
            overview.add(_overview(conversation, names))
            for cells in _messages(conversation, messages, names):
                details.add(cells)
    file.seek(0)
    return file


def _overview(conversation: Conversation, names: Names) -> list[object]:
    return [
        conversation.lead_name,
        conversation.lead_phone,
        conversation.lead_email,
        dict(Channel.choices).get(conversation.channel, conversation.channel),
        dict(Status.choices).get(conversation.status, conversation.status),
        names.stage(conversation).name,
        names.agent(conversation.agent_config_id),
        names.campaign(conversation.campaign_id),
        "" if conversation.qualified is None else gettext("yes") if conversation.qualified else gettext("no"),
        conversation.qualification_reason,
        conversation.summary,
        conversation.message_count,
        conversation.created_at,
        conversation.updated_at,
        conversation.pk,
    ]


def _messages(conversation: Conversation, messages: Any, names: Names) -> Iterator[list[object]]:
    for number, message in enumerate(messages_of(messages), start=1):
        role, timestamp, agent, content = message_cells(message)
        try:
            moment: object = parse_moment(timestamp)
        except ValueError:
            moment = timestamp
        yield [
            conversation.lead_name,
            conversation.lead_phone,
            conversation.lead_email,
            number,
            dict(Role.choices).get(role, role),
            moment,
            content,
            names.agent(agent) if isinstance(agent, str) else agent,
            conversation.pk,
        ]


def plain(text: str) -> str:
    """What a cell can hold: not NUL, not half a character, and not more than it has room for."""
    return cut(text.replace("\x00", "\ufffd").encode(errors="replace").decode())

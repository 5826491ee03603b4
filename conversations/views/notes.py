"""Internal notes: what the team writes down about a conversation, for itself."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from config.formats import grouped
from config.storage.fields import find
from conversations.forms import NoteForm
from conversations.models.note import MAX_NOTE_LENGTH
from conversations.transcript.address import Address
from conversations.views.transcript import conversation_of


@require_POST
@scope_required(Scope.CONVERSATIONS_EDIT)
def write_note(request: AccountRequest, pk: str) -> HttpResponse:
    conversation = conversation_of(request, pk, messages=False)
    address = Address.read(pk, request.GET)
    form = NoteForm(request.POST)
    if not form.is_valid():
        text = _("The note was not saved. A note has 1 to %s characters.")
        messages.error(request, text % grouped(MAX_NOTE_LENGTH))
        return redirect(address.link("write", at=""))
    note = conversation.notes.write(conversation, form.cleaned_data["text"], by=request.user)
    # A note stands at its time, which is now: at the end of the thread.
    end = str(conversation.message_count) if address.reading.get("at") or address.find else ""
    return redirect(address.link(f"note-{note.pk}", at=end))


@require_POST
@scope_required(Scope.CONVERSATIONS_EDIT)
def remove_note(request: AccountRequest, pk: str, note: str) -> HttpResponse:
    """One's own alone: another person's is not found."""
    conversation = conversation_of(request, pk, messages=False)
    mine = find(conversation.notes, note)
    if mine is None or mine.author_id != request.user.pk:
        raise Http404
    mine.remove(by=request.user)
    return redirect(Address.read(pk, request.GET).link("write"))

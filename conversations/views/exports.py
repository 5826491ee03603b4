"""A list as a file: exactly the conversations that it shows, in its order."""

from django.http import FileResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from accounts import tables
from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from config.storage.moments import now
from conversations import listing, spreadsheet
from conversations.export import FORMATS
from conversations.names import Names


@require_safe
@scope_required(Scope.CONVERSATIONS_VIEW)
def conversation_export(request: AccountRequest) -> HttpResponseBase:
    """``format`` is one of the API's, or ``xlsx``. What cannot be listed leads to the list, which says why."""
    query = listing.Query.read(request.GET)
    kind = request.GET.get("format", "csv")
    filterset = query.filterset(request, request.account.conversations.within(request.environment))
    if not filterset.is_valid() or kind not in (*FORMATS, "xlsx"):
        return redirect(query.link())
    conversations = query.order.of(filterset.qs)
    if kind == "xlsx":
        names = Names.of(request.account, request.environment)
        return FileResponse(
            spreadsheet.workbook(conversations, names),
            as_attachment=True,
            filename=f"conversations-{now():%Y-%m-%d}.xlsx",
            content_type=spreadsheet.CONTENT_TYPE,
        )
    write, content_type, name = FORMATS[kind]
    return tables.download(request, write(conversations), content_type=content_type, name=name)

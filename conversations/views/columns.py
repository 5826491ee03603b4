"""Which columns a person's lists have, and how dense they are."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.models.preferences import Column, Density
from accounts.permissions import scope_required
from accounts.request import AccountRequest
from accounts.scopes import Scope
from conversations import listing


@require_POST
@scope_required(Scope.CONVERSATIONS_VIEW)
def choose_columns(request: AccountRequest) -> HttpResponse:
    """``column``, once for each, and ``density``; then back to the list."""
    chosen = request.POST.getlist("column")
    person = request.user
    person.columns = [str(column) for column in Column if column in chosen]
    if request.POST.get("density") in Density.values:
        person.density = request.POST["density"]
    try:
        person.clean_fields(exclude={field.name for field in person._meta.fields} - {"columns", "density"})
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        person.save(update_fields=["columns", "density"])
    return redirect(listing.Query.parse(request.POST.get("query", "").removeprefix("?")).link())

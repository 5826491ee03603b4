"""Erasing a lead: nothing of the person is left in the store, and every figure is what it was."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from accounts.models import Account, User
from accounts.scopes import Scope
from conversations.models import Conversation
from tests.conftest import Api, client_of, json_of, text_of
from tests.factories import message

Record = Callable[..., Conversation]

PHONE, EMAIL = "+1 (555) 867-5309", "ana.lima@acme-example.com"
SECRETS = ("8675309", "867-5309", "ana.lima", "Zanzibar")


@pytest.fixture
def ana(record: Record, alice: User) -> Conversation:
    conversation = record(
        leadPhone=PHONE,
        leadEmail=EMAIL,
        leadId=PHONE,
        summary="Ana of Zanzibar",
        qualificationResult={"qualified": True, "reason": "Has Zanzibar money"},
        messages=[message("Hi", role="agent"), message(f"I am Ana of Zanzibar, {PHONE}")],
    )
    conversation.update_details({"summary": "Ana lives in Zanzibar", "current_stage_name": "Pricing"}, by=alice)
    conversation.change_status("completed", by=alice, reason="Zanzibar it is")
    conversation.notes.write(conversation, "Call Zanzibar", by=alice)
    return conversation


@pytest.fixture
def everything(acme: Account, alice: User, ana: Conversation, record: Record) -> list[str]:
    """Ana's three conversations: by both, by her phone in another spelling, by her e-mail in another case."""
    by_phone = record(leadPhone="1-555-867-5309", messages=[message("Zanzibar once more")])
    by_email = record(leadPhone="+44 20 7946 0000", leadEmail=EMAIL.upper(), status="dropped")
    acme.saved_views.save_view(
        account=acme, by=alice, name=f"Ana {PHONE}", query=f"status=active&search={EMAIL}", is_shared=True
    )
    return [ana.pk, by_phone.pk, by_email.pk]


def stored_texts() -> str:
    """All that the store holds, whatever the table."""
    rows: list[Any] = []
    for model in apps.get_models():
        rows += [repr(row) for row in model._default_manager.values_list()]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT DISTINCT term FROM conversation_search_gram")
            rows += [f"gram {term}" for (term,) in cursor.fetchall()]
    return "\n".join(rows)


def test_nothing_of_the_person_is_left_in_the_store(api: Api, everything: list[str]) -> None:
    before = stored_texts()
    assert all(secret.casefold() in before.casefold() for secret in SECRETS[1:])
    answer = api.post("/api/leads/erase", {"leadPhone": "+15558675309", "leadEmail": EMAIL})
    assert answer.status_code == 200
    assert json_of(answer) == {"erasedConversations": 3}
    after = stored_texts()
    assert [secret for secret in SECRETS if secret.casefold() in after.casefold()] == []
    assert "gram zan" not in after


def test_another_accounts_lists_keep_what_they_ask_for(
    api: Api, everything: list[str], charlie: User, other_account: Account
) -> None:
    asked: dict[str, Any] = {"name": f"Ana {PHONE}", "query": f"search={EMAIL}", "is_shared": True}
    other_account.saved_views.save_view(account=other_account, by=charlie, **asked)
    api.post("/api/leads/erase", {"leadPhone": PHONE, "leadEmail": EMAIL})
    assert other_account.saved_views.values("name", "query", "is_shared").get() == asked
    [entry] = other_account.audit_events.filter(action="saved_view.saved")
    assert entry.metadata["name"] == asked["name"]


def test_every_figure_is_what_it_was(api: Api, page: Client, everything: list[str], record: Record) -> None:
    record()
    overview, analytics = json_of(api.get("/api/analytics/overview")), "/analytics/?range=90d&csv=channels"
    table = page.get(analytics).getvalue()
    full = {one["_id"]: one for one in api.listed()}
    api.post("/api/leads/erase", {"leadEmail": EMAIL, "leadPhone": PHONE})
    assert json_of(api.get("/api/analytics/overview")) == overview
    assert page.get(analytics).getvalue() == table
    for one in api.listed():
        was = full[one["_id"]]
        same = ("status", "currentStageIndex", "messageCount", "createdAt", "updatedAt", "channel", "agentConfigId")
        assert {name: one[name] for name in same} == {name: was[name] for name in same}
        assert [said["role"] for said in one["messages"]] == [said["role"] for said in was["messages"]]
        if one["_id"] in everything:
            assert one["leadPhone"] == "erased"
            assert {said["content"] for said in one["messages"]} == {""}
    assert api.listed(qualified="true")[0]["qualificationResult"] == {"qualified": True, "reason": ""}


def test_clients_see_that_it_changed(api: Api, ana: Conversation) -> None:
    places = ("/api/conversations", f"/api/conversations/{ana.pk}")
    etags = [api.get(place)["ETag"] for place in places]
    api.post("/api/leads/erase", {"leadPhone": PHONE})
    for place, etag in zip(places, etags, strict=True):
        assert api.get(place, headers={"If-None-Match": etag}).status_code == 200


def test_it_is_logged_without_the_person_and_once(api: Api, acme: Account, ana: Conversation) -> None:
    for number in (1, 0):
        assert json_of(api.post("/api/leads/erase", {"leadPhone": PHONE})) == {"erasedConversations": number}
    entry = acme.audit_events.get(action="lead.erased")
    assert (entry.metadata, entry.environment) == ({"erased": [ana.pk]}, "live")


def test_others_stay_as_they_are(api: Api, other_account: Account, ana: Conversation, record: Record) -> None:
    theirs = record(account=other_account, leadPhone=PHONE)
    test = record(environment="test", leadPhone=PHONE)
    alike = record(leadPhone="+1 (555) 867-5300", messages=[message(PHONE)])
    api.post("/api/leads/erase", {"leadPhone": PHONE})
    assert set(Conversation.objects.exclude(lead_phone="erased").values_list("pk", flat=True)) == {
        theirs.pk, test.pk, alike.pk
    }  # fmt: skip


@pytest.mark.parametrize("body", [{}, {"leadPhone": ""}, {"leadPhone": " "}, {"leadEmail": 5}, [], {"leadPhone": None}])
def test_a_request_that_names_nobody_is_refused(api: Api, ana: Conversation, body: Any) -> None:
    assert api.post("/api/leads/erase", body).status_code == 400
    assert Conversation.objects.get(pk=ana.pk).lead_phone == PHONE


def test_remembered_answers_are_gone_and_nothing_is_carried_out_again(api: Api, ana: Conversation) -> None:
    path, once = f"/api/conversations/{ana.pk}/messages", {"Idempotency-Key": "once"}
    assert api.post(path, message("Zanzibar again"), once).status_code == 200
    erasing = {"Idempotency-Key": "erase"}
    first = api.post("/api/leads/erase", {"leadPhone": PHONE}, erasing)
    again = api.post(path, message("Zanzibar again"), once)
    assert again.status_code == 409
    assert json_of(again)["error"] == "This was carried out. Its answer has been erased"
    assert Conversation.objects.get(pk=ana.pk).message_count == 3
    assert api.post("/api/leads/erase", {"leadPhone": PHONE}, erasing).content == first.content


def test_a_key_needs_the_scope_of_its_own(acme: Account, ana: Conversation) -> None:
    weak = Api(acme, scopes=[scope for scope in Scope if scope != Scope.LEADS_ERASE])
    assert weak.post("/api/leads/erase", {"leadPhone": PHONE}).status_code == 403


# The page


def test_the_page_says_what_it_is_about_and_does_it(page: Client, acme: Account, everything: list[str]) -> None:
    path = f"/conversations/{everything[0]}/erase/"
    assert path in text_of(page.get(f"/conversations/{everything[0]}/"))
    asked = text_of(page.get(path))
    assert "3 conversations have this phone or e-mail address." in asked
    assert "It cannot be undone." in asked
    assert "There are other conversations" in text_of(page.post(path, {"expected": "2"}))
    assert not acme.audit_events.filter(action="lead.erased").exists()
    shown = text_of(page.post(path, {"expected": "3"}, follow=True))
    assert "Erased from 3 conversations." in shown
    assert "Erased lead" in shown
    assert "Erased: messages, contact and notes are gone." in shown
    assert path not in shown
    assert "erased a lead from " in text_of(page.get("/settings/audit/"))
    view = acme.saved_views.get()
    assert (view.query, view.name.startswith("Erased")) == ("status=active", True)


def test_who_may_not_erase_is_not_offered_it(bob: User, ana: Conversation) -> None:
    client = client_of(bob)
    assert "/erase/" not in text_of(client.get(f"/conversations/{ana.pk}/"))
    assert client.post(f"/conversations/{ana.pk}/erase/", {"expected": "1"}).status_code == 403

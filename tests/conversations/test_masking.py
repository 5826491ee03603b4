"""Who may not see contacts in full sees them masked, on every page and in every file, answer and search."""

import io
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from accounts.masking import HIDDEN, mask_email, mask_phone, mask_text
from accounts.models import Account, User
from accounts.scopes import MASKABLE_ROLES, Role, Scope
from config.storage.moments import now
from conversations.analytics.sheets import SHEETS
from conversations.models import Agent, Conversation
from tests.browser.pages import PAGES, make_world
from tests.conftest import Api, client_of, json_of, text_of
from tests.factories import message

Record = Callable[..., Conversation]

PHONE, EMAIL = "+1 (555) 867-5309", "ana.lima@acme-example.com"
SPELLINGS = (PHONE, "15558675309", "5558675309", "867-5309", "555 867 5309", EMAIL, EMAIL.upper(), "acme-example.com")
SAID = f"Call 555 867 5309 or {EMAIL.upper()}, https://acme.example/?to=ana.lima%40acme-example.com, on 2026-03-12."


@pytest.fixture
def ana(record: Record) -> Conversation:
    conversation = record(
        leadPhone=PHONE,
        leadEmail=EMAIL,
        leadId=EMAIL,
        summary=f"Reach her at {PHONE}",
        qualificationResult={"qualified": True, "reason": SAID},
        messages=[message("Hello, which price?", role="agent"), message(SAID), message(f"again {PHONE}")],
    )
    conversation.update_details({"lead_email": f"x{EMAIL}", "summary": f"Now {PHONE}"}, by=None)
    conversation.update_details({"lead_email": EMAIL}, by=None)
    conversation.change_status("handed_off", by=None, reason=f"wants {PHONE}")
    return conversation


@pytest.fixture
def masked(acme: Account, alice: User, bob: User) -> User:
    """Bob, of whom the account decides that he sees contacts masked."""
    acme.mask_roles([Role.OPERATOR], by=alice)
    return bob


def shows_none(text: str) -> None:
    found = [spelling for spelling in SPELLINGS if spelling.casefold() in text.casefold()]
    assert found == []


# The function


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        (PHONE, "+1 ••• ••• 5309"),
        ("+5511988880123", "+55 ••• ••• 0123"),
        ("+353 86 123 4567", "+353 ••• ••• 4567"),
        ("(555) 867-5309", "••• ••• 5309"),
        ("8675309", "••• ••• 5309"),
        ("+1867530", "+1 ••• ••• 30"),
        ("12345", "1•••"),
        ("@ana", "@•••"),
        ("", ""),
    ],
)
def test_a_phone_keeps_its_country_and_its_end(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown


@pytest.mark.parametrize(
    ("email", "shown"),
    [
        ("ana@example.com", "a•••@e•••.com"),
        ("ana.lima@mail.acme.co.uk", "a•••@m•••.uk"),
        ("a@b", "a•••@b•••"),
        ("nobody", "n•••"),
        ("", ""),
    ],
)
def test_an_address_keeps_how_its_halves_begin(email: str, shown: str) -> None:
    assert mask_email(email) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("call +1 (555) 867-5309.", "call +1 ••• ••• 5309."),
        ("tel:+15558675309 now", "tel:+1 ••• ••• 5309 now"),
        ("555\u00a0867\u200b5309", "••• ••• 5309"),
        ("write to ana@x.com, or b@c.de.", "write to a•••@x•••.com, or b•••@c•••.de."),
        ("https://x.y/?e=ana%40x.com", "https://x.y/?e=a•••%40x•••.com"),
        ("on 2026-03-12 14:02, 12.03.2026, in 2024-2026", "on 2026-03-12 14:02, 12.03.2026, in 2024-2026"),
        ("40 seats at 12,000 a year, room 123456", "40 seats at 12,000 a year, room 123456"),
        ("15 @ 5, @ana, ana@ home", "15 @ 5, @ana, ana@ home"),
    ],
)
def test_contacts_in_a_text_are_masked_and_the_rest_stays(text: str, shown: str) -> None:
    assert mask_text(text) == shown


def test_the_leads_own_contact_is_found_however_odd_it_is() -> None:
    assert mask_text("12-34 5, ANA LIMA", phone="12345", email="ana lima") == "1•••, A•••"


AROUND = st.text("a1 .@-(", max_size=6)


@given(st.text("0123456789", min_size=7, max_size=15), st.sampled_from(["", " ", "-", ".", ") ", " - "]), AROUND)
def test_no_phone_is_left_in_a_text(digits: str, between: str, around: str) -> None:
    shown = mask_text(f"{around}{between.join(digits)}{around}", phone=digits)
    assert digits not in "".join(letter for letter in shown if letter.isdigit())


@given(st.text("ab.+_1", min_size=1, max_size=5), st.text("ab-1", min_size=1, max_size=4), AROUND)
def test_no_address_is_left_in_a_text(local: str, domain: str, around: str) -> None:
    for email in (f"{local}@{domain}.com", f"{local}@{domain}"):
        assert email not in mask_text(f"{around} {email} {around}", email=email)


@pytest.mark.parametrize("text", ["1 ", "@", "a", "a@", "+(", "2026-", "123456 x", "1", "%40", " -", "a.b@c.d "])
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    mask_text((text * 16_000)[:16_000], phone="+1555", email="ana@x.com")
    assert time.process_time() - began < 0.8


# Pages and files


def test_nobody_is_masked_by_default(ana: Conversation, bob: User) -> None:
    assert PHONE in text_of(client_of(bob).get("/conversations/"))
    assert PHONE in text_of(client_of(bob).get(f"/conversations/{ana.pk}/"))


def test_a_role_that_sees_all_opens_what_another_masks(acme: Account, masked: User, ana: Conversation) -> None:
    membership = acme.memberships.get(user=masked)
    assert Scope.CONTACTS_READ not in membership.scopes
    membership.change_roles([Role.OPERATOR, Role.ANALYST], by=None)
    assert PHONE in text_of(client_of(masked).get("/conversations/"))


@pytest.mark.parametrize("role", MASKABLE_ROLES)
def test_no_page_shows_a_masked_person_a_contact(
    role: str, alice: User, bob: User, acme: Account, record: Record, ana: Conversation
) -> None:
    world = make_world(alice, bob, acme, record)
    ana.notes.write(ana, SAID, by=alice)
    acme.saved_views.save_view(account=acme, by=alice, name=PHONE, query=f"search={EMAIL}", is_shared=True)
    acme.mask_roles([role], by=alice)
    client = client_of(world.people[role])
    ids = {**world.ids, "ana": ana.pk}
    places = [page.path.format(**ids) for page in PAGES]
    places += [f"{place}{'&' if '?' in place else '?'}search=call" for place in places if "/conversations/" in place]
    places += [f"/conversations/{ana.pk}/text/", "/conversations/?search=again&sort=createdAt"]
    places += [f"/conversations/export/?format={kind}" for kind in ("csv", "messages_csv", "ndjson")]
    places += [f"/settings/audit/export/?format={kind}" for kind in ("csv", "tsv", "jsonl")]
    for place in places:
        response = client.get(place)
        content = response.getvalue() if response.streaming else response.content
        shows_none(content.decode())
    sees = Scope.CONVERSATIONS_VIEW in acme.memberships.get(user=world.people[role]).scopes
    assert (HIDDEN in text_of(client.get(f"/conversations/{ana.pk}/"), 200 if sees else 403)) == sees


def test_a_workbook_is_masked(masked: User, ana: Conversation) -> None:
    content = client_of(masked).get("/conversations/export/?format=xlsx").getvalue()
    book = load_workbook(io.BytesIO(content))
    cells = [str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row]
    shows_none("\n".join(cells))
    assert "+1 ••• ••• 5309" in cells


def test_what_a_masked_person_may_do_still_works_on_what_is_stored(masked: User, ana: Conversation) -> None:
    client_of(masked).post(f"/conversations/{ana.pk}/status/", {"status": "completed", "shown": "handed_off"})
    stored = Conversation.objects.get(pk=ana.pk)
    assert (stored.status, stored.lead_phone, stored.lead_email) == ("completed", PHONE, EMAIL)
    assert SAID in [one["content"] for one in stored.messages]


def test_what_is_masked_cannot_be_saved(acme: Account, ana: Conversation) -> None:
    acme.masks_contacts = True
    shown = acme.conversations.get()
    assert shown.lead_phone == "+1 ••• ••• 5309"
    with pytest.raises(TypeError, match="never saved"):
        shown.save()
    [deferred] = acme.conversations.only("lead_id")
    assert deferred.lead_phone == "+1 ••• ••• 5309"
    assert list(acme.conversations.values_list("lead_phone", flat=True)) == ["+1 ••• ••• 5309"]
    assert list(acme.conversations.values("lead_phone")) == [{"lead_phone": "+1 ••• ••• 5309"}]
    assert acme.conversations.unmasked().get().lead_phone == PHONE


# Names that a lead's phone got into


STAGE = f"Call {PHONE} of {EMAIL}"
STAGE_SHOWN = "Call +1 ••• ••• 5309 of a•••@a•••.com"


@pytest.fixture
def careless(acme: Account, ana: Conversation) -> Agent:
    """An agent that writes a lead's phone into the names of its stages, and whom somebody called after a lead."""
    ana.update_details({"current_stage_index": 2, "current_stage_name": STAGE}, by=None)
    agent = acme.agents.live().get(agent_config_id=ana.agent_config_id)
    agent.rename(by=None, name=f"For {EMAIL}", stages=[PHONE, "Offer", STAGE])
    ana.change_status("dropped", by=None)
    return agent


@pytest.mark.parametrize(
    "place",
    [
        "/conversations/",
        "/conversations/{ana}/",
        "/conversations/{ana}/text/",
        "/conversations/{ana}/brief/",
        "/conversations/export/?format=csv",
        "/analytics/?range=90d",
        *(f"/analytics/?range=90d&csv={sheet}" for sheet in SHEETS),
        "/analytics/last-words/?range=90d",
        "/analytics/last-words/?range=90d&csv=last-words",
        "/settings/names/",
        "/settings/names/agents/{agent}/",
    ],
)
def test_no_name_shows_a_masked_person_a_contact(
    masked: User, careless: Agent, ana: Conversation, page: Client, place: str
) -> None:
    Conversation.objects.update(created_at=now() - timedelta(days=2))
    place = place.format(ana=ana.pk, agent=careless.pk)
    content = client_of(masked).get(place).getvalue().decode()
    shows_none(content)
    if not place.endswith(("text/", "csv=days", "csv=channels", "csv=figures", "csv=last-words")):
        assert HIDDEN in content
        full = page.get(place).getvalue().decode()
        assert EMAIL in full or PHONE in full


def test_a_masked_person_filters_by_a_stage_as_they_see_it(masked: User, careless: Agent, ana: Conversation) -> None:
    client = client_of(masked)
    assert f'value="{STAGE_SHOWN}"' in text_of(client.get("/conversations/"))
    assert f'id="c-{ana.pk}"' in text_of(client.get("/conversations/", {"stage": STAGE_SHOWN}))
    assert f'id="c-{ana.pk}"' not in text_of(client.get("/conversations/", {"stage": STAGE}))
    Conversation.objects.update(current_stage_name="", current_stage_index=1)
    assert f'id="c-{ana.pk}"' in text_of(client.get("/conversations/", {"stage": "Offer"}))


def test_a_masked_person_edits_names_and_loses_none(masked: User, careless: Agent) -> None:
    client, place = client_of(masked), f"/settings/names/agents/{careless.pk}/"
    kept = {"name": "For a•••@a•••.com", "stages": f"+1 ••• ••• 5309\nBest offer\n{STAGE_SHOWN}"}
    assert client.post(place, kept).status_code == 302
    careless.refresh_from_db()
    assert (careless.name, careless.stages) == (f"For {EMAIL}", [PHONE, "Best offer", STAGE])
    for broken in ({"name": "For b•••@a•••.com"}, {"stages": "+1 ••• ••• 0000"}):
        refused = client.post(place, broken)
        assert "masked for you" in text_of(refused, 400)
    careless.refresh_from_db()
    assert (careless.name, careless.stages) == (f"For {EMAIL}", [PHONE, "Best offer", STAGE])


# Searching


@pytest.mark.parametrize("search", ["867", "5558", "8675309", "5558675309", PHONE, "ana.l", EMAIL, "lima", "acme-ex"])
def test_a_search_does_not_tell_what_is_hidden(masked: User, ana: Conversation, search: str) -> None:
    page = client_of(masked).get("/conversations/", {"search": search})
    assert ana.pk not in text_of(page)
    transcript = client_of(masked).get(f"/conversations/{ana.pk}/", {"find": search})
    assert 'class="message message--hit"' not in text_of(transcript)


@pytest.mark.parametrize("search", ["which price", "AGAIN", "5309", "https://acme"])
def test_a_search_finds_what_is_seen(masked: User, ana: Conversation, record: Record, search: str) -> None:
    record(leadPhone="+1 (555) 010-9999", messages=[message("Nothing")])
    shown = text_of(client_of(masked).get("/conversations/", {"search": search}))
    assert f'id="c-{ana.pk}"' in shown
    assert "1 conversation" in shown
    assert "what you see" in shown


@given(st.text("0123456789+ ()-", min_size=1, max_size=5))
def test_the_seen_text_of_a_search_is_what_is_shown(search: str) -> None:
    from conversations.models.queries import _seen
    from conversations.search import search_text

    stored = search_text(phone=PHONE, email=EMAIL, contents=[SAID])
    visible = f"{mask_phone(PHONE)}\n{mask_email(EMAIL)}\n{mask_text(SAID)}".casefold()
    assert (search in _seen(stored)) == (search in visible)


def test_a_lead_id_that_is_an_address_is_not_asked_for(masked: User, ana: Conversation, record: Record) -> None:
    plain = record(leadId="12345678")
    client = client_of(masked)
    assert ana.pk not in text_of(client.get("/conversations/", {"leadId": EMAIL}))
    assert plain.pk in text_of(client.get("/conversations/", {"leadId": "12345678"}))


# Revealing


def test_revealing_shows_one_conversation_to_one_person_and_is_on_record(
    acme: Account, masked: User, alice: User, ana: Conversation
) -> None:
    dana = User.objects.create_user("dana@example.com")
    acme.memberships.create(user=dana, roles=[Role.OPERATOR])
    client = client_of(masked)
    assert "Reveal contact" in text_of(client.get(f"/conversations/{ana.pk}/"))
    response = client.post(f"/conversations/{ana.pk}/reveal/")
    assert response.status_code == 302
    shown = text_of(client.get(f"/conversations/{ana.pk}/"))
    assert PHONE in shown
    assert "Revealed to you" in shown
    assert PHONE in text_of(client.get(f"/conversations/{ana.pk}/text/"))
    shows_none(text_of(client.get("/conversations/")))
    shows_none(text_of(client_of(dana).get(f"/conversations/{ana.pk}/")))
    entry = acme.audit_events.get(action="contacts.revealed")
    assert (entry.actor_id, entry.resource_id, entry.metadata) == (masked.pk, ana.pk, {})
    assert "had the phone and e-mail address of" in text_of(client_of(alice).get("/settings/audit/"))


def test_what_was_revealed_is_hidden_again_after_a_while(
    masked: User, ana: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from config.storage.moments import now

    client = client_of(masked)
    client.post(f"/conversations/{ana.pk}/reveal/")
    monkeypatch.setattr("conversations.views.transcript.now", lambda: now() + timedelta(minutes=16))
    shows_none(text_of(client.get(f"/conversations/{ana.pk}/")))


def test_who_sees_all_has_nothing_to_reveal(acme: Account, page: Client, ana: Conversation) -> None:
    assert "Reveal contact" not in text_of(page.get(f"/conversations/{ana.pk}/"))
    page.post(f"/conversations/{ana.pk}/reveal/")
    assert not acme.audit_events.filter(action="contacts.revealed").exists()


# The account's decision


def test_owners_decide_and_the_log_tells(acme: Account, page: Client, alice: User) -> None:
    place = reverse("privacy:settings")
    assert page.post(place, {"part": "masking", "roles": ["owner"]}).status_code == 400
    assert page.post(place, {"part": "masking", "roles": ["analyst", "operator"]}).status_code == 302
    acme.refresh_from_db()
    assert acme.masked_roles == ["operator", "analyst"]
    entry = acme.audit_events.get(action="contacts.masked")
    assert entry.metadata == {"from": [], "to": ["operator", "analyst"]}
    assert "masked phones and e-mail addresses for: " in text_of(page.get("/settings/audit/"))
    assert "Operator, Analyst" in text_of(page.get("/settings/audit/"))


# Keys


@pytest.fixture
def blind(acme: Account) -> Api:
    """A key that is answered with masked contacts."""
    api = Api(acme)
    type(api.key).objects.filter(pk=api.key.pk).update(contacts_masked=True)
    return api


def test_no_answer_shows_a_masked_key_a_contact(blind: Api, api: Api, ana: Conversation) -> None:
    path = f"/api/conversations/{ana.pk}"
    answers = [blind.get(), blind.get(limit=5), blind.get(search="again"), blind.get(path), blind.get(limit=1, skip=0)]
    answers += [blind.get("/api/conversations/export", format=kind) for kind in ("ndjson", "csv", "messages_csv")]
    answers += [blind.get("/api/audit-logs"), blind.get("/api/audit-logs/export", format="jsonl")]
    answers += [blind.patch(f"{path}/status", {"status": "dropped"}), blind.patch(path, {"currentStageIndex": 3})]
    answers.append(blind.post(f"{path}/messages", message("More")))
    for answer in answers:
        assert answer.status_code == 200, answer.content
        shows_none(answer.getvalue().decode())
    [shown], [full] = blind.listed(), api.listed()
    assert shown.keys() == full.keys()
    assert (shown["leadPhone"], shown["leadEmail"]) == ("+1 ••• ••• 5309", "a•••@a•••.com")
    assert {name for name in full if full[name] != shown[name]} == {
        "leadId", "leadPhone", "leadEmail", "summary", "messages", "qualificationResult"
    }  # fmt: skip
    assert full["leadPhone"] == PHONE
    for search in ("867", "5558675309", EMAIL):
        assert blind.ids(search=search) == []
        assert api.ids(search=search) == [ana.pk]


def test_masked_answers_are_told_apart_from_full_ones(blind: Api, api: Api, ana: Conversation) -> None:
    for place in ("/api/conversations", f"/api/conversations/{ana.pk}"):
        etag = api.get(place)["ETag"]
        assert blind.get(place, headers={"If-None-Match": etag}).status_code == 200


def test_what_was_masked_is_not_taken_back(blind: Api, ana: Conversation) -> None:
    [shown] = blind.listed()
    for answer in (
        blind.post("/api/conversations", shown),
        blind.post("/api/conversations", [shown]),
        blind.patch(f"/api/conversations/{ana.pk}", {"leadEmail": shown["leadEmail"]}),
        blind.post(f"/api/conversations/{ana.pk}/messages", message("Hi a•••@e•••.com")),
    ):
        assert answer.status_code == 400
        assert "masked" in json_of(answer)["details"]["non_field_errors"][0]
    assert Conversation.objects.get(pk=ana.pk).lead_phone == PHONE


def test_a_key_is_masked_from_the_beginning_or_never(api: Api, blind: Api, ana: Conversation) -> None:
    body: dict[str, Any] = {
        "name": "Zapier",
        "environment": "live",
        "scopes": ["conversations:view", "api_keys:manage"],
    }
    plain = json_of(api.post("/api/api-keys", body))["apiKey"]
    assert "contactsMasked" not in plain
    assert plain["scopes"] == body["scopes"]
    made = json_of(api.post("/api/api-keys", {**body, "contactsMasked": True}))["apiKey"]
    assert made["contactsMasked"] is True
    rotated = json_of(api.post(f"/api/api-keys/{made['_id']}/rotate"))["apiKey"]
    assert rotated["contactsMasked"] is True
    assert api.post("/api/api-keys", {**body, "contactsMasked": "yes"}).status_code == 400
    both = {**body, "scopes": [*body["scopes"], "contacts:read"], "contactsMasked": True}
    assert json_of(api.post("/api/api-keys", both))["apiKey"]["scopes"] == body["scopes"]
    assert api.post("/api/api-keys", {**both, "scopes": ["contacts:read"]}).status_code == 400
    # Nobody gives more than they see.
    assert json_of(blind.post("/api/api-keys", body))["apiKey"]["contactsMasked"] is True
    refused = blind.post(f"/api/api-keys/{plain['_id']}/rotate")
    assert json_of(refused)["message"].endswith("(requires: contacts:read).")


def test_the_form_offers_it_as_a_scope(acme: Account, page: Client) -> None:
    assert 'value="contacts:read"\n' in text_of(page.get("/settings/api-keys/new/"))
    form = {"name": "Zapier", "environment": "live", "expiry": "never"}
    for once, scopes in (("0" * 32, ["conversations:view", "contacts:read"]), ("1" * 32, ["conversations:view"])):
        text_of(page.post("/settings/api-keys/new/", {**form, "once": once, "scopes": scopes}))
    made = acme.api_keys.order_by("created_at").values_list("scopes", "contacts_masked")
    assert list(made) == [(["conversations:view"], False), (["conversations:view"], True)]
    assert "Contacts masked" in text_of(page.get("/settings/api-keys/"))

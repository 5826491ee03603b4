"""The names of agents, stages and campaigns: the page that lists them, the form for each, and the demo's."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from accounts.models import Account, AuditEvent, Environment, User
from accounts.scopes import Role
from config.storage.moments import now
from conversations.demo import AGENT_NAMES, CAMPAIGN_NAMES
from conversations.management.commands import load_demo
from conversations.models import Agent, Campaign, Conversation, LastLook
from tests.conftest import client_of, text_of
from tests.factories import AGENT, CAMPAIGN

Record = Callable[..., Conversation]
PAGE = "/settings/names/"
EVIL = "</textarea></title><img src=x onerror=alert(1)>\"'"


@pytest.fixture
def agent(acme: Account, record: Record) -> Agent:
    record(campaignId=CAMPAIGN)
    found: Agent = acme.agents.live().get()
    return found


@pytest.fixture
def campaign(acme: Account, agent: Agent) -> Campaign:
    found: Campaign = acme.campaigns.live().get()
    return found


def form_of(named: Agent | Campaign) -> str:
    return f"{PAGE}{named._meta.model_name}s/{named.pk}/"


# Refusals


def test_who_is_not_signed_in_is_sent_to_sign_in(agent: Agent, client: Client) -> None:
    for path in (PAGE, form_of(agent)):
        assert client.get(path)["Location"] == f"/login/?next={path}"


def test_a_role_without_the_scope_is_refused(acme: Account, agent: Agent) -> None:
    integrator = User.objects.create_user("integrator@example.com")
    acme.memberships.create(user=integrator, roles=[Role.INTEGRATOR])
    for path in (PAGE, form_of(agent)):
        assert client_of(integrator).get(path).status_code == 403


def test_who_may_only_read_is_told_so(acme: Account, agent: Agent, campaign: Campaign) -> None:
    analyst = User.objects.create_user("analyst@example.com")
    acme.memberships.create(user=analyst, roles=[Role.ANALYST])
    text = text_of(client_of(analyst).get(PAGE))
    assert "You may read these names" in text
    assert "conversations:edit" in text
    for named in (agent, campaign):
        assert form_of(named) not in text
        assert client_of(analyst).post(form_of(named), {"name": "Nora"}).status_code == 403
        named.refresh_from_db()
        assert named.name == ""


def test_what_is_foreign_or_unknown_is_not_found(
    page: Client, other_account: Account, agent: Agent, campaign: Campaign, record: Record
) -> None:
    record(account=other_account, campaignId=CAMPAIGN)
    record(environment="test", campaignId=CAMPAIGN)
    for kind, own in (("agents", agent), ("campaigns", campaign)):
        foreign = getattr(other_account, kind).get().pk
        elsewhere = getattr(agent.account, kind).test().get().pk
        for pk in (foreign, elsewhere, "0" * 24, "nonsense", "%00", AGENT):
            for response in (page.get(f"{PAGE}{kind}/{pk}/"), page.post(f"{PAGE}{kind}/{pk}/", {"name": "Nora"})):
                assert response.status_code == 404
        assert page.get(f"{PAGE}{'campaigns' if kind == 'agents' else 'agents'}/{own.pk}/").status_code == 404
    assert not Agent.objects.exclude(name="").exists()
    assert not Campaign.objects.exclude(name="").exists()


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("name", "x" * 101, "at most 100 characters"),
        ("name", "a\x00b", "Null characters are not allowed."),
        ("stages", "x" * 201, "at most 200 characters"),
        ("stages", "Stage\n" * 51, "at most 50 names"),
        ("stages", "a\x00b", "Null characters are not allowed."),
    ],
)
def test_what_cannot_be_is_told_at_its_field_and_nothing_is_lost(
    page: Client, agent: Agent, field: str, value: str, told: str
) -> None:
    sent = {"name": "Nora", "stages": "Greeting\n\nPrice", field: value}
    response = page.post(form_of(agent), sent)
    assert response.status_code == 400
    assert response.context["form"].errors.keys() == {field}
    text = response.content.decode()
    assert told in text
    assert f'aria-describedby="{field}-help {field}-faults"' in text
    other = "stages" if field == "name" else "name"
    assert sent[other] in text.replace("\r\n", "\n")
    agent.refresh_from_db()
    assert (agent.name, agent.stages) == ("", [])
    assert not AuditEvent.objects.filter(action="agent.renamed").exists()


# The page


def test_an_empty_account_is_told_when_names_appear(page: Client) -> None:
    text = text_of(page.get(PAGE))
    assert "No agents or campaigns yet" in text
    assert "first conversation that is recorded" in text


def test_unnamed_ones_come_first_with_their_whole_id(page: Client, acme: Account, alice: User, record: Record) -> None:
    for number in range(3):
        record(agentConfigId=f"{number}" * 24, campaignId=CAMPAIGN)
    acme.agents.get(agent_config_id="0" * 24).rename(by=alice, name="zoe")
    acme.agents.get(agent_config_id="1" * 24).rename(by=alice, name="Ana", stages=["Greeting", "", "Price"])
    response = page.get(PAGE)
    assert [str(agent) for agent in response.context["agents"]] == ["…222222", "Ana", "zoe"]
    text = text_of(response)
    assert text.count("not named yet") == 2
    assert f'data-copy="{CAMPAIGN}"' in text
    assert "Stage 2" in text
    assert f"/conversations/?agentConfigId={'1' * 24}" in text


def test_only_this_environments_are_listed(page: Client, agent: Agent, record: Record) -> None:
    record(environment="test", agentConfigId="b" * 24)
    assert [named.pk for named in page.get(PAGE).context["agents"]] == [agent.pk]
    page.post("/environment/", {"environment": "test"})
    assert [named.named_id for named in page.get(PAGE).context["agents"]] == ["b" * 24]


def test_queries_do_not_grow(page: Client, record: Record, django_assert_num_queries: Any) -> None:
    if connection.vendor == "mongodb":
        pytest.skip("counts differ")
    for number in range(5):
        record(agentConfigId=f"{number}" * 24, campaignId=f"{number}" * 24)
    with django_assert_num_queries(5):  # session, person, membership with its account, agents, campaigns
        text_of(page.get(PAGE))


# The form


def test_an_agent_is_named_with_its_stages(page: Client, alice: User, agent: Agent) -> None:
    text = text_of(page.get(form_of(agent)))
    assert "Name agent" in text
    response = page.post(form_of(agent), {"name": " Nora ", "stages": "\r\n Greeting \r\n\r\nPrice\r\n\r\n"})
    assert response["Location"] == f"{PAGE}#agent-{agent.pk}"
    agent.refresh_from_db()
    assert (agent.name, agent.stages) == ("Nora", ["", "Greeting", "", "Price"])
    event = AuditEvent.objects.get(action="agent.renamed")
    assert (event.actor_name, event.environment, event.resource_id) == ("Alice", "live", agent.pk)
    assert event.metadata["name"] == {"from": "", "to": "Nora"}
    assert "Nora was saved." in text_of(page.get(PAGE))
    assert "Rename Nora" in text_of(page.get(form_of(agent)))


def test_stages_survive_the_form_unchanged(page: Client, agent: Agent) -> None:
    agent.rename(by=None, name="Nora", stages=["", "Greeting", "", "Price & terms"])
    form = page.get(form_of(agent)).context["form"]
    page.post(form_of(agent), {"name": form["name"].value(), "stages": form["stages"].value().replace("\n", "\r\n")})
    agent.refresh_from_db()
    assert agent.stages == ["", "Greeting", "", "Price & terms"]
    assert AuditEvent.objects.filter(action="agent.renamed").count() == 1, "the same is no change"


def test_what_is_not_sent_stays(page: Client, agent: Agent) -> None:
    agent.rename(by=None, name="Nora", stages=["Greeting"])
    page.post(form_of(agent), {"name": "Felix"})
    agent.refresh_from_db()
    assert (agent.name, agent.stages) == ("Felix", ["Greeting"])


def test_other_fields_cannot_be_set(page: Client, agent: Agent, campaign: Campaign, other_account: Account) -> None:
    more = {"account": other_account.pk, "environment": "test", "agent_config_id": "b" * 24, "id": "b" * 24}
    page.post(form_of(agent), {"name": "Nora", **more})
    page.post(form_of(campaign), {"name": "Spring", **more, "campaign_id": "b" * 24, "stages": "x"})
    for named in (agent, campaign):
        account = named.account_id
        named.refresh_from_db()
        assert (named.account_id, named.environment) == (account, "live")
        assert named.named_id in (AGENT, CAMPAIGN)
        assert named.name in ("Nora", "Spring")


def test_a_campaign_is_named_by_an_operator(bob: User, campaign: Campaign) -> None:
    client = client_of(bob)
    assert "Stages" not in text_of(client.get(form_of(campaign)))
    client.post(form_of(campaign), {"name": "Spring"})
    campaign.refresh_from_db()
    assert campaign.name == "Spring"
    assert AuditEvent.objects.get(action="campaign.renamed").actor_name == "Bob"


def test_nothing_that_is_written_becomes_markup(page: Client, agent: Agent) -> None:
    page.post(form_of(agent), {"name": EVIL, "stages": EVIL})
    for path in (PAGE, form_of(agent), "/conversations/"):
        text = text_of(page.get(path))
        assert "<img" not in text
        assert "</textarea></title>" not in text


# The demo


def test_the_demo_is_named_and_has_news(db: None) -> None:
    call_command("load_demo")
    account = Account.objects.get()
    assert {agent.name for agent in account.agents.live()} == set(AGENT_NAMES.values())
    assert {campaign.name for campaign in account.campaigns.live()} == set(CAMPAIGN_NAMES.values())
    assert all(agent.name and all(agent.stages) for agent in account.agents.all())
    assert set(AuditEvent.objects.filter(action="agent.renamed").values_list("actor_type", flat=True)) == {"system"}
    for membership in account.memberships.all():
        for environment in Environment:
            seen_at = LastLook.objects.moment_of(membership, environment)
            assert timedelta(hours=23) < now() - seen_at < timedelta(hours=25)

    nora = account.agents.live().get(name__startswith="Nora")
    nora.rename(by=None, name="Eleonora", stages=["Hello"])
    events = AuditEvent.objects.count()
    load_demo._name(account)
    call_command("load_demo", if_empty=True)
    nora.refresh_from_db()
    assert (nora.name, nora.stages) == ("Eleonora", ["Hello"]), "what a person named is kept"
    assert AuditEvent.objects.count() == events

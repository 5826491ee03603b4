"""The pages of people: who may, that nobody gives more than they hold, what is mailed, and what follows at once."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from accounts.models import Account, Invitation, Membership, User
from accounts.scopes import ROLE_SCOPES, Role, Scope
from config.storage.moments import now
from tests.accounts.test_keys_pages import EVIL, issue
from tests.conftest import client_of, statements, text_of

PAGE = "/settings/people/"
INVITE = f"{PAGE}invite/"
LINK = re.compile(r"http://127\.0\.0\.1:8000/invitations/([0-9a-f]{64})/")
FORM = {"email": "new@example.com", "roles": ["analyst"]}


@pytest.fixture
def page(alice: User, acme: Account) -> Client:
    """Alice's browser."""
    return client_of(alice)


def member(account: Account, user: User) -> Membership:
    return Membership.objects.get(account=account, user=user)


def roles_page(account: Account, user: User) -> str:
    return f"{PAGE}{member(account, user).pk}/roles/"


def remove_page(account: Account, user: User) -> str:
    return f"{PAGE}{member(account, user).pk}/remove/"


def sent() -> EmailMultiAlternatives:
    message = mail.outbox[-1]
    assert isinstance(message, EmailMultiAlternatives)
    return message


def token_of(message: EmailMultiAlternatives) -> str:
    """The secret, which both parts have."""
    [(html, _)] = message.alternatives
    [in_text] = LINK.findall(str(message.body))
    assert set(LINK.findall(str(html))) == {in_text}
    return str(in_text)


def no_server(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1


# Refusals


@pytest.mark.parametrize("role", [Role.INTEGRATOR, Role.OPERATOR, Role.ANALYST, Role.AI_ARCHITECT])
def test_who_may_only_see_the_team_changes_nothing(acme: Account, alice: User, role: Role) -> None:
    person = User.objects.create_user("dana@example.com")
    mine = acme.memberships.create(user=person, roles=[role])
    invitation, _ = acme.invitations.invite(account=acme, email="x@example.com", roles=[Role.ANALYST], by=alice)
    client = client_of(person)
    shown = text_of(client.get(PAGE))
    assert "team:manage" in shown
    assert "alice@example.com" in shown
    assert INVITE not in shown
    assert "/withdraw/" not in shown
    for path in (INVITE, roles_page(acme, alice), remove_page(acme, alice), f"{PAGE}{mine.pk}/roles/"):
        for response in (client.get(path), client.post(path, {**FORM, "roles": list(Role.values)})):
            assert "(requires: team:manage)" in text_of(response, 403)
    for verb in ("send", "withdraw"):
        assert client.post(f"{PAGE}invitations/{invitation.pk}/{verb}/").status_code == 403
    assert member(acme, person).roles == [role]
    assert (acme.memberships.count(), acme.invitations.count(), mail.outbox) == (2, 1, [])


def test_another_accounts_people_are_404_like_unknown_ones(page: Client, other_account: Account, charlie: User) -> None:
    foreign, _ = other_account.invitations.invite(
        account=other_account, email="x@example.com", roles=[Role.ANALYST], by=charlie
    )
    for pk in (member(other_account, charlie).pk, "0" * 24, "nonsense", "%00"):
        for verb in ("roles", "remove"):
            for response in (page.get(f"{PAGE}{pk}/{verb}/"), page.post(f"{PAGE}{pk}/{verb}/", {"roles": ["analyst"]})):
                assert response.status_code == 404
    for pk in (foreign.pk, "0" * 24, "nonsense"):
        for verb in ("send", "withdraw"):
            assert page.post(f"{PAGE}invitations/{pk}/{verb}/").status_code == 404
    assert other_account.memberships.count() == other_account.invitations.count() == 1
    assert "charlie@example.com" not in text_of(page.get(PAGE))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"email": ""}, "Whom do you want to invite?"),
        ({"email": "nobody"}, "valid email"),
        ({"email": f"{'x' * 250}@example.com"}, "254"),
        ({"email": "a@example.com\r\nBcc: b@example.com"}, "valid email"),
        ({"email": "a\x00@example.com"}, "Null characters"),
        ({"roles": []}, "Choose at least one role"),
        ({"roles": ["boss"]}, "only what you hold"),
        ({"email": "alice@example.com"}, "Is in the team already"),
        ({"email": "Invited@example.com"}, "Is invited already"),
    ],
)
def test_bad_form_invites_nobody_and_says_why(
    page: Client, acme: Account, alice: User, fields: dict[str, Any], says: str
) -> None:
    acme.invitations.invite(account=acme, email="invited@example.com", roles=[Role.ANALYST], by=alice)
    assert says in text_of(page.post(INVITE, FORM | fields), 400)
    assert acme.invitations.count() == 1
    assert mail.outbox == []


def test_nobody_gives_more_than_they_hold(acme: Account, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """No role of today manages the team without holding everything; one of tomorrow may."""
    held = ROLE_SCOPES[Role.ANALYST] | {Scope.TEAM_MANAGE}
    monkeypatch.setitem(ROLE_SCOPES, Role.AI_ARCHITECT, frozenset(held))
    mia = User.objects.create_user("mia@example.com")
    acme.memberships.create(user=mia, roles=[Role.AI_ARCHITECT])
    acme.invitations.invite(account=acme, email="boss@example.com", roles=[Role.OWNER], by=alice)
    client = client_of(mia)
    shown = text_of(client.get(INVITE))
    assert 'value="analyst"' in shown
    assert 'value="operator"' not in shown
    for roles in (["owner"], ["analyst", "operator"]):
        assert "only what you hold" in text_of(client.post(INVITE, {**FORM, "roles": roles}), 400)
        assert "only what you hold" in text_of(client.post(roles_page(acme, mia), {"roles": roles}), 400)
    for path in (roles_page(acme, alice), remove_page(acme, alice)):
        assert client.post(path, {"roles": ["analyst"]}).status_code == 403
    of_owner = acme.invitations.get()
    assert client.post(f"{PAGE}invitations/{of_owner.pk}/send/").status_code == 403
    assert member(acme, alice).roles == [Role.OWNER]
    assert member(acme, mia).roles == [Role.AI_ARCHITECT]
    assert mail.outbox == []


def test_fields_that_are_nobodys_to_set_are_ignored(page: Client, acme: Account, other_account: Account) -> None:
    smuggled = {
        "account": other_account.pk,
        "account_id": other_account.pk,
        "digest": "f" * 64,
        "token": "f" * 64,
        "expires_at": "2100-01-01T00:00:00Z",
        "invited_by": other_account.memberships.get().user_id,
        "id": "f" * 24,
        "_id": "f" * 24,
        "user": other_account.memberships.get().user_id,
        "scopes": list(Scope.values),
    }
    page.post(INVITE, FORM | smuggled)
    invitation = Invitation.objects.get()
    assert (invitation.account, invitation.roles, str(invitation.invited_by)) == (acme, ["analyst"], "Alice")
    assert invitation.digest != "f" * 64
    assert invitation.pk != "f" * 24
    assert invitation.expires_at < now() + timedelta(days=8)
    assert other_account.memberships.count() == 1


def test_the_last_owner_stays_and_reads_why(page: Client, acme: Account, alice: User, bob: User) -> None:
    assert "needs an owner" in text_of(page.post(roles_page(acme, alice), {"roles": ["operator"]}), 400)
    assert "needs an owner" in text_of(page.post(f"{PAGE}leave/", {"account": acme.pk}), 400)
    assert page.post(remove_page(acme, alice))["Location"] == f"{PAGE}leave/"
    shown = text_of(page.get(f"{PAGE}leave/"))
    assert "needs an owner" in shown
    assert '<form method="post">' not in shown
    assert member(acme, alice).roles == [Role.OWNER]


def test_changing_needs_a_form(page: Client, acme: Account, alice: User) -> None:
    invitation, _ = acme.invitations.invite(account=acme, email="x@example.com", roles=[Role.ANALYST], by=alice)
    for verb in ("send", "withdraw"):
        assert page.get(f"{PAGE}invitations/{invitation.pk}/{verb}/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post(INVITE, FORM).status_code == 403
    assert acme.invitations.count() == 1


# Inviting


def test_who_is_invited_gets_a_mail_with_the_secret_which_is_nowhere_else(page: Client, acme: Account) -> None:
    response = page.post(INVITE, {"email": "New@Example.com", "roles": ["analyst", "integrator"]}, follow=True)
    shown = text_of(response)
    assert "new@example.com is invited, and has a mail with the link." in shown
    message = sent()
    token = token_of(message)
    assert message.to == ["new@example.com"]
    assert message.subject == "Alice (alice@example.com) invites you to Acme on Parley"
    for part in (str(message.body), str(message.alternatives[0][0])):
        assert "Integrator" in part
        assert "Connects other systems" in part
        assert "for 7 days" in part
    assert token not in shown
    invitation = acme.invitations.get()
    assert token not in str(vars(invitation))
    assert invitation.roles == ["integrator", "analyst"]
    assert invitation.sent_at is not None
    assert timedelta(days=6, hours=23) < invitation.expires_at - now() <= timedelta(days=7)
    entry = acme.audit_events.get(action="invitation.sent")
    assert (entry.actor_name, entry.metadata) == (
        "Alice",
        {"name": "new@example.com", "roles": ["integrator", "analyst"]},
    )


def test_the_link_is_that_of_the_installation_whatever_host_was_asked(page: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    page.post(INVITE, FORM, headers={"Host": "evil.example"})
    assert token_of(sent())
    assert "evil" not in str(sent().message())


def test_hostile_names_are_text_in_a_mail(acme: Account, alice: User, page: Client) -> None:
    acme.rename(EVIL, by=alice)
    page.post(INVITE, FORM)
    html = str(sent().alternatives[0][0])
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html
    assert EVIL in str(sent().body)


def test_a_mail_server_that_is_down_loses_nothing(page: Client, acme: Account, settings: Any) -> None:
    backend = settings.EMAIL_BACKEND
    no_server(settings)
    shown = text_of(page.post(INVITE, FORM, follow=True))
    assert "The mail could not be sent" in shown
    assert "The invitation of new@example.com stays below." in shown
    assert "The mail was not sent" in shown
    assert "Send again" in shown
    settings.EMAIL_BACKEND = backend
    pk = acme.invitations.get().pk
    assert "has a mail with the link" in text_of(page.post(f"{PAGE}invitations/{pk}/send/", follow=True))
    assert Invitation.of_token(token_of(sent())) == acme.invitations.get()


def test_a_mail_that_only_the_server_sees_is_told_so(page: Client, settings: Any, capsys: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "No mail server is set up" in text_of(page.post(INVITE, FORM, follow=True))
    assert LINK.search(capsys.readouterr().out)


def test_a_mail_that_is_a_file_is_told_so(page: Client, settings: Any, tmp_path: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    assert "the mail is a file on the server" in text_of(page.post(INVITE, FORM, follow=True))
    [written] = tmp_path.iterdir()
    assert LINK.search(written.read_text())


def test_sending_again_makes_another_secret_and_begins_the_week_anew(page: Client, acme: Account) -> None:
    page.post(INVITE, FORM)
    first = token_of(sent())
    acme.invitations.update(expires_at=now(), sent_at=now() - timedelta(hours=1))
    page.post(f"{PAGE}invitations/{acme.invitations.get().pk}/send/")
    second = token_of(sent())
    assert first != second
    assert Invitation.of_token(first) is None
    assert Invitation.of_token(second) == acme.invitations.get()
    assert [entry.action for entry in acme.audit_events.order_by("id")][-1] == "invitation.sent_again"


def test_nobody_is_mailed_twice_within_a_minute(page: Client, acme: Account) -> None:
    page.post(INVITE, FORM)
    shown = text_of(page.post(f"{PAGE}invitations/{acme.invitations.get().pk}/send/", follow=True))
    assert "sent a moment ago" in shown
    assert len(mail.outbox) == 1


def test_withdrawing_takes_it_out_of_the_list(page: Client, acme: Account) -> None:
    page.post(INVITE, FORM)
    pk = acme.invitations.get().pk
    shown = text_of(page.post(f"{PAGE}invitations/{pk}/withdraw/", follow=True))
    assert "is withdrawn" in shown
    assert f"invitation-{pk}" not in shown
    assert Invitation.of_token(token_of(sent())) is None


def test_what_has_expired_says_so(page: Client, acme: Account) -> None:
    page.post(INVITE, FORM)
    acme.invitations.update(expires_at=now() - timedelta(days=1))
    assert "Expired" in text_of(page.get(PAGE))


# Members


def test_the_page_tells_of_each_member(page: Client, acme: Account, bob: User) -> None:
    member(acme, bob).change_roles(["operator", "integrator"], by=None)
    shown = text_of(page.get(PAGE))
    for text in ("Alice", "bob@example.com", "Integrator", "Operator", "Member since", "Last seen", "Never seen"):
        assert text in shown
    assert shown.count('class="role"') == 3


def test_being_here_is_remembered(acme: Account, alice: User, bob: User) -> None:
    client = client_of(bob)
    assert (now() - (member(acme, bob).last_seen_at or now() - timedelta(days=1))).seconds < 60
    acme.memberships.filter(user=bob).update(last_seen_at=now() - timedelta(hours=1))
    client.get(PAGE)
    assert (now() - (member(acme, bob).last_seen_at or now() - timedelta(days=1))).seconds < 60


@pytest.mark.parametrize("number", [1, 12])
def test_the_page_takes_the_same_statements_however_many_people(page: Client, acme: Account, number: int) -> None:
    for index in range(number):
        acme.memberships.create(user=User.objects.create_user(f"p{index}@example.com"), roles=[Role.ANALYST])
        acme.invitations.invite(account=acme, email=f"i{index}@example.com", roles=[Role.ANALYST], by=None)
    with statements(5):
        page.get(PAGE)


def test_a_change_of_roles_holds_on_the_next_request(page: Client, acme: Account, bob: User) -> None:
    client = client_of(bob)
    assert client.get("/conversations/").status_code == 200
    assert client.get("/settings/api-keys/").status_code == 403
    response = page.post(roles_page(acme, bob), {"roles": ["integrator"]}, follow=True)
    assert "Bob: Integrator." in text_of(response)
    assert client.get("/conversations/").status_code == 403
    assert client.get("/settings/api-keys/").status_code == 200


def test_who_is_removed_sees_nothing_from_the_next_request_on(page: Client, acme: Account, bob: User) -> None:
    client = client_of(bob)
    assert client.get("/conversations/").status_code == 200
    assert "Bob is not in the team any more." in text_of(page.post(remove_page(acme, bob), follow=True))
    for response in (client.get("/conversations/"), client.post("/settings/theme/", {"theme": "dark"})):
        shown = text_of(response, 403)
        assert "You belong to no account" in shown
        assert "bob@example.com" in shown
        assert "Sign out" in shown
        assert "Acme" not in shown
    assert client.post("/logout/").status_code == 302


def test_keys_of_who_is_removed_go_on_working_and_the_page_says_so(page: Client, acme: Account, bob: User) -> None:
    key = issue(acme, by=bob)
    revoked = issue(acme, by=bob)
    revoked.revoke(by=None)
    assert "An API key that they made goes on working" in text_of(page.get(remove_page(acme, bob)))
    page.post(remove_page(acme, bob))
    key.refresh_from_db()
    assert key.status == "active"


def test_leaving_asks_first_and_is_for_everybody(acme: Account, bob: User) -> None:
    client = client_of(bob)
    assert "Leave <bdi>Acme</bdi>?" in text_of(client.get(f"{PAGE}leave/"))
    client.post(f"{PAGE}leave/", {"account": "0" * 24})  # of a page of another account
    assert acme.memberships.filter(user=bob).exists()
    shown = text_of(client.post(f"{PAGE}leave/", {"account": acme.pk}, follow=True), 403)
    assert "You left Acme." in shown
    assert "You belong to no account" in shown
    assert acme.audit_events.get(action="member.left").actor_name == "Bob"


def test_who_was_removed_meanwhile_is_404(page: Client, acme: Account, bob: User) -> None:
    path = remove_page(acme, bob)
    assert page.post(path).status_code == 302
    assert page.post(path).status_code == 404


def test_the_audit_log_tells_it_in_sentences(page: Client, acme: Account, bob: User) -> None:
    page.post(INVITE, FORM)
    page.post(roles_page(acme, bob), {"roles": ["analyst", "ai_architect"]})
    page.post(remove_page(acme, bob))
    text = " ".join(re.sub(r"<[^>]+>", " ", text_of(page.get("/settings/audit/"))).split())
    for sentence in (
        "Alice invited new@example.com as Analyst",
        "Alice changed the roles of Bob from Operator to AI architect, Analyst",
        "Alice removed Bob from the team",
    ):
        assert sentence in text

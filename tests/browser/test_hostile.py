"""Hostile texts stay texts, whatever field they stand in and whatever page shows them (trust.md, T14).

Each payload stands in every field of one conversation, and in the names of whoever and whatever is around it. Beside
it is a twin with harmless texts: a page of the one has exactly the elements that the same page of the other has.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from accounts.models import Account, ApiKey, AuditEvent, User
from accounts.models.preferences import Column
from accounts.scopes import Role, Scope
from conversations.models import Conversation, Note
from tests.browser.conftest import Browser
from tests.browser.payloads import HOSTILE
from tests.factories import message

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Browse = Callable[..., Browser]
Record = Callable[..., Conversation]
HARMLESS = "harmless"
ELEMENTS = """() => {
  const links = new Set(document.querySelectorAll(".message__text a, mark, wbr"));  // what is made of texts on purpose
  return [...document.querySelectorAll("*")].filter((one) => !links.has(one)).map((one) => one.localName);
}"""
FOREIGN = """() => [...document.querySelectorAll("*")].flatMap((one) => [...one.attributes]
  .filter(({ name, value }) => /^(on|hx-|x-|_$|ping$|style$|sse-)/.test(name) ||
    (/^(href|src|action|formaction|data|poster)$/.test(name) &&
      !/^(https?|mailto):/.test(new URL(value, location.href).protocol)))
  .map(({ name, value }) => `${one.localName} ${name}=${value.slice(0, 60)}`))"""
STRANGE = (
    "#content :is(iframe, object, embed, math, template, base, marquee, video, c-badge, script:not([src]), form form)"
)
LEAKS = r"""() => {
  // A text with an override must end its isolation before it meets any text that is not its own.
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  const isolates = (style) => /isolate|plaintext/.test(style.unicodeBidi) || style.display !== "inline";
  while (walker.nextNode()) {
    const text = walker.currentNode.data;
    if (!/[\u202d\u202e]/.test(text)) continue;
    let one = walker.currentNode.parentElement;
    if (one.closest("option, textarea, title, script")) continue;
    while (!isolates(getComputedStyle(one))) one = one.parentElement;
    const rest = one.textContent.replace(text, "").trim();
    if (rest && !one.matches("bdi, [dir]")) found.push(`${one.className}: ${one.textContent.trim().slice(0, 80)}`);
  }
  return found;
}"""


class Stage:
    """An account whose every text is ``text(number)``, with as many conversations as ``count`` says."""

    def __init__(
        self, account: Account, owner: User, record: Record, text: Callable[[int], str], count: int = len(HOSTILE)
    ) -> None:
        self.account, self.owner, self.text = account, owner, text
        self.conversations = []
        for number in range(count):
            self.conversations.append(self._conversation(record, number))
            account.saved_views.save_view(
                account=account, by=owner, name=f"{number} {text(number)}"[:60], query="", is_shared=True
            )
            ApiKey.objects.issue(
                account=account, name=text(number)[:100], environment="live", scopes=[Scope.TEAM_VIEW], by=owner
            )
        for named in (*account.agents.all(), *account.campaigns.all()):
            self._name(named)
        self.everything = record(
            account=account,
            messages=[message(text(number), role=("lead", "agent")[number % 2]) for number in range(len(HOSTILE))],
        )

    def dress(self, number: int) -> None:
        """From now on the account and the person are called so too."""
        text = self.text(number)
        Account.objects.filter(pk=self.account.pk).update(name=text[:100])
        User.objects.filter(pk=self.owner.pk).update(name=text[:100])

    def _conversation(self, record: Record, number: int) -> Conversation:
        text = self.text(number)
        conversation = record(
            account=self.account,
            agentConfigId=f"{number + 1:024x}",
            campaignId=f"{number + 1:024x}",
            leadId=text[:64],
            leadPhone=text[:64],
            leadEmail=text[:320],
            currentStageName=text[:200],
            currentStageIndex=1,
            summary=text,
            qualificationResult={"qualified": False, "reason": text[:5_000]},
            messages=[message(text), message(text, role="agent"), message(text, role="human"), message(text)],
        )
        self.dress(number)
        self.owner.refresh_from_db()
        Note.objects.write(conversation, text[:5_000], by=self.owner)
        conversation.change_status("dropped", by=self.owner, reason=text[:500])
        return conversation

    def _name(self, named: Any) -> None:
        text = self.text(int(named.named_id, 16) - 1)
        type(named).objects.filter(pk=named.pk).update(name=text[:100])
        if hasattr(named, "stages"):
            type(named).objects.filter(pk=named.pk).update(stages=[text[:200], text[:200]])


@pytest.fixture
def hostile(alice: User, acme: Account, record: Record) -> Stage:
    return Stage(acme, _all_seeing(alice), record, HOSTILE.__getitem__)


@pytest.fixture
def twin(charlie: User, other_account: Account, record: Record) -> Callable[[int], Stage]:
    def inner(count: int) -> Stage:
        return Stage(other_account, _all_seeing(charlie), record, lambda number: f"{HARMLESS} {number}", count)

    return inner


def _all_seeing(person: User) -> User:
    """With every column there is, and the admin."""
    person.columns = list(map(str, Column))
    person.is_staff = person.is_superuser = True
    person.save()
    return person


def look(browser: Browser, path: str) -> Counter[str]:
    """The elements of a page on which nothing happened that should not."""
    page = browser.open(path)
    page.wait_for_timeout(20)
    assert browser.status == 200, path
    assert browser.violations() == [], path
    assert page.evaluate(FOREIGN) == [], path
    assert page.evaluate(LEAKS) == [], path
    assert browser.faults == [], path
    return Counter(page.evaluate(ELEMENTS))


def test_there_are_enough_of_them() -> None:
    """Prints what docs/trust.md says of them (pytest -s)."""
    print(f"{len(set(HOSTILE))} texts")
    assert len(set(HOSTILE)) >= 60


@pytest.mark.parametrize("part", [0, 1])
def test_every_field_of_a_transcript_shows_texts(
    hostile: Stage, twin: Callable[[int], Stage], browse: Browse, part: int
) -> None:
    harmless = twin(3)
    calm = browse(harmless.owner)
    # The first one of all has nobody before it: it is compared with the other first one.
    first, other = (look(calm, f"/conversations/{harmless.conversations[number].pk}/") for number in (0, 1))
    browser = browse(hostile.owner)
    for number in range(part, len(HOSTILE), 2):
        hostile.dress(number)
        found = look(browser, f"/conversations/{hostile.conversations[number].pk}/")
        assert found == (other if number else first), HOSTILE[number]
        shown = browser.page.locator(".message__text").first.text_content() or ""
        assert shown.replace("\r\n", "\n") == HOSTILE[number].replace("\r\n", "\n").replace("\r", "\n")


def test_lists_names_and_forms_show_texts(hostile: Stage, twin: Callable[[int], Stage], browse: Browse) -> None:
    harmless = twin(len(HOSTILE))
    browser, calm = browse(hostile.owner), browse(harmless.owner)
    paths = ["/conversations/", "/conversations/?status=dropped", "/settings/names/", "/settings/preferences/"]
    for number, path in enumerate(paths):
        hostile.dress(number)
        assert look(browser, path) == look(calm, path), path
    assert look(browser, browser.page.url) == look(calm, browser.page.url)
    picked = [f"/conversations/bulk/?to=completed&id={stage.conversations[0].pk}" for stage in (hostile, harmless)]
    assert look(browser, picked[0]) == look(calm, picked[1])
    for kind in ("agents", "campaigns"):
        forms = [f"/settings/names/{kind}/{getattr(stage.account, kind).first().pk}/" for stage in (hostile, harmless)]
        assert look(browser, forms[0]) == look(calm, forms[1])
    both = [f"/conversations/{stage.everything.pk}/" for stage in (hostile, harmless)]
    assert look(browser, both[0]) == look(calm, both[1])
    protocols = set(browser.page.evaluate("[...document.querySelectorAll('.message__text a')].map((a) => a.protocol)"))
    assert protocols <= {"http:", "https:", "mailto:"}
    relations = set(browser.page.evaluate("[...document.querySelectorAll('.message__text a')].map((a) => a.rel)"))
    assert relations == {"noopener nofollow ugc"}


def people_of(account: Account, owner: User, text: Callable[[int], str]) -> tuple[list[str], str]:
    """Pages of an account with a member for each text, invitations and a second account; and the link of one."""
    for number in range(len(HOSTILE)):
        person = User.objects.create_user(f"{owner.pk}{number}@example.com", None)
        User.objects.filter(pk=person.pk).update(name=text(number)[:100])
        member = account.memberships.create(user=person, roles=[Role.ANALYST])
    second = Account.objects.open(name="Second", owner=owner, by=owner)
    Account.objects.filter(pk=second.pk).update(name=text(1)[:100])
    token = ""
    for name in ("first", "second"):
        email = f"{name}-of-{owner.pk}@example.com"
        _, token = account.invitations.invite(account=account, email=email, roles=[Role.ANALYST], by=owner)
    paths = ["", f"{member.pk}/roles/", f"{member.pk}/remove/", "leave/", "invite/", "../account/"]
    return [f"/settings/people/{path}" for path in paths], f"/invitations/{token}/"


def test_people_and_invitations_show_texts(
    alice: User, acme: Account, charlie: User, other_account: Account, browse: Browse
) -> None:
    def calmly(number: int) -> str:
        return f"{HARMLESS} {number}"

    pages, link = people_of(acme, alice, HOSTILE.__getitem__)
    calm_pages, calm_link = people_of(other_account, charlie, calmly)
    browser, calm, guest = browse(alice), browse(charlie), browse()
    for number, (path, other) in enumerate(zip(pages, calm_pages, strict=True)):
        for account, owner, text in ((acme, alice, HOSTILE.__getitem__), (other_account, charlie, calmly)):
            Account.objects.filter(pk=account.pk).update(name=text(number)[:100])
            User.objects.filter(pk=owner.pk).update(name=text(number)[:100])
        assert look(browser, path) == look(calm, other), path
    expected = look(guest, calm_link)
    for hostile in HOSTILE:
        Account.objects.filter(pk=acme.pk).update(name=hostile[:100])
        User.objects.filter(pk=alice.pk).update(name=hostile[:100])
        assert look(guest, link) == expected, hostile


def test_terms_in_the_address_are_texts(alice: User, record: Record, browse: Browse) -> None:
    said = record(messages=[message(text) for text in HOSTILE if len(text) < 500])
    browser = browse(alice)
    for number, text in enumerate(HOSTILE):
        term = quote(text.strip()[:100], safe="")
        look(browser, f"/conversations/?search={term}{f'&stage={term}' if number % 4 else ''}")
        if number % 4 == 0:
            look(browser, f"/conversations/{said.pk}/?find={term}&search={term}")


def test_the_admin_and_the_plain_text_show_texts(hostile: Stage, browse: Browse) -> None:
    AuditEvent.objects.log(
        "key.issued", account=hostile.account, by=hostile.owner, resource=hostile.account, metadata={"all": HOSTILE}
    )
    event = AuditEvent.objects.latest("timestamp", "pk")
    browser = browse(hostile.owner)
    models = ["conversations/conversation", "conversations/agent", "conversations/campaign", "accounts/auditevent"]
    models += ["accounts/apikey", "accounts/account", "accounts/user", "accounts/membership", "accounts/invitation"]
    paths = [f"/admin/{model}/" for model in models]
    paths += [
        f"/admin/conversations/conversation/?q={quote(HOSTILE[0])}",
        f"/admin/accounts/auditevent/{event.pk}/change/",
    ]
    paths += [f"/admin/conversations/conversation/{hostile.everything.pk}/change/"]
    for number, path in enumerate(paths):
        hostile.dress(number)
        page = browser.open(path)
        assert browser.status == 200, path
        assert browser.violations() == [], path
        assert page.locator(f"[src*=evil], [href*=evil], [action*=evil], {STRANGE}").count() == 0, path
        assert browser.faults == [], path
    for path in (f"/conversations/{hostile.everything.pk}/text/", "/conversations/export/?format=ndjson"):
        answer = browser.context.request.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not answer.headers["content-type"].startswith(("text/html", "image/svg", "application/xhtml"))
    page = browser.open(f"/conversations/{hostile.everything.pk}/text/")
    assert page.evaluate("[...document.querySelectorAll('*')].map((one) => one.localName)")[-1] == "pre"
    assert "<script>alert(1)</script>" in page.locator("pre").inner_text()

"""What only a browser can tell: themes, widths, keys, the CSP, and that hostile texts stay texts."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from accounts.models import Account, User
from conversations.models import Conversation
from tests.browser.conftest import Browser
from tests.factories import message

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Browse = Callable[..., Browser]
Record = Callable[..., Conversation]
WIDTHS = (390, 768, 1440)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script>",
    '<iframe srcdoc="<script>alert(1)</script>">',
    "<math><mtext><style><img src=x onerror=alert(1)>",
    "'-alert(1)-'",
    '";alert(1)//',
    "</script><script>alert(1)</script>",
    "</textarea></title></style><script>alert(1)</script>",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    '![x](x"onerror="alert(1))',
    "{{7*7}} {% debug %} ${7*7} #{7*7}",
    "<template><script>alert(1)</script></template>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<form action=//evil.example><button>x",
    "<a ping=//evil.example href=//evil.example>x</a>",
    '<b hx-get="//evil.example" hx-trigger=load hx-on:load=alert(1) x-data _=alert(1)>',
    "<!-- ]]>",
    "&#x3C;script&#x3E;alert(1)",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "+ADw-script+AD4-alert(1)",
    "\\u003cscript\\u003ealert(1)",
    "abc\u202egnp.exe https://example.com/\u202egnp.exe",
    "Z" + "\u0301" * 10_000,
    "w" * 15_000,
    "\r\nSet-Cookie: a=b",
    "</style><style>@import '//evil.example'",
    'https://example.com/"onmouseover=alert(1)//',
)


def transcript_of(conversation: Conversation) -> str:
    return f"/conversations/{conversation.pk}/"


@pytest.fixture
def ana(alice: User, acme: Account, record: Record) -> Conversation:
    conversation = record(
        leadEmail="ana@example.com",
        currentStageName="Needs",
        summary="Wants 40 seats.",
        qualificationResult={"qualified": True, "reason": "Budget approved."},
        messages=[message("Hi Ana", role="agent"), message("What is the price?"), message("مرحبا، كم السعر؟")],
    )
    conversation.change_status("handed_off", by=alice, reason="a discount")
    conversation.update_details({"current_stage_name": "Pricing"}, by=None)
    return conversation


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_every_width_in_both_themes(
    alice: User, ana: Conversation, browse: Browse, width: int, scheme: str
) -> None:
    signed_out = browse(color_scheme=scheme, viewport={"width": width, "height": 900})
    signed_out.open("/login/")
    assert not signed_out.is_wider_than_its_window()
    browser = browse(alice, color_scheme=scheme, viewport={"width": width, "height": 900})
    for path in (
        "/conversations/",
        "/conversations/?search=price",
        "/conversations/?search=nothing&channel=email&status=active",
        f"/conversations/?search={'x' * 101}",
        transcript_of(ana),
        f"{transcript_of(ana)}?search=price",
    ):
        page = browser.open(path)
        assert browser.status == 200
        assert not browser.is_wider_than_its_window(), path
        assert browser.violations() == []
        canvas = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, canvas[4:-1].split(","))) < 384) == (scheme == "dark"), canvas


def test_hostile_texts_stay_texts(alice: User, acme: Account, record: Record, browse: Browse) -> None:
    evil = '"><img src=x onerror=alert(1)></title><script>alert(1)</script>'
    acme.name = evil[:100]
    acme.save()
    roles = ("lead", "agent", "human", "system")
    conversation = record(
        leadId=evil,
        leadEmail=evil,
        leadPhone=evil[:64],
        currentStageName=evil,
        summary=evil,
        qualificationResult={"qualified": False, "reason": evil},
        messages=[message(text, role=roles[number % 4]) for number, text in enumerate(HOSTILE)],
    )
    conversation.change_status("dropped", by=alice, reason=evil)
    browser = browse(alice)
    for path in (
        "/conversations/",
        "/conversations/?search=alert",
        "/conversations/?search=<img",
        transcript_of(conversation),
        f"{transcript_of(conversation)}?search=<",
    ):
        page = browser.open(path)
        page.wait_for_timeout(100)
        assert browser.status == 200
        assert browser.violations() == []
        assert (
            page.locator("main :is(script, img, iframe, base, meta, form[action*=evil], template, math)").count() == 0
        )
        schemes = set(page.evaluate("[...document.querySelectorAll('main a')].map((link) => link.protocol)"))
        assert schemes <= {"http:", "https:"}
    shown = page.locator(".message__text").all_text_contents()
    assert [text.replace("\r\n", "\n") for text in shown] == [text.replace("\r\n", "\n") for text in HOSTILE]


def test_the_way_in_and_out_by_hand(alice: User, ana: Conversation, browse: Browse) -> None:
    browser = browse()
    page = browser.open("/conversations/?search=price")
    assert page.url.endswith("/login/?next=/conversations/%3Fsearch%3Dprice")
    page.fill("#id_username", "alice@example.com")
    page.fill("#id_password", "wrong")
    page.click("text=Show")
    assert page.get_attribute("#id_password", "type") == "text"
    page.click("button[type=submit]")
    assert page.evaluate("document.activeElement.id") == "sign-in-error"
    page.fill("#id_password", "correct horse battery")
    page.click("button[type=submit]")
    page.wait_for_url("**/conversations/?search=price")
    page.click(".menu summary")
    page.click("text=Sign out")
    page.wait_for_url("**/login/")


def test_everything_can_be_read_without_scripts(alice: User, ana: Conversation, record: Record, browse: Browse) -> None:
    record(environment="test", leadEmail="test@example.com")
    browser = browse(alice, java_script_enabled=False)
    page = browser.open("/conversations/")
    page.fill("#search", "price")
    page.click(".filters button")
    page.click("text=ana@example.com")
    assert page.url.endswith(f"{ana.pk}/?search=price#m-2")
    assert page.locator("mark").first.is_visible()
    assert not page.locator("button:visible", has_text="Copy link").count()
    page.click("text=Back to 1 result")
    assert page.url.endswith(f"/conversations/?search=price#c-{ana.pk}")
    page.click("button[value=test]")
    assert page.locator(".test-band").is_visible()
    assert page.locator("text=test@example.com").is_visible()


def test_the_theme_is_kept_and_shown_without_a_flash(alice: User, ana: Conversation, browse: Browse) -> None:
    browser = browse(alice, color_scheme="light")
    page = browser.open("/conversations/")
    page.click("[data-theme-toggle]")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    answer = browser.context.request.get("/conversations/").text()
    assert '<html lang="en" data-theme="dark">' in answer


def test_keys_walk_the_list(alice: User, acme: Account, record: Record, browse: Browse) -> None:
    for name in ("second", "first"):
        record(leadEmail=f"{name}@example.com", messages=[])
    Conversation.objects.filter(lead_email="second@example.com").update(updated_at=datetime(2020, 1, 1, tzinfo=UTC))
    browser = browse(alice)
    page = browser.open("/conversations/")
    focused = "document.activeElement.textContent"
    page.keyboard.press("j")
    assert page.evaluate(focused) == "first@example.com"
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate(focused) == "second@example.com"
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_selector(".transcript-head")
    page.keyboard.press("u")
    page.wait_for_selector(".rows")
    page.keyboard.press("/")
    page.keyboard.type("jk1?")
    assert page.input_value("#search") == "jk1?"
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    page.wait_for_url("**/conversations/?status=active")
    page.keyboard.press("?")
    page.uncheck("[data-shortcuts-on]")
    page.click("text=Close")
    page.keyboard.press("1")
    page.wait_for_timeout(200)
    assert page.url.endswith("?status=active")


def test_a_search_that_is_too_long_is_told_and_not_sent(alice: User, acme: Account, browse: Browse) -> None:
    page = browse(alice).open("/conversations/")
    page.fill("#search", "x" * 101)
    assert page.locator("#search-fault").is_visible()
    page.keyboard.press("Enter")
    page.wait_for_timeout(200)
    assert page.url.endswith("/conversations/")
    page.fill("#search", "😀" * 100)
    assert page.locator("#search-fault").is_hidden()


def test_a_page_that_does_not_exist_is_ours(alice: User, acme: Account, browse: Browse) -> None:
    browser = browse(alice)
    page = browser.open(f"/conversations/{'a' * 24}/")
    assert browser.status == 404
    assert "There is nothing here" in page.text_content("h1")
    assert browser.violations() == []
    browser.faults = [fault for fault in browser.faults if "404" not in fault]

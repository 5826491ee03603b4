"""The house style, where a machine can hold it."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.permissions import HasScope
from accounts.scopes import ROLE_SCOPES, UNUSED_SCOPES, Role, Scope

ROOT: Path = settings.BASE_DIR

SOURCE = [
    path
    for room in ("config", "accounts", "conversations")
    for path in (ROOT / room).rglob("*.py")
    if "migrations" not in path.parts
]


def routes(patterns: Any = None, prefix: str = "") -> list[tuple[str, Any]]:
    """Every route of the project, with its view."""
    found = []
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += routes(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            found.append((path, pattern.callback))
    return found


RESET = "^login/reset/(?P<uidb36>[0-9A-Za-z]{1,30})-(?P<key>[0-9A-Za-z-]{1,100})/$"
OPEN = {
    *("login/", "login/code/", "login/reset/", "login/reset/sent/", "login/reset/done/", RESET, "logout/", "setup/"),
    "settings/language/",
    *("invitations/", "invitations/<path:token>/"),
    *("shared/link/<path:token>/", "shared/<str:pk>/"),
    *("api/", "api/schema", "api/docs", "design/", "healthz", "readyz", "metrics"),
}
"""Routes that anybody may ask: they show nothing of an account, but what an invitation's secret opens."""


@pytest.mark.parametrize(("path", "view"), [pytest.param(*route, id=route[0] or "/") for route in routes()])
def test_every_route_names_its_scope(path: str, view: Any) -> None:
    if path in OPEN or path.startswith("admin/"):
        return
    if path.startswith("api/"):
        assert HasScope in view.cls.permission_classes
        assert set(view.actions.values()) <= set(view.cls.scopes)
        assert set(view.cls.scopes.values()) <= set(Scope)
    else:
        assert getattr(view, "is_own", False) or view.scope in Scope


def test_a_scope_that_is_told_to_be_asked_for_by_nothing_is() -> None:
    """Contacts are masked without theirs, which no route names."""
    asked: set[str] = {Scope.CONTACTS_READ}
    for path, view in routes():
        if hasattr(getattr(view, "cls", None), "scopes"):
            asked |= {view.cls.scopes[action] for action in view.actions.values()}
        elif hasattr(view, "scope") and not path.startswith("admin/"):
            asked.add(view.scope)
    assert set(Scope) - asked == UNUSED_SCOPES


def test_every_admin_page_asks_for_an_operator(client: Any, db: None) -> None:
    for path, _ in routes():
        if (
            path.startswith("admin/")
            and "<" not in path
            and path not in ("admin/login/", "admin/logout/", "admin/jsi18n/")
        ):
            response = client.get(f"/{path}")
            assert response.status_code in (302, 404), path
            assert "conversation" not in response.content.decode().lower()


@pytest.mark.parametrize("name", ["api", "views"])
def test_requests_start_from_their_tenant(name: str) -> None:
    for path in SOURCE:
        if name in (path.stem, path.parent.name):
            assert not re.search(r"\.objects\b", path.read_text()), path


def test_questions_about_rows_live_in_models_and_filters() -> None:
    for path in SOURCE:
        if path.stem in ("api", "wire", "serializers") or "views" in (path.stem, path.parent.name):
            for call in re.findall(r"\.filter\(([^)]*)\)", path.read_text()):
                assert call.startswith("pk="), (path, call)


def test_files_are_one_subject() -> None:
    for path in SOURCE:
        if path.name != "settings.py":  # one file, read downwards
            assert len(path.read_text().splitlines()) <= 260, path


def test_functions_are_short() -> None:
    for path in SOURCE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
                length = (body[-1].end_lineno or 0) - body[0].lineno + 1
                assert length <= 45, (path, node.name, length)


def test_every_module_says_what_it_is_for() -> None:
    for path in SOURCE:
        tree = ast.parse(path.read_text())
        if tree.body and path.stem not in ("urls", "api_urls", "apps"):
            assert ast.get_docstring(tree), path


def test_the_wires_spelling_stays_where_it_belongs() -> None:
    allowed = {"wire", "serializers", "filters", "messages", "pagination", "ordering", "schema", "operations"}
    for path in SOURCE:
        if path.stem not in allowed and "demo" not in path.parts:
            code = path.read_text()
            for name in ("leadPhone", "leadEmail", "currentStageIndex", "messageCount", "qualificationResult"):
                assert name not in code, (path, name)


def test_roles_hold_what_the_contract_says() -> None:
    table = """
    dashboard:view              owner integrator ai_architect operator analyst
    conversations:view          owner ai_architect operator analyst
    conversations:edit          owner operator
    conversations:send_message  owner operator
    conversations:change_status owner operator
    leads:start_conversation    owner operator
    leads:erase                 owner
    contacts:read               owner integrator ai_architect operator analyst
    api_keys:view               owner integrator
    api_keys:manage             owner integrator
    audit:view                  owner integrator
    team:view                   owner integrator ai_architect operator analyst
    team:manage                 owner
    """
    expected = {scope: set(roles) for scope, *roles in (line.split() for line in table.strip().splitlines())}
    assert {scope: {role for role in Role if scope in ROLE_SCOPES[role]} for scope in Scope} == expected


def test_no_migration_is_missing(db: None) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_indexes_of_lists_carry_the_whole_order() -> None:
    for model in apps.get_app_config("conversations").get_models():
        for index in model._meta.indexes:
            holds_no_order = index.name in (
                "conversation_facets",
                "conversation_search",
                "conversation_figures",
                "conversation_leads",
                "conversation_of_agent",
                "conversation_of_campaign",
                "conversation_of_channel",
                "day_cell_place",
                "half_hour_cell_place",
                "lead_first",
                "lead_first_cell_place",
                "lead_last",
                "lead_last_cell_place",
                "message_cell_place",
                "pair_day_cell_place",
                "pair_half_hour_cell_place",
                "tally_of_account",
            )
            assert holds_no_order or index.fields[-1].lstrip("-") == "id", index.name


def test_templates_hold_no_inline_script_or_style() -> None:
    for path in (ROOT / "templates").rglob("*.html"):
        html = path.read_text()
        if path.parent.name == "mail":  # no CSP there, and mail programs know no stylesheets
            html = html.replace(" style=", " ")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", html), path
        assert not re.search(r"(src|href)=[\"']?(https?:)?//", html), path


def test_browser_tests_wait_without_breaking_the_policy() -> None:
    """Playwright's function evaluates a text within the page, whose policy refuses that: ``until`` does not."""
    for path in (ROOT / "tests" / "browser").glob("*.py"):
        assert "wait_for_function" not in path.read_text(), path


def test_connection_is_the_one_that_was_asked_for() -> None:
    """Guards the three suites: each must really run on its own store."""
    assert connection.vendor == settings.STORE.name

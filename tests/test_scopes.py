"""Which scope each route asks for, written down a second time (contract, sections 2, 4, 7 and 8).

The access matrix expects what the code says. Here is what the code has to say: so a route that asks for less than it
did is seen, and not just believed.
"""

from accounts.scopes import Scope
from tests.config.test_conventions import OPEN, routes

API = """
GET    api/conversations                    conversations:view
POST   api/conversations                    conversations:edit
GET    api/conversations/export             conversations:view
GET    api/conversations/<str:pk>           conversations:view
PATCH  api/conversations/<str:pk>           conversations:edit
POST   api/conversations/<str:pk>/messages  conversations:edit
PATCH  api/conversations/<str:pk>/status    conversations:change_status
POST   api/leads/erase                      leads:erase
GET    api/analytics/overview               dashboard:view
GET    api/api-keys                         api_keys:view
POST   api/api-keys                         api_keys:manage
DELETE api/api-keys/<str:pk>                api_keys:manage
POST   api/api-keys/<str:pk>/rotate         api_keys:manage
PATCH  api/api-keys/<str:pk>/revoke         api_keys:manage
GET    api/audit-logs                       audit:view
GET    api/audit-logs/export                audit:view
"""

PAGES = """
conversations/                                     conversations:view
conversations/export/                              conversations:view
conversations/new/                                 conversations:view
conversations/seen/                                conversations:view
conversations/views/                               conversations:view
conversations/views/<str:pk>/remove/               conversations:view
conversations/columns/                             conversations:view
conversations/demo/                                team:manage
conversations/bulk/                                conversations:change_status
conversations/bulk/<str:pk>/undo/                  conversations:change_status
conversations/<str:pk>/                            conversations:view
conversations/<str:pk>/text/                       conversations:view
conversations/<str:pk>/brief/                      conversations:view
conversations/<str:pk>/share/                      conversations:change_status
conversations/<str:pk>/status/                     conversations:change_status
conversations/<str:pk>/reveal/                     conversations:view
conversations/<str:pk>/erase/                      leads:erase
conversations/<str:pk>/notes/                      conversations:edit
conversations/<str:pk>/notes/<str:note>/remove/    conversations:edit
analytics/last-words/                              conversations:view
settings/names/                                    conversations:view
settings/names/agents/<str:pk>/                    conversations:edit
settings/names/campaigns/<str:pk>/                 conversations:edit
settings/privacy/                                  team:manage
settings/account/                                  team:manage
settings/people/                                   team:view
settings/people/leave/                             team:view
settings/people/invite/                            team:manage
settings/people/<str:pk>/roles/                    team:manage
settings/people/<str:pk>/remove/                   team:manage
settings/people/invitations/<str:pk>/send/         team:manage
settings/people/invitations/<str:pk>/withdraw/     team:manage
settings/api-keys/                                 api_keys:view
settings/api-keys/new/                             api_keys:manage
settings/api-keys/<str:pk>/rename/                 api_keys:manage
settings/api-keys/<str:pk>/rotate/                 api_keys:manage
settings/api-keys/<str:pk>/revoke/                 api_keys:manage
settings/api-keys/<str:pk>/delete/                 api_keys:manage
settings/audit/                                    audit:view
settings/audit/export/                             audit:view
"""
"""Every page but those that each role opens (``dashboard:view``) and those about the person alone."""


def test_every_action_of_the_api_asks_for_its_scope() -> None:
    told = {
        (method.upper(), path): view.cls.scopes[action].value
        for path, view in routes()
        if path.startswith("api/") and path not in OPEN
        for method, action in view.actions.items()
        if method != "head"  # a view that was asked once has it too, and it is GET
    }
    assert told == {(method, path): scope for method, path, scope in map(str.split, API.strip().splitlines())}


def test_every_page_asks_for_its_scope() -> None:
    told = {
        path: view.scope.value
        for path, view in routes()
        if hasattr(view, "scope") and view.scope != Scope.DASHBOARD_VIEW
    }
    assert told == dict(line.split() for line in PAGES.strip().splitlines())


def test_what_each_role_opens_is_not_of_conversations_people_or_keys() -> None:
    for path, view in routes():
        if getattr(view, "scope", None) == Scope.DASHBOARD_VIEW:
            assert path in {
                *("", "analytics/", "account/", "environment/"),
                *("settings/preferences/", "settings/theme/", "settings/shortcuts/"),
            }

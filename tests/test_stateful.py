"""Whatever is done in whatever order: the API answers as a model of a few dictionaries says.

Two accounts, two environments, keys that come and go. Each run begins with accounts of its own, in a store
that other runs have filled: nothing of theirs may show. ``TRUST_EXAMPLES`` and ``TRUST_STEPS`` make it longer.
"""

import os
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from accounts.models import Account, User
from config.storage.fields import new_object_id
from tests.conftest import Api, json_of
from tests.factories import AGENT, message

EXAMPLES = int(os.environ.get("TRUST_EXAMPLES", "25"))
STEPS = int(os.environ.get("TRUST_STEPS", "30"))
STATUSES = ("active", "completed", "handed_off", "dropped")
WORDS = ("price", "Preis", "ПРИВЕТ", "straße", "50%", "a_b", "\\d", "x" * 40)

accounts = st.sampled_from(("first", "second"))
environments = st.sampled_from(("live", "test"))
places = st.tuples(accounts, environments)
words = st.sampled_from(WORDS)


@dataclass
class Known:
    """What a place holds: id → conversation as it was answered last, the latest change last."""

    conversations: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    dead: list[str] = field(default_factory=list)


Place = tuple[str, str]


class Machine(RuleBasedStateMachine):
    recorded = Bundle("recorded")
    issued = Bundle("issued")

    @initialize()
    def open_accounts(self) -> None:
        self.known: dict[Place, Known] = {}
        self.apis: dict[Place, Api] = {}
        for name in ("first", "second"):
            owner = User.objects.create_user(f"{new_object_id()}@example.com")
            account = Account.objects.open(name=name, owner=owner, by=owner)
            for environment in ("live", "test"):
                self.known[name, environment] = Known()
                self.apis[name, environment] = Api(account, environment)

    def answered(self, answer: Any, status: int = 200) -> Any:
        assert answer.status_code == status, answer.getvalue()
        return json_of(answer)

    def changed(self, place: Place, document: dict[str, Any]) -> None:
        found = self.known[place].conversations
        found.pop(document["_id"], None)
        found[document["_id"]] = document

    @rule(target=recorded, place=places, word=words, status=st.sampled_from(STATUSES), given=st.booleans())
    def record(self, place: Place, word: str, status: str, given: bool) -> tuple[Place, str]:
        body: dict[str, Any] = {
            **{
                "leadId": "7",
                "agentConfigId": AGENT,
                "channel": "email",
                "leadPhone": "+15551234567",
                "status": status,
            },
            "messages": [message(word)],
            **({"_id": new_object_id()} if given else {}),
        }
        told = self.answered(self.apis[place].post("/api/conversations", body), 201)
        assert [said["content"] for said in told["messages"]] == [word]
        assert (told["status"], told["messageCount"]) == (status, 1)
        self.changed(place, told)
        return place, told["_id"]

    @rule(one=recorded, asking=places, word=words)
    def record_again(self, one: tuple[Place, str], asking: Place, word: str) -> None:
        """An id that another account or environment has is refused, and nothing of it told."""
        place, pk = one
        body = {"_id": pk, "leadId": "8", "agentConfigId": AGENT, "channel": "email", "messages": [message(word)]}
        answer = self.apis[asking].post("/api/conversations", body)
        if place == asking:
            self.changed(place, self.answered(answer))
        else:
            assert set(self.answered(answer, 409)) == {"error"}

    @rule(one=recorded, asking=places, word=words)
    def append(self, one: tuple[Place, str], asking: Place, word: str) -> None:
        place, pk = one
        answer = self.apis[asking].post(f"/api/conversations/{pk}/messages", [message(word), message(word[::-1])])
        if place != asking:
            assert self.answered(answer, 404) == {"error": "Conversation not found"}
            return
        told, before = self.answered(answer), self.known[place].conversations[pk]
        assert told["messages"][: len(before["messages"])] == before["messages"]
        assert [said["content"] for said in told["messages"][len(before["messages"]) :]] == [word, word[::-1]]
        assert told["messageCount"] == before["messageCount"] + 2
        self.changed(place, told)

    @rule(one=recorded, asking=places, status=st.sampled_from((*STATUSES, "open")))
    def change_status(self, one: tuple[Place, str], asking: Place, status: str) -> None:
        place, pk = one
        answer = self.apis[asking].patch(f"/api/conversations/{pk}/status", {"status": status})
        if place != asking:
            assert answer.status_code == 404
            return
        if answer.status_code == 400:  # not a status that one changes to
            assert status in ("open", "active")
            return
        told, before = self.answered(answer), self.known[place].conversations[pk]
        assert told == {**before, "status": status, "updatedAt": told["updatedAt"]}
        if status != before["status"]:
            self.changed(place, told)

    @rule(one=recorded, asking=places)
    def read(self, one: tuple[Place, str], asking: Place) -> None:
        place, pk = one
        answer = self.apis[asking].get(f"/api/conversations/{pk}")
        if place == asking:
            assert self.answered(answer) == self.known[place].conversations[pk]
        else:
            assert self.answered(answer, 404) == {"error": "Conversation not found"}

    @rule(place=places, word=words, status=st.sampled_from(STATUSES))
    def search(self, place: Place, word: str, status: str) -> None:
        looked_for = word.casefold()
        expected = {
            pk
            for pk, told in self.known[place].conversations.items()
            if told["status"] == status and any(looked_for in said["content"].casefold() for said in told["messages"])
        }
        assert set(self.apis[place].ids(search=word, status=status)) == expected

    @rule(place=places, limit=st.integers(1, 4))
    def walk(self, place: Place, limit: int) -> None:
        """Page by page: the same conversations in the same order as all at once."""
        seen, path = [], f"/api/conversations?limit={limit}"
        while path:
            answer = self.apis[place].get(path)
            assert answer.headers["X-Total-Count"] == str(len(self.known[place].conversations))
            seen += self.answered(answer)
            path = answer.headers.get("Link", "").partition("http://testserver")[2].partition(">")[0]
        assert seen == self.apis[place].listed()

    @rule(place=places)
    def export(self, place: Place) -> None:
        lines = self.apis[place].get("/api/conversations/export").getvalue().splitlines()
        listed = self.apis[place].get("/api/conversations").getvalue()
        assert b"[" + b",".join(lines) + b"]" == listed

    @rule(target=issued, place=places, environment=environments)
    def issue(self, place: Place, environment: str) -> Any:
        body = {"name": "New", "environment": environment, "scopes": ["conversations:view"]}
        answer = self.apis[place].post("/api/api-keys", body)
        if (place[1], environment) == ("test", "live"):
            assert answer.status_code == 403
            return None
        told = self.answered(answer, 201)
        return (place[0], environment), told["apiKey"]["_id"], told["fullKey"]

    @rule(key=issued)
    def use(self, key: Any) -> None:
        if key and key[1] not in self.known[key[0]].dead:
            answer = self.apis[key[0]].get(headers={"X-API-Key": key[2]})
            assert answer.getvalue() == self.apis[key[0]].get().getvalue()
            assert self.apis[key[0]].get("/api/api-keys", headers={"X-API-Key": key[2]}).status_code == 403

    @rule(key=consumes(issued), asking=places)
    def revoke(self, key: Any, asking: Place) -> None:
        if key is None:
            return
        place, pk, token = key
        answer = self.apis[asking].patch(f"/api/api-keys/{pk}/revoke", {})
        reaches = asking[0] == place[0] and "live" in (asking[1], "live" if place == asking else "")
        assert answer.status_code == (200 if reaches else 404)
        used = self.apis[place].get(headers={"X-API-Key": token})
        assert used.status_code == (401 if reaches else 200)

    @invariant()
    def each_place_lists_its_own(self) -> None:
        for place, known in self.known.items() if hasattr(self, "known") else ():
            listed = self.apis[place].listed()
            assert {told["_id"]: told for told in listed} == known.conversations, place
            moments = [told["updatedAt"] for told in listed]
            assert moments == sorted(moments, reverse=True)


@pytest.mark.django_db
def test_the_api_does_what_its_model_does(settings: Any) -> None:
    settings.RATE_LIMIT_ADDRESS = settings.RATE_LIMIT_KEY = settings.RATE_LIMIT_ACCOUNT = 0
    run_state_machine_as_test(Machine, settings=RUNS)


RUNS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

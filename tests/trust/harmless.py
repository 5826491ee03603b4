"""Mutants that open nothing, each with its reason. What matches nothing any more is an error, and has to go."""

from tests.trust.finding import Mutant

OF_THEIR_OWN = "What it looks up are ids that the account's own rows name: no other account has any of these."
ALREADY = "It is reached through rows that are narrowed to the same already; this is the second lock on one door."

HARMLESS: dict[tuple[str, str, str], str] = {
    ("accounts/models/invitation.py", "InvitationManager.invite", "account=account"): ALREADY,
    ("accounts/models/key.py", "ApiKey.rotate", "by.check_may_give"): "Issuing, which it ends with, checks the same.",
    ("accounts/models/key.py", "ApiKey.rotate", "check_held(self.opened, by.held"): "So does this.",
    ("accounts/permissions.py", "own_page.inner", "not request.user.is_authenticated"): (
        "Who is not signed in is led to the sign-in page before any view is asked."
    ),
    ("accounts/sentences.py", "Things.of", "account.conversations"): OF_THEIR_OWN,
    ("accounts/sentences.py", "Things.of", "account.agents"): OF_THEIR_OWN,
    ("accounts/sentences.py", "Things.of", "account.campaigns"): OF_THEIR_OWN,
    ("accounts/sentences.py", "Things.of", "owned.within"): OF_THEIR_OWN,
    ("conversations/api.py", "ConversationViewSet.list", "self.key.account.agents"): (
        "Which agents there are only makes the answer's tag: another account's would change it more often."
    ),
    ("conversations/api.py", "ConversationViewSet._record", "self.key.account.conversations"): (
        "Recording is told whose it is, and looks at nothing else."
    ),
    ("conversations/models/bulk.py", "BulkChange.undo", "account=self.account"): OF_THEIR_OWN,
    ("conversations/models/bulk.py", "BulkChange.undo", "environment=self.environment"): OF_THEIR_OWN,
    ("conversations/views/bulk.py", "undo_many", "request.account.conversations"): OF_THEIR_OWN,
    ("conversations/models/erasure.py", "forget_in_log", "account=account"): OF_THEIR_OWN,
    ("conversations/models/reading.py", "ReadMarkManager.mark", "user=by"): ALREADY,
    ("conversations/models/reading.py", "ReadMarkManager.mark_all", "user=by"): ALREADY,
    ("conversations/models/reading.py", "ReadMarkManager.revisions", "conversation__in=conversations"): (
        "More marks of the person's own come than were asked for; nobody looks for the others."
    ),
    ("conversations/models/reading.py", "LastLookManager.moment_of", "account=membership"): ALREADY,
    ("conversations/filters.py", "PageFilter.seen_at", "request.account.last_looks"): ALREADY,
    ("conversations/models/saved_view.py", "SavedViewManager.save_view", "account=account"): ALREADY,
    ("conversations/models/retention.py", "RetentionManager.set_days", "account=account"): ALREADY,
    ("conversations/views/analytics.py", "Question.read", "request.account.conversations"): (
        "Its filters are asked for their faults alone, and read no row."
    ),
    ("conversations/ready.py", "_standing", "account_id=OuterRef"): (
        "Changes of other accounts would make an answer anew where nothing of its own changed, and never keep one."
    ),
    ("conversations/ready.py", "_standing", "environment=OuterRef"): "The same of the other environment.",
    ("accounts/key_rows.py", "History.of", "account.audit_events"): (
        "It asks for entries about the account's own keys, by their ids: no other account has any of these."
    ),
}
"""File, function and the beginning of what is taken away → why nothing comes of it."""


def key_of(mutant: Mutant) -> tuple[str, str, str]:
    return mutant.path, mutant.where, mutant.old


def is_harmless(mutant: Mutant) -> bool:
    return any(_matches(mutant, each) for each in HARMLESS)


def stale(mutants: list[Mutant]) -> list[str]:
    return [" ".join(each) for each in HARMLESS if not any(_matches(mutant, each) for mutant in mutants)]


def _matches(mutant: Mutant, each: tuple[str, str, str]) -> bool:
    path, where, old = each
    return mutant.path == path and mutant.where == where and mutant.old.startswith(old)

"""One run of an import: read, check, record in batches, count, and write down what was refused."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from rest_framework.exceptions import ValidationError

from accounts.models import Account
from conversations.importing.sources import Item
from conversations.models import Conversation, Outcome
from conversations.serializers import ConversationRecordSerializer, record_from, to_wire_faults

BATCH = 200
BATCH_BYTES = 8 << 20
"""A batch is one transaction; this keeps it, and our memory, small."""


@dataclass
class Tally:
    """What became of the items so far."""

    outcomes: Counter[str] = field(default_factory=Counter)
    messages: int = 0

    @property
    def total(self) -> int:
        return sum(self.outcomes.values())


class Import:
    """Safe to interrupt and to repeat: each batch is whole or not there, and what is there already is unchanged."""

    def __init__(
        self,
        account: Account,
        *,
        environment: str,
        rejects: Path,
        dry_run: bool = False,
        on_progress: Callable[[Tally], None] = lambda tally: None,
    ) -> None:
        self.account = account
        self.environment = environment
        self.rejects = rejects
        self.dry_run = dry_run
        self.on_progress = on_progress
        self.tally = Tally()
        self.serializer = ConversationRecordSerializer()
        self._batch: list[tuple[Item, dict[str, Any]]] = []
        self._batch_bytes = 0
        self._rejects_file: TextIO | None = None

    def run(self, items: Iterable[Item]) -> Tally:
        """Import all ``items``. What was read before an error in ``items`` is recorded all the same."""
        try:
            for item in items:
                self._take(item)
        finally:
            try:
                self._flush()
            finally:
                if self._rejects_file:
                    self._rejects_file.close()
        return self.tally

    def _take(self, item: Item) -> None:
        try:
            values = record_from(self.serializer, item.value())
        except ValidationError as error:
            self._refuse(item, in_words(error.detail))
        except ValueError as error:
            self._refuse(item, str(error))
        else:
            self._batch.append((item, values))
            self._batch_bytes += len(item.text)
            if len(self._batch) >= BATCH or self._batch_bytes >= BATCH_BYTES:
                self._flush()

    def _flush(self) -> None:
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        if not batch:
            return
        results = Conversation.objects.record(
            self.account,
            [values for _, values in batch],
            environment=self.environment,
            by=None,
            dry_run=self.dry_run,
        )
        for (item, values), result in zip(batch, results, strict=True):
            if result.outcome == Outcome.REFUSED:
                self._refuse(item, in_words(to_wire_faults(result.faults or {})))
            else:
                self.tally.outcomes[result.outcome] += 1
                self.tally.messages += len(values.get("messages", ()))
        self.on_progress(self.tally)

    def _refuse(self, item: Item, reason: str) -> None:
        """Write the item down with its place and the reason: nothing that was given is lost."""
        self.tally.outcomes[Outcome.REFUSED] += 1
        if self._rejects_file is None:
            self._rejects_file = self.rejects.open("w", encoding="utf-8")
        given: Any = item.text.decode("utf-8", "replace")
        with suppress(ValueError):
            given = item.value()
        line = {"line": item.line, "record": item.number, "reason": reason, "conversation": given}
        self._rejects_file.write(json.dumps(line, ensure_ascii=False) + "\n")


def in_words(faults: Any) -> str:
    """Faults by field as one sentence each: ``leadId: Must not be empty.``"""
    sentences = []
    for name, messages in faults.items():
        for message in messages if isinstance(messages, list) else [messages]:
            is_whole = name in ("non_field_errors", "__all__") or str(message).startswith(f"{name}[")
            sentences.append(str(message) if is_whole else f"{name}: {message}")
    return " ".join(sentences)

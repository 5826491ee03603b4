"""Conversations that read like a language: words by Zipf's law, in several scripts, with phones; the same each time.

A uniform vocabulary makes every search alike. Here a few words stand everywhere, most stand nowhere near, and there are
words between, as people who search know it.
"""

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

VOCABULARY = 20_000
SOUNDS = {
    "latin": ("b c d f g h k l m n p r s t v w st tr ch", "a e i o u ea ou", "n r s t"),
    "cyrillic": ("б в г д ж з к л м н п р с т х ш", "а е и о у ы я", "н р с т й"),
}
"""How syllables begin, their vowels, and how they may end."""

SCRIPTS = ("latin", "latin", "latin", "latin", "latin", "latin", "cyrillic", "cyrillic", "chinese", "mixed")
EMOJI = ["👍", "🙏", "😀", "🎉", "✅", "👩\u200d💻"]
PHONES = ("+1 ({0:03}) 555-{1:04}", "+44 20 {0:03} {1:04}", "+7 (9{0:03}) {1:04}-00", "+86 138-{0:03}-{1:04}")
NEWEST = datetime(2026, 11, 1, tzinfo=UTC)


def words(script: str) -> list[str]:
    """The vocabulary of a script, the most common word first."""
    chance = random.Random(script)  # noqa: S311 - the same data each time
    if script == "chinese":
        signs = [chr(0x4E00 + number) for number in chance.sample(range(20_000), 3_000)]
        weights = list(zipf(len(signs)))
        made = ("".join(chance.choices(signs, cum_weights=weights, k=2)) for _ in itertools.count())
    else:
        onset, vowel, coda = (sounds.split() for sounds in SOUNDS[script])
        coda = ["", "", *coda]
        made = (
            "".join(f"{chance.choice(onset)}{chance.choice(vowel)}{chance.choice(coda)}" for _ in range(length))
            for length in itertools.cycle((1, 2, 2, 3, 3, 4))
        )
    return list(itertools.islice(dict.fromkeys(itertools.islice(made, VOCABULARY * 4)), VOCABULARY))


def zipf(number: int) -> Iterator[float]:
    """Cumulative weights of ``number`` words."""
    return itertools.accumulate(1 / (rank + 3) for rank in range(number))


class Talk:
    """Says things."""

    def __init__(self, seed: int = 1) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - the same data each time
        self.words = {script: words(script) for script in ("latin", "cyrillic", "chinese")}
        self.weights = {script: list(zipf(len(known))) for script, known in self.words.items()}

    def messages(self, number: int, end: datetime, script: str) -> list[dict[str, str]]:
        from conversations.messages import format_moment

        mixed = script == "mixed"
        script = "latin" if mixed else script
        lengths = [self.chance.randint(4, 18) for _ in range(number)]
        said = iter(self.chance.choices(self.words[script], cum_weights=self.weights[script], k=sum(lengths)))
        joint = "" if script == "chinese" else " "
        found = []
        for index, length in enumerate(lengths):
            content = joint.join(itertools.islice(said, length)).capitalize()
            content += f", {self.chance.choice(EMOJI)}!" if mixed and not index % 5 else ".?!。"[index % 4]
            moment = end - timedelta(minutes=(number - index) * 4)
            role = "agent" if index % 2 else "lead"
            found.append({"role": role, "content": content, "timestamp": format_moment(moment)})
        return found

    def conversations(self, account: Any, number: int, *, environment: str = "live") -> Iterator[Any]:
        """Of 20 messages each, the oldest first, as they came."""
        from conversations.models import Channel, Conversation, Status

        for index in reversed(range(number)):
            updated = NEWEST - timedelta(seconds=index * 40)
            conversation = Conversation(
                account=account,
                environment=environment,
                lead_id=str(index % (number // 2 + 1)),
                agent_config_id=f"{index % 7:024x}",
                campaign_id=f"{index % 5 + 100:024x}" if index % 3 else None,
                channel=self.chance.choice(Channel.values),
                lead_phone=PHONES[index % 4].format(index // 10_000 % 1_000, index % 10_000),
                lead_email=f"lead{index}@example.com" if index % 4 == 0 else "",
                status=self.chance.choices(Status.values, (20, 45, 10, 25))[0],
                current_stage_index=index % 5,
                current_stage_name=("Greeting", "Needs", "Pricing", "Closing", "Contract")[index % 5],
                qualified=(None, True, False)[index % 3],
                created_at=updated - timedelta(days=1),
                updated_at=updated,
                status_changed_at=updated,
                messages=self.messages(20, updated, SCRIPTS[index % len(SCRIPTS)]),
            )
            conversation.derive()
            yield conversation

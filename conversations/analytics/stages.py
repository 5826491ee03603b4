"""Stages, as figures name them and as lists are asked for them."""

from collections.abc import Iterable

from conversations.models.cells import LAST_STAGE
from conversations.names import Names, stage_number

NAMES_SHOWN = 3
"""Names of one stage that different agents have for it."""


def stage_names(stages: Iterable[int], agents: Iterable[str], names: Names) -> dict[int, str]:
    """Index → name, of these stages and of those that the agents have: what they call it, else the index."""
    known = [names.agents[key] for key in agents if key in names.agents]
    known.sort(key=lambda agent: agent.pk)
    found = {}
    for index in sorted({*stages, *(index for agent in known for index in range(len(agent.stages)))}):
        called = list(dict.fromkeys(name for agent in known if (name := agent.stage_name(index))))
        more = "…" if len(called) > NAMES_SHOWN else ""
        found[index] = " / ".join(called[:NAMES_SHOWN]) + more or stage_number(index)
    return found


def stopped_at(stage: int) -> dict[str, str]:
    """Filters of the list. Whoever is beyond the last stage that can be asked for is counted there."""
    return {"stageReached" if stage == LAST_STAGE else "stageIndex": str(stage)}

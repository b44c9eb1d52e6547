"""What a model is reminded of: notes and other clips that are like this one, never evidence."""

from __future__ import annotations

from emer.agents.llm.messages import Language
from emer.agents.memory.memory import Match, Memory
from emer.agents.reasoner import Hear
from emer.agents.types import Analogy, Inquiry, Recollection
from emer.tools.errors import EmerError


def recall(memory: Memory, inquiry: Inquiry, language: Language, hear: Hear) -> tuple[str, ...]:
    """Return what the nearest analogies tell, and report which they are.

    A memory that does not work is reported and costs nothing but the analogies.
    """
    try:
        found = memory.recall(inquiry.clues)
    except EmerError as error:
        hear(Recollection(embedder=memory.embedder.name, trouble=str(error)))
        return ()
    hear(_recollection(memory, found))
    return tuple(match.item.zh if language == "zh" else match.item.en for match in found)


def _recollection(memory: Memory, found: tuple[Match, ...]) -> Recollection:
    return Recollection(
        embedder=memory.embedder.name,
        analogies=tuple(
            Analogy(key=m.item.key, kind=m.item.kind, score=m.score, source=m.item.source)
            for m in found
        ),
        trouble="; ".join(memory.notes),
    )

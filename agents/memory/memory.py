"""Finding what is like a clip: the nearest cards and exemplars, opposites left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from emer.agents.memory.embedding import Embedder
from emer.agents.memory.index import Index
from emer.agents.memory.items import Item
from emer.agents.memory.passages import Passage, of_clues
from emer.agents.memory.stance import Stance, akin, opposed, stance_of
from emer.tools.types import Clue

NEAREST = 3
"""How many are told to a model."""
SAME_CLIP = 0.5
"""Share of an exemplar's sentences that stand word for word among the clues of the same
clip (chosen by us): its own earlier answer is no analogy."""


@dataclass(frozen=True, slots=True)
class Match:
    """Something remembered, and how near it is (an inner product, at most 1)."""

    item: Item
    score: float


class Memory:
    """Cards and exemplars, found by what they look like."""

    def __init__(
        self,
        items: Sequence[Item],
        embedder: Embedder,
        path: Path | None,
        most: int = NEAREST,
        notes: Sequence[str] = (),
    ) -> None:
        """Take what is remembered and the file of its index; nothing is read or built yet.

        `most` is how many are recalled for a clip; `notes` say what could not be read.
        """
        self.items, self.embedder = tuple(items), embedder
        self.index = Index(self.items, embedder, path)
        self._most, self._notes = most, tuple(notes)
        self._stances: dict[str, Stance] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of it, one line each."""
        return (*self._notes, *([self.index.note] if self.index.note else []))

    def recall(self, clues: Sequence[Clue]) -> tuple[Match, ...]:
        """Return what is like the clip that the clues are of; the clip itself is left out."""
        said = frozenset(clue.text for clue in clues)
        others = (m for m in self._neighbours(of_clues(clues)) if not _is_of(m.item, said))
        return tuple(islice(others, self._most))

    def nearest(self, passage: Passage, most: int = NEAREST) -> tuple[Match, ...]:
        """Return the nearest items, the nearest first; none is better than a far one."""
        return tuple(islice(self._neighbours(passage), most))

    def _neighbours(self, passage: Passage) -> Iterator[Match]:
        """Yield what is near and points no other way; ties stand in the order of the keys."""
        if not self.items or not passage.lines:
            return
        asked = stance_of(passage)
        (row,) = self.index.search(self.embedder.embed([passage]), len(self.items))
        near = (Match(self.items[place], round(score, 4)) for place, score in row)
        kept = (match for match in near if match.score >= self.embedder.least)
        for match in sorted(kept, key=lambda match: (-match.score, match.item.key)):
            own = self._stance(match.item)
            if akin(asked, own) and not opposed(asked, own):
                yield match

    def _stance(self, item: Item) -> Stance:
        if item.key not in self._stances:
            self._stances[item.key] = item.stance
        return self._stances[item.key]


def _is_of(item: Item, said: frozenset[str]) -> bool:
    """Tell whether an exemplar was taken from the clip in which these sentences were written."""
    if item.kind != "exemplar":
        return False
    lines = item.passage.lines
    return sum(line.text in said for line in lines) >= SAME_CLIP * max(1, len(lines))

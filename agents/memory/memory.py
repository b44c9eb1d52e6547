"""Nearest cards and kept runs to a clip's clues, opposites left out.

faiss holds the vectors in an `IndexFlatIP` of the process, built at the first search from
the items of this memory: 78 cards and the kept runs need no file. LangChain's faiss store
is in langchain-community, which brings SQLAlchemy, langchain-classic and more for a search
that is two calls; and it ranks texts, while the gate below needs the passages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import Field

from emer.agents.memory.embedder import Embedder
from emer.agents.memory.passages import Passage, Stance, akin, of_clues, opposed, stance_of
from emer.tools.errors import ToolFailed, ToolMissing
from emer.tools.types import Clue, Record

NEAREST = 3
"""How many matches a model is given."""
SAME_CLIP = 0.5
"""Share of an exemplar's sentences that stand word for word among the clues of the same
clip (chosen by us): its own earlier answer is no analogy."""

Kind = Literal["card", "exemplar"]


class Item(Record):
    """A card of general knowledge, or an explained run of another clip."""

    key: str
    kind: Kind
    source: str
    """A key of the sources of the cards, or the run that an exemplar was taken from."""
    passage: Passage
    """The display: the sentences that it is searched by."""
    families: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    """The note for a model, in either language of the prompts."""

    @cached_property
    def stance(self) -> Stance:
        """Families, signs and cues of the item."""
        return stance_of(self.passage, self.families, self.labels)


class Match(NamedTuple):
    """An item and its likeness (an inner product, at most 1)."""

    item: Item
    score: float


class Memory:
    """Cards and exemplars, searched by what they look like."""

    def __init__(
        self,
        items: Sequence[Item],
        embedder: Embedder,
        most: int = NEAREST,
        notes: Sequence[str] = (),
    ) -> None:
        """Take what can be remembered; nothing is embedded yet.

        Args:
            items: cards and exemplars; their keys are unique.
            embedder: maps passages to vectors.
            most: how many matches `recall` returns for a clip.
            notes: what could not be read, one line each.
        """
        self.items, self.embedder, self.notes = tuple(items), embedder, tuple(notes)
        self._most = most
        self._index: Any = None

    def recall(self, clues: Sequence[Clue]) -> tuple[Match, ...]:
        """Return the nearest items to a clip's clues; exemplars of the clip are left out."""
        texts = frozenset(clue.text for clue in clues)
        others = (m for m in self._neighbours(of_clues(clues)) if not _is_of(m.item, texts))
        return tuple(islice(others, self._most))

    def nearest(self, passage: Passage, most: int = NEAREST) -> tuple[Match, ...]:
        """Return the nearest items in order; none if all are far."""
        return tuple(islice(self._neighbours(passage), most))

    def _neighbours(self, passage: Passage) -> Iterator[Match]:
        """Yield near items that do not point the other way; ties in the order of the keys.

        Every item is scored: the gate may refuse the nearest ones.
        """
        if not self.items or not passage.lines:
            return
        if self._index is None:
            self._index = self._build()
        row = np.ascontiguousarray(self.embedder.embed([passage]))
        (scores,), (places,) = self._index.search(row, len(self.items))
        pairs = zip(places, scores, strict=True)
        matches = [Match(self.items[place], round(float(score), 4)) for place, score in pairs]
        asked = stance_of(passage)
        for match in sorted(matches, key=lambda match: (-match.score, match.item.key)):
            stance = match.item.stance
            if (
                match.score >= self.embedder.least
                and akin(asked, stance)
                and not opposed(asked, stance)
            ):
                yield match

    def _build(self) -> Any:
        faiss = load_faiss()
        embedded = self.embedder.embed([item.passage for item in self.items])
        rows = np.ascontiguousarray(embedded, dtype=np.float32)  # a plugin may return anything
        if rows.ndim != 2 or len(rows) != len(self.items) or not np.isfinite(rows).all():
            cause = "the embedder gave no finite row for each passage"
            raise ToolFailed("memory", "its cards", cause)
        index = faiss.IndexFlatIP(rows.shape[1])
        index.add(rows)
        return index


def load_faiss() -> Any:
    """Import faiss; `ToolMissing` carries the line that installs it."""
    try:
        import faiss
    except ImportError as error:
        raise ToolMissing("memory", "the package faiss", "pip install 'emer[llm]'") from error
    return faiss


def _is_of(item: Item, texts: frozenset[str]) -> bool:
    """Tell whether an exemplar was taken from the clip with these clue sentences."""
    if item.kind != "exemplar":
        return False
    lines = item.passage.lines
    return sum(line.text in texts for line in lines) >= SAME_CLIP * max(1, len(lines))

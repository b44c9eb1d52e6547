"""What can be remembered: a card of general knowledge, or an explained run of another clip."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from emer.agents.memory.passages import Passage
from emer.agents.memory.stance import Stance, stance_of
from emer.tools.types import Record

Kind = Literal["card", "exemplar"]


class Item(Record):
    """Something remembered: what it looks like, which way it points, what it tells."""

    key: str
    kind: Kind
    source: str
    """A key of the sources of the cards, or the run that an exemplar was taken from."""
    passage: Passage
    """What it looks like: the sentences that it is found by."""
    families: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    """What it tells, in either language of the prompts."""

    @property
    def stance(self) -> Stance:
        """Which way it points."""
        return stance_of(self.passage, self.families, self.labels)

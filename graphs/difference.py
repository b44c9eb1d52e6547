"""The difference of two runs, as a record."""

from __future__ import annotations

from emer.graphs.usage import Usage
from emer.tools.types import Clue, Record


class Change(Record):
    """Something that differs; None where one side has no such thing."""

    key: str
    a: str | None
    b: str | None


class Diff(Record):
    """What differs between two runs: what was asked, chosen, seen, concluded and written."""

    because: tuple[str, ...] = ()
    """What explains the difference, in plain words."""
    inputs: tuple[Change, ...] = ()
    """Clip, given words, question, and earlier turns of the thread."""
    settings: tuple[Change, ...] = ()
    tools: tuple[Change, ...] = ()
    reasoner: tuple[Change, ...] = ()
    prompts: tuple[Change, ...] = ()
    """Prompt files whose text differs, with the beginnings of their hashes."""
    versions: tuple[Change, ...] = ()
    reviews: tuple[Change, ...] = ()
    """What people changed in the clues."""
    reminders: tuple[Change, ...] = ()
    """Notes and kept runs that the model was reminded of."""
    work: tuple[Change, ...] = ()
    """Rounds, tool calls, requests to models, and why each run stopped."""
    usage_a: Usage = Usage()
    usage_b: Usage = Usage()
    clues_only_a: tuple[Clue, ...] = ()
    clues_only_b: tuple[Clue, ...] = ()
    labels: tuple[Change, ...] = ()
    probabilities: tuple[Change, ...] = ()
    sentences_only_a: tuple[str, ...] = ()
    sentences_only_b: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing differs but the time it took."""
        passing = {"because", "usage_a", "usage_b"}
        return not any(value for name, value in self if name not in passing)

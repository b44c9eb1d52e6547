"""Words in groups, as they are spoken: a new one after each silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

PAUSE = 0.5
"""Seconds of silence that end an utterance."""


class Timed(Protocol):
    """Anything with a beginning and an end, in seconds."""

    @property
    def start(self) -> float:
        """When it begins."""
        ...

    @property
    def end(self) -> float:
        """When it ends."""
        ...


Word = TypeVar("Word", bound=Timed)


def utterances(words: Sequence[Word], pause: float = PAUSE) -> list[tuple[Word, ...]]:
    """Return the words in groups, a new one after each silence of `pause` s."""
    groups: list[list[Word]] = []
    for word in words:
        if groups and word.start - groups[-1][-1].end < pause:
            groups[-1].append(word)
        else:
            groups.append([word])
    return [tuple(group) for group in groups]

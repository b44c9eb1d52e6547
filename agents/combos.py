"""Cues that mean more together: found when they overlap in time on one person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from emer.agents.cues import Reading
from emer.agents.vocabulary import lexicon
from emer.tools.types import Clue, Modality

SLACK = 0.5
"""Seconds between two cues that still count as together (chosen by us)."""

Found = tuple[str, Modality, tuple[str, ...], float]
"""Combination, modality, the clues it rests on, reliability times strength."""


def combined(readings: Sequence[Reading]) -> Iterator[Found]:
    """Yield every pair of clues that forms a combination of the lexicon."""
    for combo in lexicon().combos:
        first, second = (list(_stating(readings, member)) for member in combo.members)
        for (one, a), (two, b) in product(first, second):
            if together(one.clue, two.clue):
                ids = tuple(dict.fromkeys((one.clue.id, two.clue.id)))
                yield combo.key, one.clue.modality, ids, min(a, b)


def together(one: Clue, two: Clue) -> bool:
    """Tell whether two clues can be about one person at one moment."""
    if one.person and two.person and one.person != two.person:
        return False
    if one.span is None or two.span is None:
        return True
    return one.span.overlaps(two.span, SLACK)


def _stating(readings: Sequence[Reading], cue: str) -> Iterator[tuple[Reading, float]]:
    for reading in readings:
        for mention in reading.mentions:
            if mention.cue == cue and not mention.negated:
                yield reading, reading.reliability * mention.strength

"""How far cited clues carry a label: measured with the lexicon, never taken from a model."""

from __future__ import annotations

from collections.abc import Sequence

from emer.agents.cues import read
from emer.agents.fusion import Standing, weigh
from emer.agents.labels import band
from emer.agents.types import Band
from emer.agents.vocabulary import lexicon
from emer.agents.weighting import Weighting
from emer.tools.types import Clue


def family_of(label: str) -> str | None:
    """Return the family a label belongs to, None for a word the lexicon does not know."""
    return lexicon().family_of(label)


def probability_of(label: str, clues: Sequence[Clue], by: Weighting) -> float | None:
    """Return the label's probability on these clues, None where nothing measures it."""
    standing = _standing(label, clues, by)
    return None if standing is None else standing.probability


def band_of(label: str, clues: Sequence[Clue], disputed: frozenset[str], by: Weighting) -> Band:
    """Return the label's band on these clues; low where nothing measures it."""
    standing = _standing(label, clues, by)
    return "low" if standing is None else band(standing, standing.family in disputed)


def _standing(label: str, clues: Sequence[Clue], by: Weighting) -> Standing | None:
    family = family_of(label)
    return next((s for s in weigh(read(clues), by) if s.family == family), None)

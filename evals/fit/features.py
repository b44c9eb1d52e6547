"""Features of the fit: stated cues and named emotion families of a clip.

The only part of the fit that depends on the rules reasoner's parser and tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emer.agents.lexicon.cue_parser import Reading, read
from emer.agents.lexicon.lexicon import lexicon
from emer.evals.metrics.bootstrap import Floats
from emer.tools.types import Clue

DENIED = -0.5
"""Weight of a denied cue, as a share of the cue's (as in the rules reasoner)."""


@dataclass(frozen=True)
class Examples:
    """Clips as rows: the strength of each stated cue, and the families displayed."""

    names: tuple[str, ...]
    cues: tuple[str, ...]
    families: tuple[str, ...]
    stated: Floats
    """Shape (clips, cues): reliability times strength, negative where denied."""
    displayed: NDArray[np.bool_]
    """Shape (clips, families)."""
    unknown: Mapping[str, int]
    """Labels that belong to no family, and how often they were given."""

    def rows(self, chosen: NDArray[np.bool_]) -> Examples:
        names = tuple(n for n, keep in zip(self.names, chosen, strict=True) if keep)
        return Examples(names, self.cues, self.families, self.stated[chosen],
                        self.displayed[chosen], self.unknown)  # fmt: skip


def examples(
    names: Sequence[str], clues: Sequence[Sequence[Clue]], labels: Sequence[Sequence[str]]
) -> Examples:
    words = lexicon()
    families = tuple(words.families)
    stated = [_stated(read(of_clip)) for of_clip in clues]
    cues = tuple(sorted({cue for strengths in stated for cue in strengths}))
    table = np.array([[strengths.get(cue, 0.0) for cue in cues] for strengths in stated])
    named = [{words.family_of(label) for label in of_clip} for of_clip in labels]
    displayed = np.array([[family in each for family in families] for each in named])
    unknown = Counter(
        label.lower() for of_clip in labels for label in of_clip if words.family_of(label) is None
    )
    return Examples(tuple(names), cues, families, table.reshape(len(stated), len(cues)),
                    displayed, unknown)  # fmt: skip


def shipped(of: Examples) -> Floats:
    """Weights that the reasoner ships with: shape (cues, families)."""
    table = lexicon().weights
    return np.array([[table.get(cue, {}).get(f, 0.0) for f in of.families] for cue in of.cues])


def _stated(readings: Sequence[Reading]) -> dict[str, float]:
    """Strength of each stated cue: the strongest mention, else a denial."""
    strengths: dict[str, float] = {}
    for reading in readings:
        for mention in reading.mentions:
            weight = reading.reliability * mention.strength
            value = DENIED * weight if mention.negated else weight
            known = strengths.get(mention.cue)
            if known is None or (value > 0 and value > known) or (known < value < 0):
                strengths[mention.cue] = value
    return strengths

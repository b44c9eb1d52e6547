"""From clues and labels to numbers: which cues a clip states, which families people name.

The only part of the fit that knows the inside of the rules reasoner: its reader and its
tables.
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
"""What a denied cue counts for, as a share of the cue (as the rules reasoner has it)."""


@dataclass(frozen=True)
class Examples:
    """Clips as rows: how strongly each states each cue, and which families they display."""

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
        """Chosen clips only."""
        names = tuple(n for n, keep in zip(self.names, chosen, strict=True) if keep)
        return Examples(names, self.cues, self.families, self.stated[chosen],
                        self.displayed[chosen], self.unknown)  # fmt: skip


@dataclass(frozen=True)
class Shipped:
    """The reasoner's own weights in the same shape: (cues, families), and where each is from."""

    weights: Floats
    known: NDArray[np.bool_]


def examples(
    names: Sequence[str], clues: Sequence[Sequence[Clue]], labels: Sequence[Sequence[str]]
) -> Examples:
    """Examples of clips with their clues and human labels."""
    words = lexicon()
    families = tuple(words.families)
    stated = [_stated(read(found)) for found in clues]
    cues = tuple(sorted({cue for found in stated for cue in found}))
    table = np.array([[found.get(cue, 0.0) for cue in cues] for found in stated])
    belongs = [[words.family_of(label) for label in found] for found in labels]
    displayed = np.array([[family in found for family in families] for found in belongs])
    unknown = Counter(
        label.lower()
        for found, kinds in zip(labels, belongs, strict=True)
        for label, kind in zip(found, kinds, strict=True)
        if kind is None
    )
    return Examples(tuple(names), cues, families, table.reshape(len(stated), len(cues)),
                    displayed, unknown)  # fmt: skip


def shipped(of: Examples) -> Shipped:
    """Weights that the reasoner ships with, for these cues and families."""
    table = lexicon().weights
    weights = [[table.get(cue, {}).get(family, 0.0) for family in of.families] for cue in of.cues]
    known = [[family in table.get(cue, {}) for family in of.families] for cue in of.cues]
    return Shipped(np.array(weights), np.array(known))


def _stated(readings: Sequence[Reading]) -> dict[str, float]:
    """How strongly each cue is stated: the strongest mention, else a denial."""
    found: dict[str, float] = {}
    for reading in readings:
        for mention in reading.mentions:
            weight = reading.reliability * mention.strength
            value = DENIED * weight if mention.negated else weight
            known = found.get(mention.cue)
            if known is None or (value > 0 and value > known) or (known < value < 0):
                found[mention.cue] = value
    return found

"""Brows while speaking: a raise or a short frown that may only stress a word.

Speakers raise their brows, or lower them for a word, to stress what they say (Ekman 1979,
"About brows: emotional and conversational signals"): a raise while speaking, and a short
frown, count for less than the same in silence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from emer.agents.lexicon.cue_parser import Reading

RAISES = frozenset({"brow_raise", "inner_brow_raise", "outer_brow_raise"})
FROWNS = frozenset({"brow_furrow"})
SHORT_FROWN = 1.25
"""Seconds up to which a frown can stress a word or two (chosen by us)."""
EMPHASIS = 0.5
"""Factor on a brow movement's strength while speaking (chosen by us)."""

_SPEAKING = re.compile(r"\bmouth moves as in speech\b")


def soften_speech_brows(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """The readings with brow movements discounted where the same person speaks."""
    speech = [r.clue for r in readings if _SPEAKING.search(r.clue.text)]
    spoken = {(clue.person, clue.span) for clue in speech if clue.span is not None}

    def softened(reading: Reading) -> Reading:
        span, person = reading.clue.span, reading.clue.person
        if span is None or not any(who == person and at.overlaps(span) for who, at in spoken):
            return reading
        cues = RAISES | FROWNS if span.length <= SHORT_FROWN else RAISES
        mentions = tuple(
            replace(m, strength=m.strength * EMPHASIS) if m.cue in cues else m
            for m in reading.mentions
        )
        return replace(reading, mentions=mentions)

    return tuple(map(softened, readings))

"""Brows that stress what is said: moved while speaking, they say less of emotion.

Speakers raise their brows, or lower them for a word, to underline what they say (Ekman
1979, "About brows: emotional and conversational signals"), so a raise while speaking,
and a short frown, count for less than the same in silence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from emer.agents.cues import Mention, Reading

RAISES = frozenset({"brow_raise", "inner_brow_raise", "outer_brow_raise"})
FROWNS = frozenset({"brow_furrow"})
A_WORD = 1.25
"""Seconds up to which a frown can underline a word or two (chosen by us)."""
EMPHASIS = 0.5
"""What is left of a brow raise's strength while speaking (chosen by us)."""

_SPEAKING = re.compile(r"\bmouth moves as in speech\b")


def soften(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """Return the readings with brow raises turned down where the same person speaks."""
    speech = [r for r in readings if _SPEAKING.search(r.clue.text)]
    return tuple(_softened(r) if _during(r, speech) else r for r in readings)


def _during(reading: Reading, speech: Sequence[Reading]) -> bool:
    span = reading.clue.span
    return span is not None and any(
        other.clue.span is not None
        and other.clue.person == reading.clue.person
        and other.clue.span.overlaps(span)
        for other in speech
    )


def _softened(reading: Reading) -> Reading:
    span = reading.clue.span
    beats = RAISES | FROWNS if span is not None and span.length <= A_WORD else RAISES
    return replace(reading, mentions=tuple(_beat(m, beats) for m in reading.mentions))


def _beat(mention: Mention, beats: frozenset[str]) -> Mention:
    if mention.cue not in beats:
        return mention
    return Mention(mention.cue, mention.negated, mention.strength * EMPHASIS)

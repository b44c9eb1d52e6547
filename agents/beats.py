"""Brows that stress what is said: raised while speaking, they say less of emotion.

Speakers raise their brows to underline words (Ekman 1979, "About brows: emotional and
conversational signals"), so such a raise counts for less than one made in silence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from emer.agents.cues import Mention, Reading

BEATS = frozenset({"brow_raise", "inner_brow_raise", "outer_brow_raise"})
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
    return replace(reading, mentions=tuple(_beat(m) for m in reading.mentions))


def _beat(mention: Mention) -> Mention:
    if mention.cue not in BEATS:
        return mention
    return Mention(mention.cue, mention.negated, mention.strength * EMPHASIS)

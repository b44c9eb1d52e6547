"""Stance of a passage: the polarity gate that keeps opposites apart.

Embedding distance does not separate antonyms: sentence models put joyful near sorrowful,
since both occur in the same contexts. With any embedder, two passages are neighbours only
if they share something that can be named (a sign, a family, a cue or a word) and do not
point opposite ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emer.agents.lexicon.lexicon import lexicon
from emer.agents.memory.passages import Affect, Passage, affects, stop_words
from emer.agents.rules.fusion import POLAR, weigh
from emer.agents.rules.labels import RIVAL_SHARE

POSSIBLE = 0.35
"""Probability from which a passage speaks for a family (as the rules list hypotheses), if
it is nearly that of the leading one."""
PLEASANT = 0.25
"""Valence of a word from which it has a sign (chosen by us)."""
AROUSED = 0.35
"""Absolute arousal of a word from which it counts as high or low (chosen by us)."""
ATTENTION = "alert"
"""The kin of surprise, interest and confusion, which have no sign of their own."""

_WORD = re.compile(r"[a-z]{4,}|[\u4e00-\u9fff]{2}")
STEM = 6
"""Characters of a word that are compared."""


@dataclass(frozen=True, slots=True)
class Stance:
    """Families, signs of valence and arousal, cues and words of a passage."""

    families: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    signs: frozenset[int] = frozenset()
    """1 for a pleasant display, -1 for an unpleasant one."""
    arousal: frozenset[int] = frozenset()
    """1 for a word of high arousal, -1 for one of low."""
    cues: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


def stance_of(passage: Passage, families: Sequence[str] = (), labels: Sequence[str] = ()) -> Stance:
    """Stance of a passage; `families` or `labels` take precedence over its text."""
    readings = passage.readings
    named = (lexicon().family_of(label) for label in labels)
    own = frozenset((*families, *(name for name in named if name)))
    denied: frozenset[str] = frozenset()
    observed = (line.text for line in passage.lines if line.modality != "text")
    text = " . ".join(labels if own or labels else observed)  # transcripts count by their cues
    if not (own or labels):
        standings = weigh(readings)
        enough = max(POSSIBLE, RIVAL_SHARE * standings[0].probability)
        own = frozenset(s.family for s in standings if s.supports and s.probability >= enough)
        denied = frozenset(s.family for s in standings if s.contradicts and not s.supports) - own
    words = tuple(affects(text))
    stems = _WORD.findall(passage.text.casefold())
    return Stance(
        families=own,
        denied=denied,
        signs=_signs(own, denied, words),
        arousal=frozenset(1 if a.arousal > 0 else -1 for a in words if abs(a.arousal) >= AROUSED),
        cues=frozenset(m.cue for r in readings for m in r.mentions if not m.negated),
        words=frozenset(word[:STEM] for word in stems if word not in stop_words()),
    )


def opposed(one: Stance, other: Stance) -> bool:
    """True if two passages point opposite ways, in valence or in arousal.

    Arousal opposes only pleasant passages, as calm and excited: unpleasant displays of
    high and low arousal occur together.
    """
    if one.signs and other.signs and one.signs.isdisjoint(other.signs):
        return True
    if one.signs == other.signs == {1} and one.arousal and other.arousal:
        return one.arousal.isdisjoint(other.arousal)
    return any(a.families and a.families <= b.denied for a, b in ((one, other), (other, one)))


def akin(one: Stance, other: Stance) -> bool:
    """True if two passages share a sign, a family, a cue or a word."""
    return bool(
        one.signs & other.signs
        or one.families & other.families
        or one.cues & other.cues
        or one.words & other.words
    )


def _signs(
    families: frozenset[str], denied: frozenset[str], words: Sequence[Affect]
) -> frozenset[int]:
    """Return the signs of families and words, or the opposite of what is denied."""
    polar = [*_valences(families), *(a.valence for a in words if abs(a.valence) >= PLEASANT)]
    if not polar and not families:
        polar = [-valence for valence in _valences(denied)]
    return frozenset(1 if valence > 0 else -1 for valence in polar)


def _valences(families: Iterable[str]) -> list[float]:
    """Return the valences of the polar families; attention has no sign."""
    table = lexicon().families
    polar = (table[family] for family in families)
    return [f.valence for f in polar if f.kin != ATTENTION and abs(f.valence) >= POLAR]

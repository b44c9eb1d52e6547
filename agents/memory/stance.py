"""Which way a passage points, and when two passages may be neighbours.

The distance between embeddings cannot be trusted with this: sentence models put joyful
near sorrowful, since people write the same things about both. So whatever embeds, two
passages are neighbours only if they have something in common that can be named (a sign,
a family, a cue or a word) and do not point opposite ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emer.agents.lexicon.cue_parser import Reading
from emer.agents.lexicon.lexicon import lexicon
from emer.agents.memory.passages import Affect, Passage, affects, common
from emer.agents.rules.fusion import POLAR, Standing, weigh
from emer.agents.rules.labels import RIVAL_SHARE

POSSIBLE = 0.35
"""Probability from which a passage speaks for a family (as the rules list hypotheses), if
it is nearly that of the leading one."""
PLEASANT = 0.25
"""Valence of a word from which it has a sign (chosen by us)."""
STIRRED = 0.35
"""Arousal of a word from which it counts as stirred, or as still (chosen by us)."""
ATTENTION = "alert"
"""The kin of surprise, interest and confusion, which have no sign of their own."""

_WORD = re.compile(r"[a-z]{4,}|[\u4e00-\u9fff]{2}")
_STEM = 6


@dataclass(frozen=True, slots=True)
class Stance:
    """Where a passage stands: families for and against, pleasant or not, stirred or still."""

    families: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    signs: frozenset[int] = frozenset()
    """1 where something pleasant is displayed, -1 where something unpleasant is."""
    stirs: frozenset[int] = frozenset()
    """1 where a word is of high arousal, -1 where one is of low."""
    cues: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


def stance_of(passage: Passage, families: Iterable[str] = (), labels: Iterable[str] = ()) -> Stance:
    """Return where a passage stands; `families` or `labels` say it of what is already known."""
    readings = passage.readings
    told = [name for label in labels if (name := lexicon().family_of(label))]
    known = frozenset((*families, *told))
    standings = () if known or labels else weigh(readings)
    spoken = " . ".join(labels) if known or labels else _observed(passage)
    found = tuple(affects(spoken))
    own = known or _supported(standings)
    denied = _denied(standings) - own
    return Stance(
        families=own,
        denied=denied,
        signs=_signs(own, denied, found),
        stirs=frozenset(_sign(a.arousal) for a in found if abs(a.arousal) >= STIRRED),
        cues=_cues(readings),
        words=frozenset(_stems(passage.text)),
    )


def opposed(one: Stance, other: Stance) -> bool:
    """Tell whether two passages point opposite ways: pleasant and not, or stirred and still.

    Arousal alone opposes only what is pleasant, as calm and excited: people display
    unpleasant things of either kind at once.
    """
    if one.signs and other.signs and one.signs.isdisjoint(other.signs):
        return True
    if one.signs == other.signs == {1} and one.stirs and other.stirs:
        return one.stirs.isdisjoint(other.stirs)
    return _all_denied(one, other) or _all_denied(other, one)


def akin(one: Stance, other: Stance) -> bool:
    """Tell whether two passages have something in common that can be named."""
    return bool(
        one.signs & other.signs
        or one.families & other.families
        or one.cues & other.cues
        or one.words & other.words
    )


def _all_denied(one: Stance, other: Stance) -> bool:
    return bool(one.families) and one.families <= other.denied


def _supported(standings: Sequence[Standing]) -> frozenset[str]:
    enough = max(POSSIBLE, RIVAL_SHARE * standings[0].probability) if standings else POSSIBLE
    return frozenset(s.family for s in standings if s.supports and s.probability >= enough)


def _denied(standings: Sequence[Standing]) -> frozenset[str]:
    return frozenset(s.family for s in standings if s.contradicts and not s.supports)


def _signs(
    families: frozenset[str], denied: frozenset[str], found: Sequence[Affect]
) -> frozenset[int]:
    """Return the signs of the families and of the words; of what is denied if that is all."""
    polar = [*_valences(families), *(a.valence for a in found if abs(a.valence) >= PLEASANT)]
    if not polar and not families:
        polar = [-valence for valence in _valences(denied)]
    return frozenset(map(_sign, polar))


def _valences(families: Iterable[str]) -> list[float]:
    """Return the valences of the polar families; attention is neither pleasant nor not."""
    table = lexicon().families
    told = (table[family] for family in families)
    return [f.valence for f in told if f.kin != ATTENTION and abs(f.valence) >= POLAR]


def _observed(passage: Passage) -> str:
    """Return what is seen and heard; what is said is read by its cues alone."""
    return " . ".join(line.text for line in passage.lines if line.modality != "text")


def _cues(readings: Iterable[Reading]) -> frozenset[str]:
    return frozenset(m.cue for r in readings for m in r.mentions if not m.negated)


def _stems(text: str) -> Iterable[str]:
    return (w[:_STEM] for w in _WORD.findall(text.casefold()) if w not in common())


def _sign(value: float) -> int:
    return 1 if value > 0 else -1

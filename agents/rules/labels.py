"""Open-vocabulary labels: words of a family that fit its intensity and arousal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emer.agents.lexicon.lexicon import LabelWord, lexicon
from emer.agents.rules.fusion import Standing, arousal
from emer.agents.types import Band, Hypothesis

MIN_PROBABILITY = 0.35
"""A family below this is not named: the flat prior is 0.26 (chosen by us)."""
RIVAL_SHARE = 0.8
"""Share of the leading probability from which a family is named beside it (by us)."""
MIN_LATER_PROBABILITY = 0.5
"""From here a family displayed at another moment than the lead is named (ours)."""
MIN_SUPPORT = 0.54
"""Log-odds, summed over cue groups, that the leading family needs (chosen by us).

That is one clear sign, or a slight one of the best measured quality.
"""
OPPOSITE = 0.25
"""Product of two families' valences below which they are opposites (chosen by us)."""
HIGH, MEDIUM = 0.85, 0.65
"""Probabilities from which a label's band may be high, and medium (by us)."""
OWN_CUE = 0.5
"""Strength of its own cue that a shade of the family needs (chosen by us)."""
EXTREME = 0.6
"""A degree that begins at this intensity needs no cue of its own (by us)."""
MAX_FAMILIES = 3
MAX_LABELS = 4


@dataclass(frozen=True, slots=True)
class Choice:
    """A label with the standing of its family."""

    label: LabelWord
    standing: Standing
    probability: float

    @property
    def name(self) -> str:
        """The label's word."""
        return self.label.name


def choose(standings: Sequence[Standing]) -> tuple[Choice, ...]:
    """Up to four labels; none where the clues do not carry a reading.

    Beside the leading family stand its rivals, which the clues carry nearly as well, and
    what is displayed at another moment of the clip. The leading family, and one displayed
    at another moment, may have two words.
    """
    if not standings or _is_weak(standings[0]) or _is_torn(standings):
        return ()
    lead = standings[0]
    chosen = list(words_of(lead))
    beside = [s for s in standings[1:] if _stands_beside(s, lead)]
    for standing in beside[: MAX_FAMILIES - 1]:
        chosen += words_of(standing)[: 2 if _are_apart(standing, lead) else 1]
    return tuple(chosen[:MAX_LABELS])


def hypotheses(standings: Sequence[Standing]) -> tuple[Hypothesis, ...]:
    """Labels of the leading family and of the probable ones, with their clues."""
    return tuple(
        Hypothesis(
            label=choice.name,
            probability=choice.probability,
            supports=standing.supports,
            contradicts=standing.contradicts,
        )
        for standing in standings
        if standing.supports
        and (standing is standings[0] or standing.probability >= MIN_PROBABILITY)
        for choice in words_of(standing)
    )


def words_of(standing: Standing) -> tuple[Choice, ...]:
    """The family's plain word, if it is intense enough, and a finer one.

    People name an emotion by its plain word first (Shaver et al. 1987). A shade
    ("indignant") is added where a cue of its own is stated, an extreme ("joyful") where
    the intensity calls for it.
    """
    words = [word for word in lexicon().labels if word.family == standing.family]
    strength, excitement = _intensity(standing), arousal(standing)
    own = _own_strengths(standing, words)
    fitting = [w for w in words if w.low <= strength <= w.high]
    plain = lexicon().label_of(standing.family)
    has_plain = any(w.name == plain for w in fitting)

    def is_wanted(word: LabelWord) -> bool:
        if word.name == plain or own[word.name] >= OWN_CUE:
            return True
        return word.graded and (word.low >= EXTREME or not has_plain)

    ranked = sorted(
        filter(is_wanted, fitting),
        key=lambda w: (
            w.name != plain,
            -round(min(1.0, own[w.name]), 6),
            round(abs(w.arousal - excitement) + abs((w.low + w.high) / 2 - strength), 6),
            w.name,
        ),
    )
    return tuple(
        Choice(word, standing, round(standing.probability * share, 4))
        for word, share in zip(ranked[:2] or words[:1], (1.0, 0.9), strict=False)
    )


def band(standing: Standing, disputed: bool = False) -> Band:
    """Confidence band, from the probability and the independent channels."""
    if standing.probability >= HIGH and len(standing.channels) >= 2 and not disputed:
        return "high"
    return "medium" if standing.probability >= MEDIUM else "low"


def rival(standings: Sequence[Standing]) -> Standing | None:
    """The most probable family that is not kin to the leading one."""
    families = lexicon().families
    leading = families[standings[0].family].kin if standings else ""
    return next((s for s in standings[1:] if families[s.family].kin != leading), None)


def _intensity(standing: Standing) -> float:
    """In [0, 1), saturating in the supporting evidence."""
    return 1 - math.exp(-standing.support / 1.6)


def _own_strengths(standing: Standing, words: Sequence[LabelWord]) -> Mapping[str, float]:
    """How strongly the cues of each word's own are stated, by word."""
    stated: dict[str, float] = {}
    for c in standing.contributions:
        if not c.evidence.negated:
            stated[c.evidence.cue] = max(stated.get(c.evidence.cue, 0.0), c.evidence.weight)
    return {w.name: math.fsum(stated.get(cue, 0.0) for cue in w.cues) for w in words}


def _are_apart(one: Standing, other: Standing) -> bool:
    """True if the strongest clues of two families do not overlap in time."""
    if one.strongest is None or other.strongest is None:
        return False
    return not one.strongest.meets(other.strongest)


def _stands_beside(standing: Standing, lead: Standing) -> bool:
    if not standing.supports or standing.probability < MIN_PROBABILITY:
        return False
    if standing.probability >= RIVAL_SHARE * lead.probability:
        return True
    return standing.probability >= MIN_LATER_PROBABILITY and _are_apart(standing, lead)


def _is_torn(standings: Sequence[Standing]) -> bool:
    """True if the strongest cue of the leading family supports its opposite as well.

    A loud, high voice tells of high arousal, not of its valence.
    """
    lead, families = standings[0], lexicon().families
    return any(
        families[lead.family].valence * families[s.family].valence < -OPPOSITE
        and s.probability >= RIVAL_SHARE * lead.probability
        and _strongest_cue(s) == _strongest_cue(lead)
        for s in standings[1:]
    )


def _strongest_cue(standing: Standing) -> str | None:
    return standing.strongest.cue if standing.strongest else None


def _is_weak(standing: Standing) -> bool:
    return standing.probability < MIN_PROBABILITY or standing.support < MIN_SUPPORT

"""Open-vocabulary labels: words of a family that fit its intensity and arousal."""

from __future__ import annotations

import math
from collections.abc import Sequence
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

    name: str
    standing: Standing
    probability: float


def choose(standings: Sequence[Standing]) -> tuple[Choice, ...]:
    """Up to four labels; none where the clues do not carry a reading.

    Beside the leading family stand its rivals, which the clues carry nearly as well, and
    what is displayed at another moment of the clip. The leading family, and one displayed
    at another moment, may have two words.
    """
    if not standings or _is_torn(standings):
        return ()
    if standings[0].probability < MIN_PROBABILITY or standings[0].support < MIN_SUPPORT:
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
    ("indignant") is added where a cue of its own is stated; two degrees of one emotion
    ("happy", "joyful") are near synonyms, of which one is named.
    """
    words = [word for word in lexicon().labels if word.family == standing.family]
    intensity = _intensity(standing)
    excitement, plain = arousal(standing), lexicon().label_of(standing.family)
    cue_weights = {w.name: _own_cues(w, standing) for w in words}
    fitting = [w for w in words if w.low <= intensity <= w.high]
    has_plain = any(w.name == plain for w in fitting)

    def is_wanted(word: LabelWord) -> bool:
        if word.name == plain or cue_weights[word.name] >= OWN_CUE:
            return True
        return word.graded and (word.low >= EXTREME or not has_plain)

    ranked = sorted(
        filter(is_wanted, fitting),
        key=lambda w: (
            w.name != plain,
            -round(min(1.0, cue_weights[w.name]), 6),
            round(abs(w.arousal - excitement) + abs((w.low + w.high) / 2 - intensity), 6),
            w.name,
        ),
    )
    first, *others = ranked or words[:1]
    distinct = [first, *(word for word in others if not word.graded)]
    return tuple(
        Choice(word.name, standing, round(standing.probability * share, 4))
        for word, share in zip(distinct, (1.0, 0.9), strict=False)  # two at most
    )


def carries(standing: Standing, word: LabelWord) -> bool:
    """True if a word of the family fits: by its degree, or by a cue of its own."""
    if word.name == lexicon().label_of(standing.family):
        return True
    if not word.low <= _intensity(standing) <= word.high:
        return False
    return word.graded or _own_cues(word, standing) >= OWN_CUE


def exceeds(standing: Standing, word: LabelWord) -> bool:
    """True if the family is displayed more strongly than a word of degree says."""
    return word.graded and _intensity(standing) > word.high


def _intensity(standing: Standing) -> float:
    return 1 - math.exp(-standing.support / 1.6)  # saturating in the supporting evidence


def _own_cues(word: LabelWord, standing: Standing) -> float:
    """Summed weight of the stated cues that are the word's own."""
    stated: dict[str, float] = {}
    for c in standing.contributions:
        if not c.evidence.negated:
            stated[c.evidence.cue] = max(stated.get(c.evidence.cue, 0.0), c.evidence.weight)
    return math.fsum(stated.get(cue, 0.0) for cue in word.cues)


def band(standing: Standing, disputed: bool = False) -> Band:
    """Confidence band, from the probability and the independent channels."""
    if standing.probability >= HIGH and len(standing.channels) >= 2 and not disputed:
        return "high"
    return "medium" if standing.probability >= MEDIUM else "low"


def rival(standings: Sequence[Standing]) -> Standing | None:
    """The most probable family that is not kin to the leading one."""
    families = lexicon().families
    leading = families[standings[0].family].kin if standings else ""
    return next((s for s in standings if families[s.family].kin != leading), None)


def _are_apart(one: Standing, other: Standing) -> bool:
    """True if the strongest clues of two families do not overlap in time."""
    first, second = one.strongest, other.strongest
    return first is not None and second is not None and not first.meets(second)


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
    cues = [s.strongest.cue if s.strongest else None for s in standings]
    return any(
        families[lead.family].valence * families[s.family].valence < -OPPOSITE
        and s.probability >= RIVAL_SHARE * lead.probability
        and cue == cues[0]
        for s, cue in zip(standings[1:], cues[1:], strict=True)
    )

"""From families to open-vocabulary labels: the word that fits strength and arousal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emer.agents.lexicon.lexicon import LabelWord, lexicon
from emer.agents.rules.fusion import Standing, arousal
from emer.agents.types import Band

ENOUGH = 0.35
"""A family below this is not named: a flat prior stands at 0.26 (chosen by us)."""
RIVAL_SHARE = 0.8
"""Share of the leading probability from which a family is named beside it (by us)."""
ENOUGH_LATER = 0.5
"""A family displayed at another moment than the leading one is named from here (by us)."""
ENOUGH_EVIDENCE = 0.54
"""Log-odds, summed over cue groups, that the leading family must rest on: one clear sign,
or a slight one that could not have been measured better (chosen by us)."""
OPPOSITE = 0.25
"""Product of two families' valences below which they are opposites (chosen by us)."""
SURE, LIKELY = 0.85, 0.65
"""Probabilities from which a label may be of high and of medium confidence (chosen by us)."""
OWN_CUE = 0.5
"""How strongly its own cue must be stated for a shade of the family (chosen by us)."""
EXTREME = 0.6
"""A degree that begins here on the family's intensity needs no cue of its own (by us)."""
MOST_FAMILIES = 3
MOST_LABELS = 4


@dataclass(frozen=True, slots=True)
class Choice:
    """A label with the standing of the family it was chosen from."""

    label: LabelWord
    standing: Standing
    probability: float

    @property
    def name(self) -> str:
        """The label's word."""
        return self.label.name


def choose(standings: Sequence[Standing]) -> tuple[Choice, ...]:
    """Return up to four labels, or none where the clues do not carry a reading.

    Beside the leading family stand its rivals, which the clues carry nearly as well, and
    what is displayed at another moment of the clip. The leading family, and one displayed
    at another moment, may have two words.
    """
    if not standings or not _carries(standings[0]) or _is_torn(standings):
        return ()
    lead = standings[0]
    chosen = list(words_of(lead))
    named = [s for s in standings[1:] if _stands_beside(s, lead)]
    for standing in named[: MOST_FAMILIES - 1]:
        chosen += words_of(standing)[: 2 if apart(standing, lead) else 1]
    return tuple(chosen[:MOST_LABELS])


def words_of(standing: Standing) -> tuple[Choice, ...]:
    """Return the family's plain word, if it is strong enough for it, and a finer one.

    People name an emotion by its plain word first (Shaver et al. 1987). A shade
    ("indignant") is added where a cue of its own is stated, an extreme ("joyful") where
    the intensity calls for it.
    """
    strength, stated = intensity(standing), _stated(standing)
    excited, head = arousal(standing), lexicon().head(standing.family)
    fitting = [w for w in _family_words(standing.family) if w.low <= strength <= w.high]
    plain = any(w.name == head for w in fitting)
    ranked = sorted(
        (w for w in fitting if w.name == head or _is_called_for(w, stated, plain)),
        key=lambda w: (
            w.name != head,
            -round(min(1.0, _own(w, stated)), 6),
            round(abs(w.arousal - excited) + abs((w.low + w.high) / 2 - strength), 6),
            w.name,
        ),
    )
    kept = ranked[:2] or _family_words(standing.family)[:1]
    return tuple(
        Choice(word, standing, round(standing.probability * share, 4))
        for word, share in zip(kept, (1.0, 0.9), strict=False)
    )


def intensity(standing: Standing) -> float:
    """Return the displayed intensity in [0, 1): saturating in the supporting evidence."""
    return 1 - math.exp(-standing.support / 1.6)


def band(standing: Standing, disputed: bool = False) -> Band:
    """Return low, medium or high from the probability and the independent channels."""
    if standing.probability >= SURE and len(standing.channels) >= 2 and not disputed:
        return "high"
    return "medium" if standing.probability >= LIKELY else "low"


def rival(standings: Sequence[Standing]) -> Standing | None:
    """Return the most probable family that is not kin to the leading one."""
    kin = lexicon().families
    leading = kin[standings[0].family].kin if standings else ""
    return next((s for s in standings[1:] if kin[s.family].kin != leading), None)


def apart(one: Standing, other: Standing) -> bool:
    """Tell whether what speaks most for two families is displayed at different moments."""
    if one.strongest is None or other.strongest is None:
        return False
    return not one.strongest.meets(other.strongest)


def _stands_beside(standing: Standing, lead: Standing) -> bool:
    """Tell whether a family is named beside the leading one."""
    if not standing.supports or standing.probability < ENOUGH:
        return False
    if standing.probability >= RIVAL_SHARE * lead.probability:
        return True
    return standing.probability >= ENOUGH_LATER and apart(standing, lead)


def _is_called_for(word: LabelWord, stated: Mapping[str, float], plain: bool) -> bool:
    """Tell whether a finer word may stand beside the plain one, or in its place."""
    if _own(word, stated) >= OWN_CUE:
        return True
    return word.graded and (word.low >= EXTREME or not plain)


def _own(word: LabelWord, stated: Mapping[str, float]) -> float:
    """Return how strongly cues of the word's own are stated."""
    return math.fsum(stated.get(cue, 0.0) for cue in word.cues)


def _stated(standing: Standing) -> dict[str, float]:
    """Return the strongest statement of each cue that speaks for the family."""
    found: dict[str, float] = {}
    for c in standing.contributions:
        if not c.evidence.negated:
            found[c.evidence.cue] = max(found.get(c.evidence.cue, 0.0), c.evidence.weight)
    return found


def _family_words(family: str) -> list[LabelWord]:
    return [word for word in lexicon().labels if word.family == family]


def _is_torn(standings: Sequence[Standing]) -> bool:
    """Tell whether what speaks most for the leading family speaks as well for its opposite.

    A loud, high voice tells that somebody is stirred, and not whether it pleases them.
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


def _carries(standing: Standing) -> bool:
    """Tell whether a standing is more than weak indications."""
    return standing.probability >= ENOUGH and standing.support >= ENOUGH_EVIDENCE

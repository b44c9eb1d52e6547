"""From families to open-vocabulary labels: the word that fits strength and arousal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emer.agents.fusion import Standing, arousal
from emer.agents.types import Band
from emer.agents.vocabulary import LabelWord, lexicon

ENOUGH = 0.45
"""A family below this is not named (domain rule of abstention; chosen by us)."""
ENOUGH_SECOND = 0.5
"""A further family is named only from here, beside a leading one (chosen by us)."""
ENOUGH_EVIDENCE = 0.8
"""Reliability, summed over cue groups, that the leading family must rest on (by us)."""
OWN_CUE = 0.5
"""How strongly its own cue must be stated for a shade of the family (chosen by us)."""
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
    """Return two to four labels, or none where the clues do not carry a reading."""
    if not standings or not _carries(standings[0]):
        return ()
    families = [standings[0]]
    families += [s for s in standings[1:] if s.probability >= ENOUGH_SECOND][:2]
    chosen = [choice for standing in families for choice in words_of(standing)]
    return tuple(chosen[:MOST_LABELS])


def words_of(standing: Standing) -> tuple[Choice, ...]:
    """Return the family's plain word, if it is strong enough for it, and the best other.

    A shade ("reproachful") needs a cue of its own; without one, the degree of the family
    that is nearest in intensity stands beside the plain word.
    """
    strength, stated = intensity(standing), _stated(standing)
    excited, head = arousal(standing), lexicon().head(standing.family)
    fitting = [w for w in _family_words(standing.family) if w.low <= strength <= w.high]
    ranked = sorted(
        (w for w in fitting if w.name == head or w.graded or _own(w, stated) >= OWN_CUE),
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
    channels = len(standing.channels)
    if standing.probability >= 0.75 and channels >= 2 and not disputed:
        return "high"
    if standing.probability >= 0.6 and (channels >= 2 or standing.probability >= 0.75):
        return "medium"
    return "low"


def rival(standings: Sequence[Standing]) -> Standing | None:
    """Return the most probable family that is not kin to the leading one."""
    kin = lexicon().families
    leading = kin[standings[0].family].kin if standings else ""
    return next((s for s in standings[1:] if kin[s.family].kin != leading), None)


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


def _carries(standing: Standing) -> bool:
    """Tell whether a standing is more than weak indications."""
    counted = [c for c in standing.contributions if c.counts and c.value > 0]
    reliability = math.fsum(c.evidence.reliability for c in counted)
    return standing.probability >= ENOUGH and reliability >= ENOUGH_EVIDENCE

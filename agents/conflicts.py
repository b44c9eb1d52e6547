"""Channels that disagree: what is seen, heard and said, each read on its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from emer.agents.fusion import Standing
from emer.agents.types import Conflict
from emer.agents.vocabulary import CHANNELS, Channel, channel_of, lexicon
from emer.prompts.prompt import load
from emer.tools.types import MODALITIES, Modality

CLEAR = 0.7
"""Log-odds from which a channel counts as pointing somewhere (chosen by us)."""
POLAR = 0.4
"""Valence from which a family counts as pleasant or unpleasant (chosen by us)."""

CHANNEL_WORDS: dict[Channel, str] = {"visual": "seen", "audio": "heard", "text": "said"}


@dataclass(frozen=True, slots=True)
class Pull:
    """The polar family that one channel points to most, and the clues that do so."""

    channel: Channel
    modality: Modality
    standing: Standing
    clue_ids: tuple[str, ...]

    @property
    def valence(self) -> float:
        """Valence of the family."""
        return lexicon().families[self.standing.family].valence


def dispute(standings: Sequence[Standing]) -> tuple[tuple[Pull, Pull], ...]:
    """Return the pairs of channels that point to families of opposite valence."""
    pulls = [pull for channel in CHANNELS if (pull := _pull(channel, standings))]
    return tuple((one, two) for one, two in combinations(pulls, 2) if one.valence * two.valence < 0)


def conflicts(disputes: Sequence[tuple[Pull, Pull]]) -> tuple[Conflict, ...]:
    """Return the disputes as records, with both readings and their clues."""
    return tuple(_conflict(one, two) for one, two in disputes)


def disputed(disputes: Sequence[tuple[Pull, Pull]]) -> frozenset[str]:
    """Return the families that a dispute is about."""
    return frozenset(pull.standing.family for pair in disputes for pull in pair)


def _conflict(one: Pull, two: Pull) -> Conflict:
    text = load("rules/conflict").substitute(
        left=CHANNEL_WORDS[one.channel],
        left_label=lexicon().head(one.standing.family),
        right=CHANNEL_WORDS[two.channel],
        right_label=lexicon().head(two.standing.family),
    )
    ids = tuple(dict.fromkeys((*one.clue_ids, *two.clue_ids)))
    return Conflict(left=one.modality, right=two.modality, text=text, clue_ids=ids)


def _pull(channel: Channel, standings: Sequence[Standing]) -> Pull | None:
    """Return where a channel points, or None where it points nowhere in particular."""
    families = lexicon().families
    polar = [s for s in standings if abs(families[s.family].valence) >= POLAR]
    best = max(polar, key=lambda s: (_in_channel(s, channel), s.family), default=None)
    if best is None or _in_channel(best, channel) < CLEAR:
        return None
    own = [
        c for c in best.contributions if c.value > 0 and channel_of(c.evidence.modality) == channel
    ]
    ids = tuple(dict.fromkeys(i for c in own for i in c.evidence.clue_ids))
    return Pull(channel, own[0].evidence.modality, best, ids[:3])


def _in_channel(standing: Standing, channel: Channel) -> float:
    own = (m for m in MODALITIES if channel_of(m) == channel)
    return math.fsum(standing.by_modality.get(m, 0.0) for m in own)
